import type { CompileContext } from '../compile-context.ts';
import type { Reporter, Span } from '../diagnostics.ts';
import { REQUEST_SOURCE, sourcesOf, type Expression } from '../expr/expression.ts';
import { isAnySubscription } from '../expr/request-functions.ts';
import type { OutputColumn, RowQuery } from '../plan/queries.ts';
import { parseSqlText, warnUnquotedCapitals, type ParsedSqlText } from '../sql/parse-sql-text.ts';
import { quoteName } from '../sql/quote-name.ts';
import type { ColumnSyntax } from '../sql/syntax.ts';
import { checkId } from '../tables/check-id.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import { checkAlphaQuery } from './alpha-rules.ts';
import { addAlias, columnName, QueryBinder } from './bind-query.ts';
import { refuseElementsIn } from './refuse-elements-in.ts';
import type { BoundSelect, CteFinder } from './bound-select.ts';
import type { RegisterLookup } from './compile-component.ts';
import { compileConjunction, type CompiledConjunction } from './compile-conjunction.ts';
import { readsEach, splitConjunction } from './conjunction-parts.ts';
import { requestSide, trustedValues, type TrustedValue } from './dangerous.ts';
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
  /** What the client may set freely and nothing restricts. */
  readonly trusted: readonly TrustedValue[];
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
  const errorsBefore = context.diagnostics.errorCount;
  const parsed = parseSqlText(text, context.diagnostics, context);
  if (parsed === undefined) return undefined;
  if (context.edition < 3) checkAlphaQuery(parsed.select, parsed.report);
  const binder = new QueryBinder(parsed, context, ctes);
  const bound = binder.bindSelect(parsed.select, undefined);
  const output = bindOutput(parsed, bound, binder.sources, errorsBefore, context);
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
  // What is not understood may be what restricts the rest.
  const isSound = context.diagnostics.errorCount === errorsBefore;
  const trusted = isSound ? allParts.flatMap((parts) => trustedValues(parts, binder.sources)) : [];
  const readsSubscription = allParts.some((parts) =>
    isAnySubscription(requestSide(parts, binder.sources)),
  );
  return { variants, trusted, readsSubscription, report: parsed.report, span: parsed.select };
}

function renumberColumn(column: OutputColumn, numbers: ReadonlyMap<number, number>): OutputColumn {
  return column.kind === 'star' ? column : { ...column, value: renumber(column.value, numbers) };
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
  errorsBefore: number,
  context: CompileContext,
): QueryOutput | undefined {
  const { report, select } = parsed;
  const columns = select.columns.flatMap((column) =>
    column.kind === 'star'
      ? bindStar(column, bound.scope, report, context)
      : bindColumn(column, parsed, bound, sources, context),
  );
  const tables = [...new Set(columns.flatMap(({ table }) => table ?? []))];
  const [synced] = tables;
  if (synced === undefined) {
    // A column that could not be resolved may be the one that names the table.
    if (context.diagnostics.errorCount > errorsBefore || bound.scope.isUncertain) return undefined;
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
    const { start, end, name } = source.alias;
    const edit = { start, end, text: `"${name}"` };
    const fix = { text: `Write "${name}" in quotes if that is meant`, edit };
    report.warn('ALIAS_RENAMES_OUTPUT', source.alias, message, fix);
  }
  warnStars(columns, report);
  const [first] = columns;
  if (parsed.isComplete) {
    checkId(
      columns.map(({ column }) => column),
      { table: source.table, edition: context.edition, report, at: first?.syntax ?? select },
    );
  }
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
    if (column.table !== undefined) scope.reportUnknownTable(column.table, column.table);
    return [];
  }
  if (entry.kind === 'each') {
    const message = 'The columns of json_each cannot be synced';
    report.error('REQUEST_IN_OUTPUT', column, message, 'Select columns of the synced table');
    return [];
  }
  if (entry.kind === 'derived') {
    const message = '* over a subquery is not supported';
    const names = [...entry.columns.keys()].map(quoteName).join(', ');
    const fix = { text: `Write ${names}`, edit: { ...spanOf(column), text: names } };
    report.error('STAR_IN_SUBQUERY', column, message, entry.isBroken ? undefined : fix);
    return [];
  }
  const star: OutputColumn = { kind: 'star', legacy: context.edition < 3 };
  return [{ syntax: column, column: star, table: entry.source }];
}

function spanOf({ start, end }: Span): Span {
  return { start, end };
}

function onlyEntry(column: ColumnSyntax, scope: Scope, report: Reporter): ScopeEntry | undefined {
  const [only, second] = scope.entries();
  if (scope.isAnyBroken) return undefined;
  if (only !== undefined && second === undefined) return only;
  const message =
    only === undefined ? 'There is no FROM that * could mean' : '* could mean any of the tables';
  const [name] = scope.names();
  const text = `${quoteName(name ?? 'table')}.*`;
  const edit = only === undefined ? undefined : { ...spanOf(column), text };
  report.error('AMBIGUOUS_COLUMN', column, message, { text: `Write ${text}`, edit });
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
  const { diagnostics } = context;
  if (column.alias !== undefined) warnUnquotedCapitals(column.alias, report, context.edition);
  const errorsBefore = diagnostics.errorCount;
  if (context.edition >= 3) refuseElementsIn(column.expr, report);
  const value = bound.bind(column.expr);
  const named = columnName(column);
  const name = named ?? sql.slice(column.expr.start, column.expr.end);
  const isKnown = column.expr.kind !== 'broken' && diagnostics.errorCount === errorsBefore;
  if (named === undefined && isKnown) {
    const message = `The column is named ${name}`;
    report.warn('ALIAS_RECOMMENDED', column, message, addAlias(column, 'name'));
  }
  if (isFromRequest(value, sources)) {
    const message = 'Values of the request and columns of json_each cannot be synced';
    report.error('REQUEST_IN_OUTPUT', column.expr, message, 'Select columns of the synced table');
    return [];
  }
  const tables = [...sourcesOf(value)];
  if (tables.length > 1) {
    const message = 'An output column must come from one table';
    const fix = 'Sync both tables, and combine them in a query on the device';
    report.error('MULTIPLE_OUTPUT_TABLES', column.expr, message, fix);
    return [];
  }
  return [{ syntax: column, column: { kind: 'value', name, value }, table: tables[0] }];
}

function isFromRequest(value: Expression, sources: SourceList): boolean {
  return sourcesOf(value).has(REQUEST_SOURCE) || readsEach(value, sources);
}
