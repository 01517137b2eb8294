import type { CompileContext } from '../compile-context.ts';
import { BUCKET_SOURCE, sourcesOf, type Expression } from '../expr/expression.ts';
import type { OutputColumn, RowQuery } from '../plan/queries.ts';
import { warnUnquotedCapitals } from '../sql/parse-sql-text.ts';
import type { ColumnSyntax } from '../sql/syntax.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import {
  ELEMENT,
  openLegacyQuery,
  ROW,
  type LegacyQuery,
  type LegacySource,
} from './bind-scope.ts';
import { didYouMean } from '../suggest.ts';
import { alternativesOf, andFilters, readsOnly, type Alternative, type Match } from './match.ts';

/**
 * Compiles a data query to one row query per alternative. `parameters` is undefined when the
 * parameter queries have errors. Source: spec/sync-config.md 8.3.
 */
export function compileDataQuery(
  text: SqlText,
  definition: string,
  parameters: readonly string[] | undefined,
  context: CompileContext,
): readonly RowQuery[] {
  const errorsBefore = context.diagnostics.errorCount;
  const query = openLegacyQuery(text, 'data', context);
  if (query === undefined) return [];
  const { source } = query;
  if (source?.kind !== 'table') {
    const message = 'A data query must read one table';
    query.report.error('NO_OUTPUT_TABLE', query.select, message, 'Add FROM and the table');
    return [];
  }
  const columns = query.select.columns.flatMap((column) => bindColumn(column, query, context));
  checkId(columns, query, source);
  const alternatives = dataAlternatives(query);
  // A condition that is not understood may be the one that is said to be missing.
  const isSound = context.diagnostics.errorCount === errorsBefore;
  if (parameters !== undefined && isSound) checkCoverage(alternatives, parameters, query);
  return alternatives.map((alternative) => ({
    definition,
    bucket: definition,
    objectType: source.table.clientName,
    columns,
    pattern: source.table.pattern,
    source: ROW,
    ...selectionOf(alternative, parameters ?? []),
  }));
}

function bindColumn(
  column: ColumnSyntax,
  query: LegacyQuery,
  context: CompileContext,
): readonly OutputColumn[] {
  if (column.kind === 'star') {
    if (column.table !== undefined && !query.source?.names.includes(column.table.name)) {
      const message = `There is no table ${column.table.name} in this query`;
      query.report.error('UNKNOWN_TABLE', column.table, message);
    }
    return [{ kind: 'star', legacy: true }];
  }
  const value = query.bind(column.expr);
  const { alias, expr } = column;
  if (alias !== undefined) warnUnquotedCapitals(alias, query.report, context.edition);
  const name = alias?.name ?? (expr.kind === 'name' ? expr.parts.at(-1)?.name : undefined);
  if (sourcesOf(value).has(BUCKET_SOURCE)) refuseBucketParameter(value, query);
  if (name !== undefined) return [{ kind: 'value', name, value }];
  if (expr.kind === 'broken') return [];
  const { end } = column;
  const fix = { text: 'Add AS name', edit: { start: end, end, text: ' AS name' } };
  query.report.error('ALIAS_REQUIRED', column, 'An expression needs a name', fix);
  return [];
}

function checkId(
  columns: readonly OutputColumn[],
  query: LegacyQuery,
  source: Extract<LegacySource, { kind: 'table' }>,
): void {
  if (columns.some((column) => column.kind === 'value' && column.name === 'id')) return;
  const [first] = query.select.columns;
  if (!query.isComplete) return;
  if (!columns.some((column) => column.kind === 'star')) {
    const fix = 'Add the id column, or AS id to the column that identifies the row';
    query.report.error('ID_REQUIRED', first ?? query.select, 'The query has no column id', fix);
    return;
  }
  const lacking = source.table.liveTables?.find(
    (table) => !table.columns.some(({ name }) => name === 'id'),
  );
  if (lacking === undefined) return;
  const message = `The table ${lacking.name} has no column id, so its rows would have no id`;
  query.report.warn('ID_MISSING', first ?? query.select, message, 'Add <column> AS id');
}

function dataAlternatives(query: LegacyQuery): readonly Alternative[] {
  const conditions = query.select.conditions.map((condition) => query.bind(condition));
  const [condition] = conditions;
  if (condition === undefined) return [{ filter: undefined, matches: new Map() }];
  return alternativesOf(condition, {
    report: query.report,
    isRow: (expression) => readsOnly(expression, ROW),
    isParameter: isBucketParameter,
    matchOf: (term) => dataMatch(term, query),
  });
}

function isBucketParameter(expression: Expression): boolean {
  return expression.kind === 'column' && expression.source === BUCKET_SOURCE;
}

function dataMatch(term: Expression, query: LegacyQuery): Match | 'refused' | undefined {
  if (term.kind !== 'call' || term.table !== 'operator') return refuseBucketParameter(term, query);
  const [left, right] = term.args;
  if (left === undefined || right === undefined) {
    return term.name === 'not' ? undefined : refuseBucketParameter(term, query);
  }
  const isRow = (side: Expression) => readsOnly(side, ROW);
  if (term.name === '=') {
    if (isBucketParameter(left) && isRow(right)) return scalarMatch(left, right);
    if (isBucketParameter(right) && isRow(left)) return scalarMatch(right, left);
  }
  if (term.name === 'in json') {
    if (isBucketParameter(left) && isRow(right)) {
      return { parameter: left, row: right, rowIsArray: true, parameterIsArray: false };
    }
    if (isBucketParameter(right)) {
      const message = 'A bucket parameter cannot stand on the right of IN';
      const fix = 'Write = and let the parameter query give one bucket per value';
      query.report.error('BUCKET_PARAM_IN_RHS', right, message, fix);
      return 'refused';
    }
  }
  return refuseBucketParameter(term, query);
}

function scalarMatch(parameter: Expression, row: Expression): Match {
  return { parameter, row, rowIsArray: false, parameterIsArray: false };
}

function refuseBucketParameter(term: Expression, query: LegacyQuery): 'refused' {
  const message =
    'A bucket parameter can only be compared as row_value = bucket.x or bucket.x IN row_array';
  const fix = 'Compute the value in the parameter query, or the condition from the row alone';
  query.report.error('BUCKET_PARAM_IN_EXPR', term, message, fix);
  return 'refused';
}

/** Every parameter must be matched, and nothing that is not one (8.3 rule 3). */
function checkCoverage(
  alternatives: readonly Alternative[],
  parameters: readonly string[],
  query: LegacyQuery,
): void {
  const [alternative] = alternatives;
  if (alternative === undefined) return;
  const matched = [...alternative.matches.values()].map(({ parameter }) => parameter);
  for (const parameter of matched) {
    const name = parameterName(parameter);
    if (parameters.includes(name)) continue;
    const message = `The bucket definition has no parameter ${name}`;
    const near = didYouMean(parameter, name, parameters, (known) => `bucket.${known}`);
    const fix = parameters.length > 0 ? `Known: ${parameters.join(', ')}` : 'Add a parameter query';
    query.report.error('PARAMS_NOT_COVERED', parameter, message, near ?? fix);
    // What is probably a misspelt parameter is not missing as well.
    if (near !== undefined) return;
  }
  const missing = parameters.filter(
    (name) => !matched.some((parameter) => parameterName(parameter) === name),
  );
  if (missing.length === 0) return;
  const list = missing.map((name) => `bucket.${name}`).join(' and ');
  const message = `The query does not use ${list}`;
  const fix = `Add WHERE column = bucket.${missing[0] ?? ''}`;
  query.report.error('PARAMS_NOT_COVERED', query.select, message, fix);
}

function parameterName(parameter: Expression): string {
  return parameter.kind === 'column' ? parameter.column : '';
}

/** The row side of an alternative, with keys in the order of `parameters`. */
function selectionOf(
  { filter, matches }: Alternative,
  parameters: readonly string[],
): Pick<RowQuery, 'filter' | 'keys' | 'expansions'> {
  const byName = new Map([...matches.values()].map((m) => [parameterName(m.parameter), m]));
  const ordered = parameters.flatMap((name) => byName.get(name) ?? []);
  return { ...rowSide(ordered), filter: andFilters(filter, undefined) };
}

/** The values that rows are filed under. */
export function rowSide(matches: readonly Match[]): Pick<RowQuery, 'keys' | 'expansions'> {
  const array = matches.find((match) => match.rowIsArray);
  return {
    expansions: array ? [{ source: ELEMENT, input: array.row, mode: 'array' }] : [],
    keys: matches.map(({ row, rowIsArray }) => {
      if (!rowIsArray) return row;
      return { kind: 'column', source: ELEMENT, column: 'value', start: row.start, end: row.end };
    }),
  };
}
