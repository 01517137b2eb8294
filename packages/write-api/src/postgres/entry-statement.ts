import type { RowWrite } from '../pipeline/row-write.ts';
import { cellExpression, rowCells, type Cell, type WritableTable } from './row-cells.ts';
import { quoteName } from './sql-name.ts';
import type { Statement } from './statement-run.ts';

/**
 * What is known of the stored row. One that was read is locked, and one that was not there must not
 * be met: whoever decided about an insert has not decided about an update.
 */
export type Presence = 'unknown' | 'present' | 'absent';

/**
 * The statements that apply a write, in order; when one changes a row, those after it are not
 * needed. None for an update of no columns.
 *
 * PUT is an upsert of the columns given, PATCH an update that ignores a missing row (deletes win),
 * DELETE of a missing row succeeds.
 *
 * @throws Rejection when the write does not fit the table.
 */
export function entryStatements(
  write: RowWrite,
  table: WritableTable,
  presence: Presence = 'unknown',
): readonly Statement[] {
  const cells = rowCells(write, table);
  const values = cells.map((cell) => cell.text);
  const target = tableName(table);
  const id = quoteName(table.idColumn.name);
  const where = `${id} = ${cellExpression(cells[0], 1)}`;
  if (write.op === 'DELETE') return [{ text: `DELETE FROM ${target} WHERE ${where}`, values }];

  const others = cells.slice(1);
  const update = {
    text: `UPDATE ${target} SET ${assignments(others, 2)} WHERE ${where}`,
    values,
  };
  if (write.op === 'PATCH') return others.length === 0 ? [] : [update];

  const touch = { text: `UPDATE ${target} SET ${id} = ${id} WHERE ${where}`, values };
  const overwrite = others.length > 0 ? update : touch;
  const insert = `${insertInto(table, cells)} VALUES (${cells.map((cell, at) => cellExpression(cell, at + 1)).join(', ')})`;
  if (presence === 'present') return others.length > 0 ? [update] : [];
  if (presence === 'absent') return [{ text: insert, values }];
  const conflict = onConflict(table, cells);
  if (conflict !== undefined) return [{ text: `${insert} ${conflict}`, values }];
  return [overwrite, { text: insert, values }];
}

export function tableName({ schema, name }: Pick<WritableTable, 'schema' | 'name'>): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

export function insertInto(table: WritableTable, cells: readonly Cell[]): string {
  const columns = cells.map((cell) => quoteName(cell.column.name)).join(', ');
  return `INSERT INTO ${tableName(table)} (${columns}) OVERRIDING SYSTEM VALUE`;
}

/** What makes an insert an upsert; undefined where no unique key tells which row is the same. */
export function onConflict(table: WritableTable, cells: readonly Cell[]): string | undefined {
  const key = conflictKey(table, cells);
  if (key === undefined) return undefined;
  const rest = cells.slice(1).filter((cell) => !key.includes(cell.column.name));
  const set = rest
    .map((cell) => quoteName(cell.column.name))
    .map((name) => `${name} = excluded.${name}`);
  const action = rest.length === 0 ? 'NOTHING' : `UPDATE SET ${set.join(', ')}`;
  return `ON CONFLICT (${key.map(quoteName).join(', ')}) DO ${action}`;
}

/** The id if it is unique, else a key that the entry gives whole. */
function conflictKey(table: WritableTable, cells: readonly Cell[]): readonly string[] | undefined {
  const id = table.idColumn.name;
  const given = new Set(cells.map((cell) => cell.column.name));
  return (
    table.uniqueKeys.find((key) => key.length === 1 && key[0] === id) ??
    table.uniqueKeys.find((key) => key.includes(id) && key.every((name) => given.has(name)))
  );
}

function assignments(cells: readonly Cell[], firstPlace: number): string {
  return cells
    .map((cell, at) => `${quoteName(cell.column.name)} = ${cellExpression(cell, firstPlace + at)}`)
    .join(', ');
}
