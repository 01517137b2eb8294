import { boundedInteger, queryProblem, shown } from './query-problem.ts';
import {
  AGGREGATE_FUNCTIONS,
  COMPARISONS,
  LIMITS,
  type Aggregate,
  type AggregateQuery,
  type Condition,
  type Ordering,
  type RowQuery,
} from './row-query.ts';

const ROW_NAMES = new Set(['select', 'order', 'limit', 'offset', 'after', 'count']);
const WRITE_NAMES = new Set(['atomic', 'on_conflict', 'return']);
const AGGREGATE_NAMES = new Set<string>([...AGGREGATE_FUNCTIONS, 'group_by', 'limit']);

/**
 * `?done=eq.false&order=created_at.desc&limit=20&select=id,title`: every name that is not one of the
 * words is a column, with an operator before its value. Several conditions must all be true.
 *
 * @throws AppError `DATA_QUERY_INVALID`
 */
export function parseRowQuery(table: string, params: URLSearchParams): RowQuery {
  const count = single(params, 'count');
  if (count !== undefined && count !== 'exact') {
    throw queryProblem(`count is ${shown(count)}; the only count is exact`);
  }
  return {
    table,
    select: list(single(params, 'select')),
    where: whereOf(params, ROW_NAMES),
    order: parseOrder(list(single(params, 'order')) ?? []),
    limit: boundedInteger(
      'limit',
      single(params, 'limit') ?? LIMITS.defaultRows,
      0,
      LIMITS.maxRows,
    ),
    offset: boundedInteger('offset', single(params, 'offset') ?? 0, 0, LIMITS.maxOffset),
    after: single(params, 'after'),
    count: count === 'exact',
  };
}

/** The condition of an update or deletion by filter. */
export function parseWriteCondition(params: URLSearchParams): Condition {
  return whereOf(params, WRITE_NAMES);
}

/** `?count&sum=amount&avg=amount,weight&group_by=list_id&done=eq.false` */
export function parseAggregateQuery(table: string, params: URLSearchParams): AggregateQuery {
  const aggregates = AGGREGATE_FUNCTIONS.flatMap((name) =>
    params.getAll(name).flatMap((text): Aggregate[] => {
      const columns = list(text) ?? [];
      if (columns.length > 0) return columns.map((column) => ({ function: name, column }));
      if (name === 'count') return [{ function: 'count', column: undefined }];
      throw queryProblem(`${name} names no column`);
    }),
  );
  return {
    table,
    where: whereOf(params, AGGREGATE_NAMES),
    groupBy: list(single(params, 'group_by')) ?? [],
    aggregates,
    limit: boundedInteger('limit', single(params, 'limit') ?? LIMITS.maxRows, 0, LIMITS.maxRows),
  };
}

/** `created_at.desc` */
export function parseOrder(texts: readonly string[]): readonly Ordering[] {
  if (texts.length > LIMITS.maxOrderings) {
    throw queryProblem(`order names more than ${LIMITS.maxOrderings} columns`);
  }
  return texts.map((text) => {
    const [, column = text, direction] = /^(.*)\.(asc|desc)$/s.exec(text) ?? [];
    return { column, descending: direction === 'desc' };
  });
}

/** `eq.5`, `not.in.a,b`, `is.null`. */
function parseColumnCondition(column: string, text: string): Condition {
  if (text.startsWith('not.')) {
    return { kind: 'not', part: parseColumnCondition(column, text.slice(4)) };
  }
  const dot = text.indexOf('.');
  const [op, value] = dot < 0 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)];
  if (op === 'is' && value === 'null') return { kind: 'is_null', column };
  if (op === 'in') return { kind: 'in', column, values: listValues(column, value) };
  const comparison = dot < 0 ? undefined : COMPARISONS.find((known) => known === op);
  if (comparison !== undefined) return { kind: 'compare', column, op: comparison, value };
  throw queryProblem(
    `${column}=${shown(text)} has no operator: write e.g. ${column}=eq.5; there are ${COMPARISONS.join(', ')}, in, is.null and not.`,
  );
}

function whereOf(params: URLSearchParams, words: ReadonlySet<string>): Condition {
  const parts = [...params].flatMap(([name, text]) =>
    words.has(name) ? [] : [parseColumnCondition(name, text)],
  );
  return { kind: 'and', parts };
}

/** `a,b`, or where values have commas, a list in JSON. */
function listValues(column: string, text: string): readonly string[] {
  if (!text.startsWith('[')) return text === '' ? [] : text.split(',');
  try {
    const values: unknown = JSON.parse(text);
    if (Array.isArray(values)) return values.map(String);
  } catch (cause) {
    throw queryProblem(`The list of ${column} is not JSON`, cause);
  }
  throw queryProblem(`The list of ${column} is not a list`);
}

function list(text: string | undefined): readonly string[] | undefined {
  return text === undefined || text === '' ? undefined : text.split(',');
}

function single(params: URLSearchParams, name: string): string | undefined {
  const values = params.getAll(name);
  if (values.length > 1) throw queryProblem(`${name} is given more than once`);
  return values[0];
}
