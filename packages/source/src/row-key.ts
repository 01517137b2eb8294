import type { SqliteValue } from '@sluice/model';

/**
 * Text that identifies a row by the values of its key columns: the plain value for a single text
 * or integer column, a JSON array otherwise. Equal keys give equal text, different keys different
 * text, as long as the columns keep their types.
 */
export function rowKey(values: readonly unknown[], keyColumns: readonly number[]): string {
  if (keyColumns.length === 1) {
    const only = values[keyColumns[0] ?? 0];
    if (typeof only === 'string') return only;
    if (typeof only === 'bigint') return only.toString();
  }
  let text = '[';
  for (const column of keyColumns) {
    if (text.length > 1) text += ',';
    text += keyPart(values[column] as SqliteValue);
  }
  return `${text}]`;
}

/** A key over all columns, for tables without a key. */
export function wholeRowKey(values: readonly SqliteValue[]): string {
  return rowKey(
    values,
    values.map((_, index) => index),
  );
}

function keyPart(value: SqliteValue): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return `{"real":${JSON.stringify(String(value))}}`;
  return `{"blob":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"}`;
}
