import type { BoundValue } from './column-value.ts';
import { bindValue, UnusableValue } from './column-value.ts';
import { Rejection } from './rejection.ts';
import type { TargetColumn, TargetTable } from './target-table.ts';
import type { UploadEntry } from './upload-request.ts';

export interface Statement {
  readonly text: string;
  readonly values: (string | null)[];
}

/**
 * The statements that apply an entry, in order; when one changes a row, those after it are not
 * needed. None for an update of no columns.
 *
 * PUT is an upsert of the columns given, PATCH an update that ignores a missing row (deletes win),
 * DELETE of a missing row succeeds.
 *
 * @throws Rejection when the entry does not fit the table.
 */
export function entryStatements(entry: UploadEntry, table: TargetTable): readonly Statement[] {
  const idColumn = table.idColumn;
  if (idColumn === undefined) {
    throw new Rejection('UPLOAD_TABLE_UNKNOWN', `Table ${entry.table} has no id column`);
  }
  const cells = boundCells(entry, table, idColumn);
  const [id, ...others] = cells;
  const where = `${quote(idColumn.name)} = ${id?.bound.expression ?? ''}`;
  const target = `${quote(table.schema)}.${quote(table.name)}`;
  if (entry.op === 'DELETE') {
    return [
      { text: `DELETE FROM ${target} WHERE ${where}`, values: parameters(cells.slice(0, 1)) },
    ];
  }
  const update: Statement = {
    text: `UPDATE ${target} SET ${assignments(others)} WHERE ${where}`,
    values: parameters(cells),
  };
  if (entry.op === 'PATCH') return others.length === 0 ? [] : [update];

  const insert = `INSERT INTO ${target} (${cells.map((cell) => quote(cell.column)).join(', ')}) OVERRIDING SYSTEM VALUE VALUES (${cells.map((cell) => cell.bound.expression).join(', ')})`;
  const conflict = conflictKey(table, idColumn, cells);
  if (conflict !== undefined) {
    const rest = others.filter((cell) => !conflict.includes(cell.column));
    const action = rest.length === 0 ? 'NOTHING' : `UPDATE SET ${assignments(rest, 'excluded')}`;
    const text = `${insert} ON CONFLICT (${conflict.map(quote).join(', ')}) DO ${action}`;
    return [{ text, values: parameters(cells) }];
  }
  const plainInsert: Statement = { text: insert, values: parameters(cells) };
  if (others.length > 0) return [update, plainInsert];
  const touch = `UPDATE ${target} SET ${quote(idColumn.name)} = ${quote(idColumn.name)} WHERE ${where}`;
  return [{ text: touch, values: parameters(cells) }, plainInsert];
}

interface Cell {
  readonly column: string;
  readonly bound: BoundValue;
}

/** The id first, then the other columns. */
function boundCells(entry: UploadEntry, table: TargetTable, idColumn: TargetColumn): Cell[] {
  const cells: Cell[] = [{ column: idColumn.name, bound: boundOrRejected(idColumn, entry.id, 1) }];
  if (entry.op === 'DELETE') return cells;
  for (const [name, value] of Object.entries(entry.data)) {
    if (name === idColumn.name || name === 'id') continue;
    const column = table.columns.get(name);
    if (column === undefined) {
      throw new Rejection(
        'UPLOAD_COLUMN_UNKNOWN',
        `Table ${entry.table} has no column ${JSON.stringify(name)} that can be written`,
      );
    }
    cells.push({ column: name, bound: boundOrRejected(column, value, cells.length + 1) });
  }
  return cells;
}

type CellValue = Parameters<typeof bindValue>[1];

function boundOrRejected(column: TargetColumn, value: CellValue, place: number): BoundValue {
  try {
    return bindValue(column, value, place);
  } catch (cause) {
    if (!(cause instanceof UnusableValue)) throw cause;
    const message = `Column ${column.name} of type ${column.castType}: ${cause.message}`;
    throw new Rejection('UPLOAD_VALUE_INVALID', message, { cause });
  }
}

/** What makes a row the same row: the id if it is unique, else a key that the entry gives whole. */
function conflictKey(
  table: TargetTable,
  idColumn: TargetColumn,
  cells: readonly Cell[],
): readonly string[] | undefined {
  const given = new Set(cells.map((cell) => cell.column));
  return (
    table.uniqueKeys.find((key) => key.length === 1 && key[0] === idColumn.name) ??
    table.uniqueKeys.find(
      (key) => key.includes(idColumn.name) && key.every((name) => given.has(name)),
    )
  );
}

function assignments(cells: readonly Cell[], from?: 'excluded'): string {
  return cells
    .map(({ column, bound }) => {
      const value = from === undefined ? bound.expression : `${from}.${quote(column)}`;
      return `${quote(column)} = ${value}`;
    })
    .join(', ');
}

function parameters(cells: readonly Cell[]): (string | null)[] {
  return cells.map((cell) => cell.bound.parameter);
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
