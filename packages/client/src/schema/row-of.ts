import type { IntegerMode } from '../driver/integer-mode.ts';
import type { PlainRow } from '../watch/row-set.ts';
import type { AnyTable, Columns, Row, Table } from './table.ts';

const mappers = new WeakMap<AnyTable, Map<IntegerMode, (row: PlainRow) => unknown>>();

/**
 * What makes of a row that SQLite gives one that the app works with: booleans, dates, JSON. For queries that select columns
 * of that table by their names; others stay as they are. `integers` is the schema's `integerMode`. Gives the same function for the same
 * table and mode.
 *
 * @throws what a column's `decode` throws, when it is called with a row
 */
export function rowOf<C extends Columns, Mode extends IntegerMode = 'auto'>(
  table: Table<C>,
  integers?: Mode,
): (row: PlainRow) => Row<Table<C>, Mode> {
  const mode = integers ?? 'auto';
  const known = mappers.get(table) ?? new Map<IntegerMode, (row: PlainRow) => unknown>();
  const mapper = known.get(mode) ?? newMapper(table, mode);
  mappers.set(table, known.set(mode, mapper));
  return mapper as (row: PlainRow) => Row<Table<C>, Mode>;
}

function newMapper(table: AnyTable, mode: IntegerMode): (row: PlainRow) => unknown {
  const columns = new Map(Object.entries(table.columns));
  return (row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        columns.get(name)?.decode(value, mode) ?? value,
      ]),
    );
}
