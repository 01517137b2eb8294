import type { SqliteValue } from '@sluice/model';
import type { CompileContext } from '../../compile-context.ts';
import { Diagnostics } from '../../diagnostics.ts';
import { visitCalls, type Expression } from '../../expr/expression.ts';
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
  readonly sql: string;
  readonly message: string;
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

  /** Those parts of the column whose own operator fails on a row, with their texts. */
  failingParts(sql: string, row: FuzzRow): FailingPart[] {
    const failing: FailingPart[] = [];
    visitCalls(this.#bind(sql), (part) => {
      const outcome = outcomeOf(this.#link(part), row);
      const isOwn = part.args.every((arg) => outcomeOf(this.#link(arg), row).kind === 'value');
      if (outcome.kind === 'value' || !isOwn) return;
      failing.push({ sql: sql.slice(part.start, part.end), message: outcome.message });
    });
    return failing;
  }

  #link(expression: Expression): Evaluate {
    return linkExpression(expression, this.#context.dialect, { slotOf });
  }

  #bind(sql: string): Expression {
    const diagnostics = new Diagnostics();
    const context = { ...this.#context, diagnostics };
    const text = new SqlText(sql, sql, { start: 0, end: sql.length }, 'plain');
    const parsed = parseSqlText(text, diagnostics, context);
    const [column] = parsed?.select.columns ?? [];
    if (parsed !== undefined && column?.kind === 'expr') {
      const binder = new QueryBinder(parsed, context, undefined);
      const expression = binder.bindSelect(parsed.select, undefined).bind(column.expr);
      if (diagnostics.errorCount === 0) return expression;
    }
    const messages = diagnostics.list().map(({ message }) => message);
    throw new Error(messages.join('; '));
  }
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
