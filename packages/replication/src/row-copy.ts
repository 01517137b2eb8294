import { deserialize, serialize } from 'node:v8';
import type { SqliteValue } from '@sluice/model';
import { UNCHANGED, type ChangedValue, type SourceTable } from '@sluice/source';

/**
 * PostgreSQL leaves unchanged out-of-line values out of an update. It only moves values out of line
 * when the stored row exceeds about 2,000 bytes, so smaller rows need no copy. The size in text form
 * is no exact measure of that, hence the margin; a copy missing all the same is read again by key.
 */
const COPY_FROM_BYTES = 1000;

/** The values to keep with a row in case a later update leaves some out, or undefined if none. */
export function rowCopy(table: SourceTable, row: readonly SqliteValue[]): Uint8Array | undefined {
  if (!table.mayOmitValues) return undefined;
  let bytes = 0;
  for (const value of row) {
    if (typeof value === 'string') bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
  }
  if (bytes < COPY_FROM_BYTES) return undefined;
  const values = new Map<string, SqliteValue>();
  for (const [index, column] of table.columns.entries()) {
    const value = row[index] ?? null;
    if (typeof value === 'string' || value instanceof Uint8Array) values.set(column.name, value);
  }
  return serialize(values);
}

/** Puts kept values where the update left them out; undefined when the copy lacks one. */
export function restoreOmitted(
  table: SourceTable,
  row: readonly ChangedValue[],
  copy: Uint8Array,
): SqliteValue[] | undefined {
  const values = deserialize(copy) as Map<string, SqliteValue>;
  const restored: SqliteValue[] = [];
  for (const [index, value] of row.entries()) {
    if (value !== UNCHANGED) {
      restored.push(value);
      continue;
    }
    const kept = values.get(table.columns[index]?.name ?? '');
    if (kept === undefined) return undefined;
    restored.push(kept);
  }
  return restored;
}

export function hasOmitted(row: readonly ChangedValue[]): boolean {
  return row.includes(UNCHANGED);
}
