import type { SqlValue } from '../../driver/contract.ts';
import type { CompiledColumn } from '../../schema/compiled-schema.ts';

/** A downloaded row, ready for its table. */
export interface RowValues {
  /** In the order of the columns. */
  readonly values: readonly SqlValue[];
  /** Whether there is something that the schema has no column for. */
  readonly hasRest: boolean;
}

const NUMBER_OR_TEXT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_NUMBER = /\d{16}/;

/**
 * Reads the JSON text of a row. Numbers that a double cannot hold, or that go into a TEXT column, are given as their
 * digits: SQLite turns those into the exact number where the column wants one.
 */
export function readRow(data: string, columns: readonly CompiledColumn[]): RowValues {
  const row = JSON.parse(data) as Readonly<Record<string, unknown>>;
  const asWritten = needsDigits(data, row, columns) ? withDigits(data) : row;
  let known = 0;
  const values = columns.map(({ name, type }): SqlValue => {
    if (!Object.hasOwn(row, name)) return null;
    known += 1;
    return sqlValue(type === 'BLOB' ? row[name] : asWritten[name]);
  });
  const names = Object.keys(row);
  return { values, hasRest: names.length > known + (Object.hasOwn(row, 'id') ? 1 : 0) };
}

function needsDigits(
  data: string,
  row: Readonly<Record<string, unknown>>,
  columns: readonly CompiledColumn[],
): boolean {
  if (LONG_NUMBER.test(data)) return true;
  return columns.some(({ name, type }) => type === 'TEXT' && typeof row[name] === 'number');
}

function withDigits(data: string): Readonly<Record<string, unknown>> {
  const text = data.replace(NUMBER_OR_TEXT, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

/** JSON within JSON is text. */
function sqlValue(value: unknown): SqlValue {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === null || value === undefined ? null : JSON.stringify(value);
}
