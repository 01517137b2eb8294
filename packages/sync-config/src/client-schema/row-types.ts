import type { TableSchema } from '@sluice/model';
import type { ColumnTypes } from '../expr/infer-types.ts';
import { ANY_JSON, INTEGER, TEXT, typesOfColumn, UNKNOWN } from '../expr/value-types.ts';
import type { RowSelection } from '../plan/queries.ts';

/** The types of what a query reads: a row of `table`, if that is known, and elements of its JSON. */
export function rowTypes(
  selection: Pick<RowSelection, 'source'>,
  table: TableSchema | undefined,
): ColumnTypes {
  const columns = new Map(table?.columns.map((column) => [column.name, typesOfColumn(column)]));
  return (source, column) => {
    if (source === selection.source) return columns.get(column) ?? UNKNOWN;
    return column === 'key' ? TEXT | INTEGER : ANY_JSON;
  };
}
