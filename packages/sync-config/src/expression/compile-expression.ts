import { AppError, must } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { Diagnostic } from '../contract.ts';
import { Diagnostics, type Reporter } from '../diagnostics.ts';
import type { BindContext } from '../expr/bind-context.ts';
import { bindExpression } from '../expr/bind.ts';
import { REQUEST_SOURCE, visitReferences, type Expression } from '../expr/expression.ts';
import { linkExpression } from '../expr/link.ts';
import { languageOf } from '../language.ts';
import { parseExpression } from '../sql/parse-select.ts';
import { SqlSyntaxError } from '../sql/sql-syntax-error.ts';
import type { ExprSyntax } from '../sql/syntax.ts';
import { EvaluationFailure } from '../values/failure.ts';
import { SqlText } from '../yaml/sql-text.ts';
import { databaseText, hasSubquery, type DatabaseText } from './database-text.ts';
import type {
  ColumnRead,
  ExpressionScope,
  ExpressionSource,
  ExpressionValues,
} from './expression-scope.ts';
import { SCOPE_FUNCTIONS, ScopeCalls, WORLD_SOURCE } from './scope-calls.ts';
import { ScopeNames } from './scope-names.ts';

/** Expressions outside a sync config are in the newest edition, whatever the sync config has. */
const LANGUAGE = languageOf({ edition: 4, fixedJsonExtract: true, sqliteExpressions: true });

export interface CompiledExpression {
  /** Of `ExpressionScope`; with a subquery, what it may read. */
  readonly reads: readonly ColumnRead[];
  /** The words before the dots of columns; an empty one for a column without. */
  readonly qualifiers: ReadonlySet<string>;
  /** The value, when it is the same for every evaluation. */
  readonly constant: SqliteValue | undefined;
  /** For a database to evaluate, where there is a subquery; `evaluate` is then not to be called. */
  readonly database: DatabaseText | undefined;
  /** @throws ExpressionFailure, e.g. for a text that should be JSON and is not. */
  evaluate(values: ExpressionValues): SqliteValue;
  /** Whether the value counts as true. NULL and a failure do not. */
  isTrue(values: ExpressionValues): boolean;
}

/** An expression has no value for the values that it was given. Quotes no data. */
export class ExpressionFailure extends Error {}

/**
 * Compiles one SQL expression in edition 4 of the sync config's language (SQLite's own semantics),
 * with rows of names that `scope` gives, `auth.user_id()`, `auth.parameters()`,
 * `auth.parameter('x')`, `request.metadata()`, `request.client_id()`, and besides what a sync config
 * has: `now()`, `datetime('now')` and `uuid()`.
 *
 * Never throws; the expression is missing when a diagnostic is an error.
 */
export function compileExpression(
  source: ExpressionSource,
  scope: ExpressionScope,
): {
  readonly expression: CompiledExpression | undefined;
  readonly diagnostics: readonly Diagnostic[];
} {
  const diagnostics = new Diagnostics();
  const { text, place } = source;
  const report = place === undefined ? diagnostics : diagnostics.within(new SqlText(text, place));
  const syntax = parse(text, report);
  const expression = syntax && compile(text, syntax, scope, report);
  const isGood = diagnostics.errorCount === 0;
  return { expression: isGood ? expression : undefined, diagnostics: diagnostics.list() };
}

function parse(text: string, report: Reporter): ExprSyntax | undefined {
  try {
    return parseExpression(text, LANGUAGE.grammar, report);
  } catch (error) {
    if (!(error instanceof SqlSyntaxError)) throw error;
    report.error(error.code, error.span, error.message, error.fix);
    return undefined;
  }
}

function compile(
  text: string,
  syntax: ExprSyntax,
  scope: ExpressionScope,
  report: Reporter,
): CompiledExpression {
  const names = new ScopeNames(scope, report);
  if (hasSubquery(syntax)) {
    const database = databaseText(text, syntax, names, report);
    const { reads, qualifiers } = names;
    return { reads, qualifiers, database, constant: undefined, evaluate: refuse, isTrue: refuse };
  }
  const calls = new ScopeCalls();
  const context: BindContext = {
    ...LANGUAGE,
    report,
    sql: text,
    resolveName: (name) => names.resolve(name),
    isRowColumn: (expression) => expression.kind === 'column' && expression.source >= 0,
    resolveCall: (call) => calls.bind(call, context),
    specialFunctions: SCOPE_FUNCTIONS,
  };
  const bound = bindExpression(syntax, context);
  return linked(bound, names);
}

function refuse(): never {
  throw new AppError('INTERNAL_BUG', 'An expression with a subquery needs a database');
}

function linked(bound: Expression, names: ScopeNames): CompiledExpression {
  const readers: ((values: ExpressionValues) => SqliteValue)[] = [];
  const slots = new Map<string, number>();
  visitReferences(bound, (source, column) => {
    const key = `${source} ${column}`;
    if (!slots.has(key)) slots.set(key, readers.push(readerOf(source, column, names)) - 1);
  });
  const value = linkExpression(bound, LANGUAGE.dialect, {
    slotOf: (source, column) => slots.get(`${source} ${column}`),
  });
  const evaluate = (values: ExpressionValues): SqliteValue => {
    try {
      return value(readers.map((read) => read(values)));
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      throw new ExpressionFailure(error.message, { cause: error });
    }
  };
  const isTrue = (values: ExpressionValues): boolean => {
    try {
      return LANGUAGE.dialect.isTrue(evaluate(values));
    } catch (error) {
      if (error instanceof ExpressionFailure) return false;
      throw error;
    }
  };
  const { reads, qualifiers } = names;
  const constant = readers.length > 0 ? undefined : constantValue(value);
  return { reads, qualifiers, constant, database: undefined, evaluate, isTrue };
}

function constantValue(value: (slots: readonly SqliteValue[]) => SqliteValue) {
  try {
    return value([]);
  } catch (error) {
    if (error instanceof EvaluationFailure) return undefined;
    throw error;
  }
}

function readerOf(
  source: number,
  column: string,
  names: ScopeNames,
): (values: ExpressionValues) => SqliteValue {
  if (source === REQUEST_SOURCE) {
    return ({ claims }) => LANGUAGE.dialect.requestText(claims);
  }
  if (source === WORLD_SOURCE) return must(WORLD[column.split(' ')[0] ?? ''], column);
  const row = names.rowOf(source);
  return (values) => values.row(row)?.get(column) ?? null;
}

const WORLD: Readonly<Record<string, (values: ExpressionValues) => SqliteValue>> = {
  metadata: ({ metadata }) => metadata,
  client_id: ({ clientId }) => clientId,
  now: ({ now }) => now.toISOString(),
  uuid: ({ uuid }) => uuid(),
};
