import type { SqliteValue } from '@sluice/model';
import type { CompileContext } from '../../compile-context.ts';
import { Diagnostics } from '../../diagnostics.ts';
import type { Expression } from '../../expr/expression.ts';
import { linkExpression } from '../../expr/link.ts';
import { languageOf } from '../../language.ts';
import { parseSqlText } from '../../sql/parse-sql-text.ts';
import { QueryBinder } from '../../stream/bind-query.ts';
import type { Evaluate } from '../../values/dialect.ts';
import { EvaluationFailure } from '../../values/failure.ts';
import { SqlText } from '../../yaml/sql-text.ts';
import { COLUMNS, type FuzzRow } from './rows.ts';

/** What an expression gives on a row. */
export type Outcome =
  | { readonly kind: 'value'; readonly value: SqliteValue }
  | { readonly kind: 'error'; readonly message: string };

export interface FailingPart {
  /** What fails, as SQLite can read it. */
  readonly sql: string;
  /** It stands in the subquery behind FROM, and reads its table. */
  readonly isInTable: boolean;
  /** It is something that we refuse knowingly and SQLite does not. */
  readonly isLeftOut: boolean;
}

/** Compiles the expressions of a query the way a stream's query is, and evaluates them. */
export class Subject {
  readonly #context: CompileContext;
  readonly #diagnostics = new Diagnostics();

  constructor(edition: 3 | 4) {
    const language = languageOf({ edition, fixedJsonExtract: true, sqliteExpressions: true });
    this.#context = {
      ...language,
      diagnostics: this.#diagnostics,
      defaultSchema: 'main',
      sourceSchema: undefined,
      fixedJsonExtract: true,
    };
  }

  /**
   * Evaluates the first output column of `sql`.
   *
   * @throws Error when the query is refused.
   */
  evaluate(sql: string, rows: readonly FuzzRow[]): Outcome[] {
    const evaluate = this.#link(this.#bind(sql));
    return rows.map((row) => outcomeOf(evaluate, row));
  }

  /** Those parts of the column whose own operator fails on a row. */
  failingParts(sql: string, row: FuzzRow): FailingPart[] {
    const failing: FailingPart[] = [];
    eachCall(this.#bind(sql), (part) => {
      const outcome = outcomeOf(this.#link(part), row);
      const args = part.args.map((arg) => outcomeOf(this.#link(arg), row));
      if (outcome.kind === 'value' || args.some(({ kind }) => kind === 'error')) return;
      const isLeftOut = isAboutBinary(outcome.message, args);
      failing.push({ ...partOf(part, sql), isLeftOut });
    });
    return failing;
  }

  #link(expression: Expression): Evaluate {
    return linkExpression(expression, this.#context.dialect, { slotOf });
  }

  #bind(sql: string): Expression {
    const diagnostics = new Diagnostics();
    const context = { ...this.#context, diagnostics };
    const text = new SqlText(sql, {
      yaml: sql,
      span: { start: 0, end: sql.length },
      style: 'plain',
      inFlow: false,
    });
    const parsed = parseSqlText(text, diagnostics, context);
    const [column] = parsed?.select.columns ?? [];
    if (parsed !== undefined && column?.kind === 'expr') {
      const binder = new QueryBinder(parsed, context, NO_CTES);
      const expression = binder.bindSelect(parsed.select, undefined).bind(column.expr);
      if (diagnostics.errorCount === 0) return expression;
    }
    const messages = diagnostics.list().map(({ message }) => message);
    throw new Error(messages.join('; '));
  }
}

const NO_CTES = { find: () => undefined, isHidden: () => false };

/** Bytes that are not UTF-8, halves of surrogate pairs, and BLOBs that are JSON in binary form. */
function isAboutBinary(message: string, args: readonly Outcome[]): boolean {
  if (isAboutText(message)) return true;
  const hasBlob = args.some((arg) => arg.kind === 'value' && arg.value instanceof Uint8Array);
  return hasBlob && message.includes('JSON');
}

export function isAboutText(message: string): boolean {
  return /UTF-8|surrogate/.test(message);
}

/** The text of a part, and where it stands; `x IN json` becomes what it stands for. */
function partOf(
  part: Extract<Expression, { kind: 'call' }>,
  sql: string,
): Omit<FailingPart, 'isLeftOut'> {
  const json = part.name === 'in json' ? part.args[2] : undefined;
  const isInTable = (json ?? part).start >= sql.indexOf(' AS v FROM ');
  if (json === undefined) return { sql: sqlOf(part, sql), isInTable };
  return { sql: `(SELECT count(value) FROM json_each(${sqlOf(json, sql)}))`, isInTable };
}

function eachCall(
  expression: Expression,
  visit: (call: Extract<Expression, { kind: 'call' }>) => void,
): void {
  if (expression.kind !== 'call') return;
  visit(expression);
  for (const arg of expression.args) eachCall(arg, visit);
}

function sqlOf(part: Expression, sql: string): string {
  const inserted = new Map<number, string>();
  eachCall(part, ({ name, args: [, , json] }) => {
    if (name !== 'in json' || json === undefined) return;
    inserted.set(json.start, '(SELECT value FROM json_each(');
    inserted.set(json.end, '))');
  });
  let text = '';
  for (let at = part.start; at <= part.end; at++) {
    text += (inserted.get(at) ?? '') + (at < part.end ? (sql[at] ?? '') : '');
  }
  return text;
}

function outcomeOf(evaluate: Evaluate, row: FuzzRow): Outcome {
  try {
    return { kind: 'value', value: evaluate(row) };
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    return { kind: 'error', message: error.message };
  }
}

function slotOf(_source: number, column: string): number | undefined {
  const index = COLUMNS.findIndex((name) => name === column);
  return index === -1 ? undefined : index;
}
