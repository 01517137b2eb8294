import { isJsonObject, type JsonObject, type JsonValue } from '@sluice/base';
import { parseOrder } from './parse-url-query.ts';
import { boundedInteger, queryProblem, shown } from './query-problem.ts';
import {
  AGGREGATE_FUNCTIONS,
  COMPARISONS,
  LIMITS,
  type Aggregate,
  type AggregateQuery,
  type Condition,
  type RowQuery,
} from './row-query.ts';

export type ParsedQuery =
  | { readonly kind: 'rows'; readonly query: RowQuery }
  | { readonly kind: 'aggregate'; readonly query: AggregateQuery };

const ROW_KEYS = ['from', 'select', 'where', 'order', 'limit', 'offset', 'after', 'count'];
const AGGREGATE_KEYS = ['from', 'where', 'aggregate', 'group_by', 'limit'];

/**
 * The JSON form, for what an URL is too short for:
 *
 *     { "from": "todos", "where": { "done": false, "priority": { "gte": 3 }, "$or": [ … ] },
 *       "order": ["created_at.desc"], "limit": 20 }
 *     { "from": "todos", "aggregate": [{ "count": "*" }, { "sum": "hours" }], "group_by": ["list_id"] }
 *
 * @throws AppError `DATA_QUERY_INVALID`
 */
export function parseJsonQuery(body: JsonValue): ParsedQuery {
  if (!isJsonObject(body)) throw queryProblem('The query is not a JSON object');
  const table = body['from'];
  if (typeof table !== 'string') throw queryProblem('from is not the name of a table');
  const where = parseWhere(body['where'] ?? {}, 0);
  if (body['aggregate'] === undefined) {
    return { kind: 'rows', query: rowQuery(table, where, body) };
  }
  refuseOtherKeys(body, AGGREGATE_KEYS);
  const query = {
    table,
    where,
    groupBy: texts('group_by', body['group_by']) ?? [],
    aggregates: aggregates(body['aggregate']),
    limit: boundedInteger('limit', body['limit'] ?? LIMITS.maxRows, 0, LIMITS.maxRows),
  };
  return { kind: 'aggregate', query };
}

/**
 * `{ column: value, column: { gte: 1, lt: 5 }, $or: [...], $and: [...], $not: {...} }`: all must be true.
 */
function parseWhere(where: JsonValue, depth: number): Condition {
  if (!isJsonObject(where)) throw queryProblem(`A condition is ${shown(where)}, not an object`);
  if (depth > LIMITS.maxDepth)
    throw queryProblem(`Conditions are nested deeper than ${LIMITS.maxDepth}`);
  const parts = Object.entries(where).map(([name, value]): Condition => {
    if (name === '$not') return { kind: 'not', part: parseWhere(value, depth + 1) };
    if (name !== '$or' && name !== '$and') return columnCondition(name, value);
    if (!Array.isArray(value)) throw queryProblem(`${name} is not a list of conditions`);
    const nested = (value as readonly JsonValue[]).map((part) => parseWhere(part, depth + 1));
    return { kind: name === '$or' ? 'or' : 'and', parts: nested };
  });
  return { kind: 'and', parts };
}

function rowQuery(table: string, where: Condition, body: JsonObject): RowQuery {
  refuseOtherKeys(body, ROW_KEYS);
  const { after, count } = body;
  if (after !== undefined && after !== null && typeof after !== 'string') {
    throw queryProblem('after is not a text');
  }
  if (count !== undefined && count !== 'exact') throw queryProblem('count is not "exact"');
  return {
    table,
    select: texts('select', body['select']),
    where,
    order: parseOrder(texts('order', body['order']) ?? []),
    limit: boundedInteger('limit', body['limit'] ?? LIMITS.defaultRows, 0, LIMITS.maxRows),
    offset: boundedInteger('offset', body['offset'] ?? 0, 0, LIMITS.maxOffset),
    after: after ?? undefined,
    count: count === 'exact',
  };
}

function columnCondition(column: string, value: JsonValue): Condition {
  if (value === null) return { kind: 'is_null', column };
  if (!isJsonObject(value)) return { kind: 'compare', column, op: 'eq', value: valueText(value) };
  const parts = Object.entries(value).map(([op, operand]) => comparison(column, op, operand));
  if (parts.length === 0) throw queryProblem(`${column} has no operator`);
  return { kind: 'and', parts };
}

function comparison(column: string, op: string, value: JsonValue): Condition {
  if (op === 'not') return { kind: 'not', part: columnCondition(column, value) };
  if (op === 'in') {
    if (!Array.isArray(value)) throw queryProblem(`in of ${column} is not a list`);
    const values = (value as readonly JsonValue[]).map((item) => {
      if (item === null) throw queryProblem(`in of ${column} has a null, which equals nothing`);
      return valueText(item);
    });
    return { kind: 'in', column, values };
  }
  const known = COMPARISONS.find((name) => name === op);
  if (known === undefined) {
    throw queryProblem(
      `${column} has the unknown operator ${shown(op)}; known: ${COMPARISONS.join(', ')}, in, not`,
    );
  }
  if (value !== null) return { kind: 'compare', column, op: known, value: valueText(value) };
  if (known === 'eq') return { kind: 'is_null', column };
  if (known === 'ne') return { kind: 'not', part: { kind: 'is_null', column } };
  throw queryProblem(`${known} of ${column} compares with null, which is never true`);
}

function valueText(value: JsonValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function aggregates(value: JsonValue): readonly Aggregate[] {
  if (!Array.isArray(value)) throw queryProblem('aggregate is not a list');
  return (value as readonly JsonValue[]).map((item): Aggregate => {
    const [[name, column] = []] = isJsonObject(item) ? Object.entries(item) : [];
    const known = AGGREGATE_FUNCTIONS.find((candidate) => candidate === name);
    if (known === undefined || typeof column !== 'string') {
      throw queryProblem(
        `aggregate has ${shown(item)}; write e.g. {"sum": "hours"} or {"count": "*"}`,
      );
    }
    return { function: known, column: known === 'count' && column === '*' ? undefined : column };
  });
}

function texts(name: string, value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw queryProblem(`${name} is not a list of texts`);
}

function refuseOtherKeys(body: JsonObject, known: readonly string[]): void {
  const other = Object.keys(body).find((key) => !known.includes(key));
  if (other !== undefined) throw queryProblem(`The query has the unknown key ${shown(other)}`);
}
