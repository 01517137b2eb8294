import type { SqliteConnection, SqlValue } from '../driver/contract.ts';

/**
 * Gives a connection the function that the capture triggers call. Whoever writes to synced tables
 * without it is refused by SQLite (no such function), rather than not captured.
 */
export function defineSqlFunctions(connection: SqliteConnection): void {
  connection.defineFunction('sluice_json', { deterministic: true, arguments: 1 }, jsonText);
}

/**
 * JSON of what SQLite does not print as it should: a REAL in the fewest digits that read back as the same number
 * (SQLite prints 17), whole ones as `3.0`, and infinite ones as null; a BLOB as base64 text.
 * A driver cannot tell a whole REAL from an INTEGER, so a number counts as REAL.
 */
function jsonText(value: SqlValue): string {
  if (typeof value === 'number') return realJson(value);
  if (value instanceof Uint8Array) return JSON.stringify(base64(value));
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}

function realJson(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const CHUNK_BYTES = 8192;

function base64(bytes: Uint8Array): string {
  const chunks: string[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    chunks.push(String.fromCharCode(...bytes.subarray(start, start + CHUNK_BYTES)));
  }
  return btoa(chunks.join(''));
}
