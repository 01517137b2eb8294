import type { PlainRow } from '../watch/row-set.ts';
import type { AnyTable, Columns, Row, Table } from './table.ts';

const mappers = new WeakMap<AnyTable, (row: PlainRow) => unknown>();

/**
 * What makes of a row that SQLite gives one that the app works with: booleans, dates, JSON. For queries that select columns
 * of that table by their names; others stay as they are. Gives the same function for the same table.
 *
 * @throws what a column's `decode` throws, when it is called with a row
 */
export function rowOf<C extends Columns>(table: Table<C>): (row: PlainRow) => Row<Table<C>> {
  const known = mappers.get(table);
  const mapper = known ?? newMapper(table);
  mappers.set(table, mapper);
  return mapper as (row: PlainRow) => Row<Table<C>>;
}

function newMapper(table: AnyTable): (row: PlainRow) => unknown {
  const columns = new Map(Object.entries(table.columns));
  return (row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, columns.get(name)?.decode(value) ?? value]),
    );
}
