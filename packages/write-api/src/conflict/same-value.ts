import type { SqliteValue } from '@sluice/model';
import { addDecimals, parseDecimal } from './decimal.ts';

/**
 * Whether two values of a column are the same for its type, although one came through a client: a
 * number and its text are (the client may have declared another type), and so are reals that the last
 * binary digit tells apart, which some clients lose on the way through JSON (spec/client.md 2.5).
 */
export function isSameValue(a: SqliteValue, b: SqliteValue): boolean {
  if (a === null || b === null) return a === b;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return isSameBytes(a, b);
  if (a === b) return true;
  if (typeof a === 'string' && typeof b === 'string') return false;
  const left = parseDecimal(a);
  const right = parseDecimal(b);
  if (left === undefined || right === undefined) return false;
  const isReal = typeof a === 'number' || typeof b === 'number';
  return isReal ? isNear(Number(a), Number(b)) : addDecimals(left, right, -1n).digits === 0n;
}

function isNear(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= Math.max(Math.abs(a), Math.abs(b)) * Number.EPSILON;
}

function isSameBytes(a: SqliteValue, b: SqliteValue): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return false;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
