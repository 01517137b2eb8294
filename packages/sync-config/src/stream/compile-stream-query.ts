import type { CompileContext } from '../compile-context.ts';
import type { Reporter, Span } from '../diagnostics.ts';
import { REQUEST_SOURCE, sourcesOf, type Expression } from '../expr/expression.ts';
import {
  isAnyAuthenticated,
  isAnySubscription,
  isAnyUnauthenticated,
} from '../expr/request-functions.ts';
import type { OutputColumn, RowQuery } from '../plan/queries.ts';
import { parseSqlText, warnUnquotedCapitals, type ParsedSqlText } from '../sql/parse-sql-text.ts';
import type { ColumnSyntax } from '../sql/syntax.ts';
import { checkId } from '../tables/check-id.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import { checkAlphaQuery } from './alpha-rules.ts';
import { columnName, QueryBinder } from './bind-query.ts';
import { refuseElementsIn } from './refuse-elements-in.ts';
import type { BoundSelect, CteFinder } from './bound-select.ts';
import type { RegisterLookup } from './compile-component.ts';
import { compileConjunction, type CompiledConjunction } from './compile-conjunction.ts';
import { readsEach, splitConjunction, type ConjunctionParts } from './conjunction-parts.ts';
import { MAX_CONJUNCTIONS, toConjunctions } from './formula.ts';
import { mergeVariants } from './merge-variants.ts';
import { renumber } from './renumber.ts';
import type { Scope, ScopeEntry } from './scope.ts';
import type { SourceList } from './source.ts';

/** One conjunction of a query: rows, and how a request finds their buckets. */
interface StreamVariant {
  readonly rows: Omit<RowQuery, 'definition' | 'query' | 'bucket'>;
  readonly resolution: CompiledConjunction['resolution'];
}

export interface CompiledStreamQuery {
  readonly variants: readonly StreamVariant[];
  readonly isDangerous: boolean;
  readonly readsSubscription: boolean;
  readonly report: Reporter;
  readonly span: Span;
}

/** Compiles a query of a stream. Source: spec/sync-config.md 10. */
export function compileStreamQuery(
  text: SqlText,
  ctes: CteFinder,
  register: RegisterLookup,
  context: CompileContext,
): CompiledStreamQuery | undefined {
  const parsed = parseSqlText(text, context.diagnostics, context);
  if (parsed === undefined) return undefined;
  if (context.edition < 3) checkAlphaQuery(parsed.select, parsed.report);
  const binder = new QueryBinder(parsed, context, ctes);
  const bound = binder.bindSelect(parsed.select, undefined);
  const output = bindOutput(parsed, bound, binder.sources, context);
  const conjunctions = toConjunctions(bound.condition, binder.sources);
  if (conjunctions === undefined) {
    const message = `The condition expands to more than ${MAX_CONJUNCTIONS} alternatives`;
    parsed.report.error('TOO_MANY_TERMS', parsed.select, message, 'Write several queries');
    return undefined;
  }
  const allParts = conjunctions.map((conjunction) =>
    splitConjunction(conjunction, bound.sources, binder.sources, parsed.report),
  );
  if (output === undefined) return undefined;
  const conjunctionContext = {
    synced: output.synced,
    sources: binder.sources,
    register,
    keepsNullParameters: context.edition < 3,
  };
  const compiled = allParts.map((parts) => compileConjunction(parts, conjunctionContext));
  const variants = mergeVariants(compiled).map(({ selection, numbers, resolution }) => {
    const columns = output.columns.map((column) => renumberColumn(column, numbers));
    return { rows: { ...selection, objectType: output.objectType, columns }, resolution };
  });
  const isDangerous = allParts.some((parts) => isDangerousConjunction(parts, binder.sources));
  const readsSubscription = allParts.some((parts) =>
    isAnySubscription(requestSide(parts, binder.sources).all),
  );
  return { variants, isDangerous, readsSubscription, report: parsed.report, span: parsed.select };
}

function renumberColumn(column: OutputColumn, numbers: ReadonlyMap<number, number>): OutputColumn {
  return column.kind === 'star' ? column : { ...column, value: renumber(column.value, numbers) };
}

/** What decides at request time: all of it, and the part that chooses buckets by value. */
function requestSide(
  parts: ConjunctionParts,
  sources: SourceList,
): { choosing: readonly Expression[]; all: readonly Expression[] } {
  const linked = parts.links.flatMap(({ left, right }) => [left.expression, right.expression]);
  const inputs = (parts.eaches.get(REQUEST_SOURCE) ?? []).flatMap((id) => {
    const source = sources.get(id);
    return source?.kind === 'each' ? [source.input] : [];
  });
  const choosing = [...linked, ...inputs];
  return { choosing, all: [...choosing, ...parts.requestFilters, ...parts.elementFilters] };
}

/** Unauthenticated data takes part, and no claim restricts the result (10.9). */
function isDangerousConjunction(parts: ConjunctionParts, sources: SourceList): boolean {
  const { choosing, all } = requestSide(parts, sources);
  return isAnyUnauthenticated(all) && !isAnyAuthenticated(choosing);
}

interface QueryOutput {
  /** The one table whose rows are synced. */
  readonly synced: number;
  readonly objectType: string | undefined;
  readonly columns: readonly OutputColumn[];
}

interface BoundColumn {
  readonly syntax: ColumnSyntax;
  readonly column: OutputColumn;
  /** The table that the column comes from; undefined for constants. */
  readonly table: number | undefined;
}

function bindOutput(
  parsed: ParsedSqlText,
  bound: BoundSelect,
  sources: SourceList,
  context: CompileContext,
): QueryOutput | undefined {
  const { report, select } = parsed;
  const errorsBefore = context.diagnostics.errorCount;
  const columns = select.columns.flatMap((column) =>
    column.kind === 'star'
      ? bindStar(column, bound.scope, report, context)
      : bindColumn(column, parsed, bound, sources, context),
  );
  const tables = [...new Set(columns.flatMap(({ table }) => table ?? []))];
  const [synced] = tables;
  if (synced === undefined) {
    // A column that could not be resolved may be the one that names the table.
    if (context.diagnostics.errorCount > errorsBefore) return undefined;
    const message = 'No output column comes from a table, so there are no rows to sync';
    report.error('NO_OUTPUT_TABLE', select, message, 'Select columns of the table to sync');
    return undefined;
  }
  const foreign = columns.find(({ table }) => table !== undefined && table !== synced);
  if (foreign !== undefined) {
    const message = 'All output columns must come from one table';
    report.error('MULTIPLE_OUTPUT_TABLES', foreign.syntax, message, 'Write one query per table');
    return undefined;
  }
  const source = sources.get(synced);
  if (source?.kind !== 'table') return undefined;
  if (source.alias !== undefined && !source.alias.quoted && bound.sources.length > 1) {
    const message = `The client table is named ${source.alias.name}, after the alias`;
    const fix = `Write "${source.alias.name}" in quotes if that is meant`;
    report.warn('ALIAS_RENAMES_OUTPUT', source.alias, message, fix);
  }
  warnStars(columns, report);
  const [first] = columns;
  checkId(
    columns.map(({ column }) => column),
    { table: source.table, edition: context.edition, report, at: first?.syntax ?? select },
  );
  return { synced, objectType: source.table.clientName, columns: columns.map((c) => c.column) };
}

function warnStars(columns: readonly BoundColumn[], report: Reporter): void {
  columns.forEach(({ syntax, column }, i) => {
    const before = columns.slice(0, i).find(({ column: { kind } }) => kind === 'value');
    if (column.kind === 'star' && before !== undefined && !column.legacy) {
      const message = '* comes after named columns and overwrites those of the same name';
      report.warn('STAR_OVERWRITES', syntax, message, 'Put * first');
    }
  });
}

function bindStar(
  column: Extract<ColumnSyntax, { kind: 'star' }>,
  scope: Scope,
  report: Reporter,
  context: CompileContext,
): BoundColumn[] {
  const entry = column.table ? scope.find(column.table.name) : onlyEntry(column, scope, report);
  if (entry === undefined) {
    if (column.table !== undefined) {
      const message = `There is no table ${column.table.name} in this query`;
      report.error('UNKNOWN_TABLE', column.table, message);
    }
    return [];
  }
  if (entry.kind === 'each') {
    report.error('REQUEST_IN_OUTPUT', column, 'The columns of json_each cannot be synced');
    return [];
  }
  if (entry.kind === 'derived') {
    report.error(
      'STAR_IN_SUBQUERY',
      column,
      '* over a subquery is not supported',
      'Name the columns',
    );
    return [];
  }
  const star: OutputColumn = { kind: 'star', legacy: context.edition < 3 };
  return [{ syntax: column, column: star, table: entry.source }];
}

function onlyEntry(column: ColumnSyntax, scope: Scope, report: Reporter): ScopeEntry | undefined {
  const [only, second] = scope.entries();
  if (only !== undefined && second === undefined) return only;
  const message =
    only === undefined ? 'There is no FROM that * could mean' : '* could mean any of the tables';
  report.error('AMBIGUOUS_COLUMN', column, message, 'Write table.*');
  return undefined;
}

function bindColumn(
  column: Extract<ColumnSyntax, { kind: 'expr' }>,
  parsed: ParsedSqlText,
  bound: BoundSelect,
  sources: SourceList,
  context: CompileContext,
): BoundColumn[] {
  const { report, sql } = parsed;
  if (column.alias !== undefined) warnUnquotedCapitals(column.alias, report, context.edition);
  if (context.edition >= 3) refuseElementsIn(column.expr, report);
  const value = bound.bind(column.expr);
  const named = columnName(column);
  const name = named ?? sql.slice(column.expr.start, column.expr.end);
  if (named === undefined) {
    const message = `The column is named ${name}`;
    report.warn('ALIAS_RECOMMENDED', column, message, 'Add AS name');
  }
  if (isFromRequest(value, sources)) {
    const message = 'Values of the request and columns of json_each cannot be synced';
    report.error('REQUEST_IN_OUTPUT', column.expr, message, 'Select columns of the synced table');
    return [];
  }
  const tables = [...sourcesOf(value)];
  if (tables.length > 1) {
    const message = 'An output column must come from one table';
    report.error('MULTIPLE_OUTPUT_TABLES', column.expr, message);
    return [];
  }
  return [{ syntax: column, column: { kind: 'value', name, value }, table: tables[0] }];
}

function isFromRequest(value: Expression, sources: SourceList): boolean {
  return sourcesOf(value).has(REQUEST_SOURCE) || readsEach(value, sources);
}
