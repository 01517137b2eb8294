import type { SqliteValue } from '@sluice/model';
import type { RowWrite } from '../pipeline/row-write.ts';
import { Rejection } from '../rejection.ts';
import { columnExpression, columnText, UnusableValue } from './column-value.ts';
import type { TargetColumn, TargetTable } from './target-table.ts';

/** A column with the value that a write gives it. */
export interface Cell {
  readonly column: TargetColumn;
  readonly value: SqliteValue;
  readonly text: string | null;
}

/** A table that has an id column. */
export interface WritableTable extends TargetTable {
  readonly idColumn: TargetColumn;
}

/** @throws Rejection for a table that cannot be written row by row. */
export function writableTable(name: string, table: TargetTable | undefined): WritableTable {
  if (table === undefined) {
    const message = `There is no table ${JSON.stringify(name)} that uploads may change`;
    throw new Rejection('UPLOAD_TABLE_UNKNOWN', message);
  }
  const { idColumn } = table;
  if (idColumn === undefined) {
    throw new Rejection('UPLOAD_TABLE_UNKNOWN', `Table ${name} has no id column`);
  }
  return { ...table, idColumn };
}

/**
 * The id first, then the other columns that the write gives.
 *
 * @throws Rejection when a column is not there, or a value cannot be meant for it.
 */
export function rowCells(write: RowWrite, table: WritableTable): readonly [Cell, ...Cell[]] {
  const { idColumn } = table;
  const cells: [Cell, ...Cell[]] = [readCell(idColumn, write.id)];
  if (write.op === 'DELETE') return cells;
  for (const [name, value] of write.values) {
    if (name === idColumn.name || name === 'id') continue;
    const column = table.columns.get(name);
    if (column === undefined) {
      const message = `Table ${write.table} has no column ${JSON.stringify(name)} that can be written`;
      throw new Rejection('UPLOAD_COLUMN_UNKNOWN', message);
    }
    cells.push(readCell(column, value));
  }
  return cells;
}

/** @throws Rejection when the value cannot be meant for the column. */
export function readCell(column: TargetColumn, value: SqliteValue): Cell {
  try {
    return { column, value, text: columnText(column, value) };
  } catch (cause) {
    if (!(cause instanceof UnusableValue)) throw cause;
    const message = `Column ${column.name} of type ${column.castType}: ${cause.message}`;
    throw new Rejection('UPLOAD_VALUE_INVALID', message, { cause });
  }
}

/** SQL for a cell's value, which is the parameter `$place`. */
export function cellExpression({ column, value }: Cell, place: number): string {
  return columnExpression(column, value, `$${place}`);
}
