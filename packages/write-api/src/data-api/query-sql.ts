import { unreachable } from '@sluice/base';
import { columnExpression, columnText, UnusableValue } from '../postgres/column-value.ts';
import { queryProblem, shown } from './query-problem.ts';
import { decodeCursor, type CursorValues } from './cursor.ts';
import type { DataColumn, DataTable } from './data-table.ts';
import {
  LIMITS,
  type AggregateQuery,
  type Comparison,
  type Condition,
  type Ordering,
  type RowQuery,
} from './row-query.ts';

/** One statement; names in it come from the catalog, everything else is a parameter. */
export interface DataStatement {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

/** Which rows the caller may see, as SQL that adds its parameters to `values`; undefined: all of them. */
export type ReadFilter = ((values: (string | null)[]) => string) | undefined;

/** Of an aggregate, groups included; PostgreSQL builds objects from at most 100 arguments. */
const MAX_RESULTS = 50;

const OPERATORS: Readonly<Record<Exclude<Comparison, 'like' | 'ilike'>, string>> = {
  eq: '=',
  ne: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
  contains: '@>',
};

/**
 * One row with `rows` (a list in JSON, as text), `total` (the count, if asked for) and `cursor`: the
 * values by which the last row is ordered.
 */
export function rowStatement(query: RowQuery, table: DataTable, filter: ReadFilter): DataStatement {
  const sql = new SqlBuilder(table);
  const columns = sql.columns('select', query.select ?? [...table.columns.keys()]);
  const order = fullOrder(query.order, table, sql);
  const conditions = [sql.filter(filter), sql.condition(query.where)];
  const from = `FROM ${quoteName(table.schema)}.${quoteName(table.name)}`;
  const where = `WHERE ${conditions.join(' AND ')}`;
  const cursor = query.after === undefined ? undefined : decodeCursor(query.after, order);
  const behind = cursor === undefined ? '' : ` AND ${sql.behind(order, cursor)}`;
  const cells = columns.map((column, at) => `${columnOf(table, column)} AS "c${at}"`);
  const keys = order.map(({ column }, at) => `${columnOf(table, column)}::text AS "k${at}"`);
  const named = columns.map((column, at) => `"c${at}" AS ${quoteName(column)}`).join(', ');
  const keyList = order.map((_, at) => `"k${at}"`).join(', ');
  const total = query.count ? `(SELECT count(*) ${from} ${where})` : 'NULL';
  const text = `WITH page AS MATERIALIZED (
      SELECT ${[...cells, ...keys].join(', ')}, row_number() OVER (${orderBy(order, table)}) AS "n"
      ${from} ${where}${behind} ${orderBy(order, table)} LIMIT ${query.limit} OFFSET ${query.offset})
    SELECT coalesce((SELECT json_agg(r.*) FROM (SELECT ${named} FROM page ORDER BY page."n") AS r), '[]'::json)::text AS rows,
      (${total})::text AS total,
      (SELECT json_build_array(${keyList})::text FROM page ORDER BY page."n" DESC LIMIT 1) AS cursor,
      (SELECT count(*)::int FROM page) AS row_count`;
  return { text, values: sql.values };
}

/** One row with `rows`: a list in JSON, as text. */
export function aggregateStatement(
  query: AggregateQuery,
  table: DataTable,
  filter: ReadFilter,
): DataStatement {
  const sql = new SqlBuilder(table);
  if (query.aggregates.length === 0 && query.groupBy.length === 0) {
    throw queryProblem('Nothing is asked for: name count, sum, avg, min, max or group_by');
  }
  const groups = sql.columns('group_by', query.groupBy);
  const parts = [
    ...groups.map((column) => ({ name: column, text: quoteName(column) })),
    ...query.aggregates.map(({ function: name, column }) =>
      column === undefined
        ? { name, text: 'count(*)' }
        : {
            name: `${name}_${column}`,
            text: `${name}(${quoteName(sql.column(name, column).name)})`,
          },
    ),
  ];
  const names = new Set(parts.map(({ name }) => name));
  if (names.size < parts.length) throw queryProblem('Two results of the aggregate have one name');
  if (parts.length > MAX_RESULTS) throw queryProblem(`More than ${MAX_RESULTS} results`);
  const cells = parts.map(({ text }, at) => `${text} AS "c${at}"`).join(', ');
  const object = parts.map(({ name }, at) => `${sql.bind(name)}::text, "c${at}"`).join(', ');
  const conditions = `${sql.filter(filter)} AND ${sql.condition(query.where)}`;
  const grouping = groups.map((column) => columnOf(table, column)).join(', ');
  const text = `SELECT coalesce(json_agg(json_build_object(${object})), '[]'::json)::text AS rows FROM (
    SELECT ${cells} FROM ${quoteName(table.schema)}.${quoteName(table.name)} WHERE ${conditions}
    ${grouping === '' ? '' : `GROUP BY ${grouping} ORDER BY ${grouping}`} LIMIT ${query.limit}) AS groups`;
  return { text, values: sql.values };
}

/** The ids, as texts, of rows that fit; at most `limit`, in their order. */
export function idStatement(
  where: Condition,
  table: DataTable,
  filter: ReadFilter,
  limit: number,
): DataStatement {
  const sql = new SqlBuilder(table);
  const id = quoteName(idColumn(table).name);
  const conditions = `${sql.filter(filter)} AND ${sql.condition(where)}`;
  const text = `SELECT ${id}::text AS id FROM ${quoteName(table.schema)}.${quoteName(table.name)}
    WHERE ${conditions} ORDER BY ${id} LIMIT ${limit}`;
  return { text, values: sql.values };
}

/** The order asked for, and behind it the id, so that no two rows are equal in it. */
export function fullOrder(
  order: readonly Ordering[],
  table: DataTable,
  sql = new SqlBuilder(table),
): readonly Ordering[] {
  sql.columns(
    'order',
    order.map(({ column }) => column),
  );
  const id = idColumn(table).name;
  if (order.some(({ column }) => column === id)) return order;
  return [...order, { column: id, descending: order.at(-1)?.descending ?? false }];
}

export function idColumn(table: DataTable): DataColumn {
  if (table.idColumn !== undefined) return table.idColumn;
  throw queryProblem(`The table ${table.name} has no column id and no key of one column`);
}

/** With the table's name: a name alone may also be that of a column of the result. */
function columnOf({ name }: DataTable, column: string): string {
  return `${quoteName(name)}.${quoteName(column)}`;
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function orderBy(order: readonly Ordering[], table: DataTable): string {
  const parts = order.map(
    ({ column, descending }) => `${columnOf(table, column)} ${descending ? 'DESC' : 'ASC'}`,
  );
  return `ORDER BY ${parts.join(', ')}`;
}

/** Puts conditions together, checking names against the catalog and counting parameters. */
class SqlBuilder {
  readonly values: (string | null)[] = [];
  readonly #table: DataTable;
  #comparisons = 0;

  constructor(table: DataTable) {
    this.#table = table;
  }

  bind(value: string | null): string {
    return `$${this.values.push(value)}`;
  }

  /** @throws AppError for a column that is not there. */
  column(place: string, name: string): DataColumn {
    const column = this.#table.columns.get(name);
    if (column !== undefined) return column;
    const known = [...this.#table.columns.keys()].slice(0, 50).join(', ');
    throw queryProblem(
      `${place} names the column ${shown(name)}, which ${this.#table.name} does not have; known: ${known}`,
    );
  }

  columns(place: string, names: readonly string[]): readonly string[] {
    for (const name of names) this.column(place, name);
    return [...new Set(names)];
  }

  filter(filter: ReadFilter): string {
    return filter === undefined ? 'true' : `(${filter(this.values)}\n)`;
  }

  condition(condition: Condition): string {
    switch (condition.kind) {
      case 'and':
      case 'or': {
        if (condition.parts.length === 0) return condition.kind === 'and' ? 'true' : 'false';
        const word = condition.kind === 'and' ? ' AND ' : ' OR ';
        return `(${condition.parts.map((part) => this.condition(part)).join(word)})`;
      }
      case 'not':
        return `(NOT ${this.condition(condition.part)})`;
      case 'is_null':
        return `(${quoteName(this.#counted(condition.column).name)} IS NULL)`;
      case 'in':
        return this.#list(this.#counted(condition.column), condition.values);
      case 'compare':
        return this.#compare(this.#counted(condition.column), condition.op, condition.value);
      default:
        return unreachable(condition);
    }
  }

  /** Rows that come after the one with these values. NULLs are last, and first when descending. */
  behind(order: readonly Ordering[], cursor: CursorValues): string {
    const alternatives = order.map((ordering, at) => {
      const same = order.slice(0, at).map(({ column }, i) => this.#same(column, cursor[i] ?? null));
      return `(${[...same, this.#after(ordering, cursor[at] ?? null)].join(' AND ')})`;
    });
    return `(${alternatives.join(' OR ')})`;
  }

  #same(name: string, value: string | null): string {
    if (value === null) return `${quoteName(name)} IS NULL`;
    return `${quoteName(name)} = ${this.#cast(this.column('after', name), value)}`;
  }

  #after({ column: name, descending }: Ordering, value: string | null): string {
    const column = quoteName(name);
    if (value === null) return descending ? `${column} IS NOT NULL` : 'false';
    const bound = this.#cast(this.column('after', name), value);
    if (descending) return `${column} < ${bound}`;
    const isNeverNull = name === this.#table.idColumn?.name;
    return isNeverNull ? `${column} > ${bound}` : `(${column} > ${bound} OR ${column} IS NULL)`;
  }

  #compare(column: DataColumn, op: Comparison, value: string): string {
    const name = quoteName(column.name);
    if (op === 'like' || op === 'ilike') {
      return `(${name}::text ${op.toUpperCase()} ${this.bind(value)}::text)`;
    }
    return `(${name} ${OPERATORS[op]} ${this.#operand(column, value)})`;
  }

  #list(column: DataColumn, values: readonly string[]): string {
    if (values.length > LIMITS.maxListValues) {
      throw queryProblem(`The list of ${column.name} has more than ${LIMITS.maxListValues} values`);
    }
    if (values.length === 0) return 'false';
    const operands = values.map((value) => this.#operand(column, value));
    return `(${quoteName(column.name)} IN (${operands.join(', ')}))`;
  }

  /** A value as it is written for the column: arrays and ranges in JSON, too. */
  #operand(column: DataColumn, value: string): string {
    try {
      return columnExpression(column, value, this.bind(columnText(column, value)));
    } catch (cause) {
      if (!(cause instanceof UnusableValue)) throw cause;
      throw queryProblem(`The value for ${column.name}: ${cause.message}`, cause);
    }
  }

  /** A value as PostgreSQL itself wrote it. */
  #cast(column: DataColumn, value: string): string {
    return `${this.bind(value)}::${column.castType}`;
  }

  #counted(name: string): DataColumn {
    this.#comparisons += 1;
    if (this.#comparisons > LIMITS.maxComparisons) {
      throw queryProblem(`There are more than ${LIMITS.maxComparisons} comparisons`);
    }
    return this.column('A condition', name);
  }
}
