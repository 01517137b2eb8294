import type { CompileContext } from '../compile-context.ts';
import { BUCKET_SOURCE, type Expression } from '../expr/expression.ts';
import type { RowQuery } from '../plan/queries.ts';
import type { SqlText } from '../yaml/sql-text.ts';
import { checkId } from '../tables/check-id.ts';
import { ELEMENT, openLegacyQuery, ROW, type LegacyQuery } from './bind-scope.ts';
import { bindDataColumn, refuseBucketParameter } from './data-column.ts';
import { alternativesOf, andFilters, readsOnly, type Alternative, type Match } from './match.ts';

/**
 * Compiles a data query to one row query per alternative. `parameters` is undefined when the
 * parameter queries have errors. Source: spec/sync-config.md 8.3.
 */
export function compileDataQuery(
  text: SqlText,
  { definition, number }: { readonly definition: string; readonly number: number },
  parameters: readonly string[] | undefined,
  context: CompileContext,
): readonly RowQuery[] {
  const query = openLegacyQuery(text, 'data', context);
  if (query === undefined) return [];
  const { source } = query;
  if (source?.kind !== 'table') {
    query.report.error('NO_OUTPUT_TABLE', query.select, 'A data query must read one table');
    return [];
  }
  const columns = query.select.columns.flatMap((column) => bindDataColumn(column, query, context));
  const at = query.select.columns[0] ?? query.select;
  checkId(columns, { table: source.table, edition: context.edition, report: query.report, at });
  const alternatives = dataAlternatives(query);
  if (parameters !== undefined) checkCoverage(alternatives, parameters, query);
  return alternatives.map((alternative) => ({
    definition,
    query: number,
    bucket: definition,
    objectType: source.table.clientName,
    columns,
    pattern: source.table.pattern,
    source: ROW,
    ...selectionOf(alternative, parameters ?? []),
  }));
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
      query.report.error('BUCKET_PARAM_IN_RHS', right, message, 'Use = with one value per bucket');
      return 'refused';
    }
  }
  return refuseBucketParameter(term, query);
}

function scalarMatch(parameter: Expression, row: Expression): Match {
  return { parameter, row, rowIsArray: false, parameterIsArray: false };
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
    const fix = parameters.length > 0 ? `Known: ${parameters.join(', ')}` : 'Add a parameter query';
    query.report.error('PARAMS_NOT_COVERED', parameter, message, fix);
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
