/**
 * A REAL as JSON: shortest digits that read back the same, `.0` when integral, `1e+21` when large.
 * Source: spec/sync-config.md 13.2.
 */
export function formatReal(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  const text = String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

const NUMBER_PREFIX = /^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/;
const INTEGER_PREFIX = /^\s*([+-]?\d+)/;

/** The number that a text begins with: INTEGER without fraction and exponent, 0 when none. */
export function leadingNumber(text: string): bigint | number {
  const digits = NUMBER_PREFIX.exec(text)?.[1];
  if (digits === undefined) return 0n;
  return /[.eE]/.test(digits) ? Number(digits) : int64OrReal(parseInteger(digits));
}

/** The integer that a text begins with, 0 when none. */
export function leadingInteger(text: string): bigint {
  const digits = INTEGER_PREFIX.exec(text)?.[1];
  return digits === undefined ? 0n : parseInteger(digits);
}

function parseInteger(digits: string): bigint {
  return BigInt(digits.startsWith('+') ? digits.slice(1) : digits);
}

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** The nearest integer of 64 bits. */
export function clampInt64(value: bigint): bigint {
  if (value > MAX_INT64) return MAX_INT64;
  return value < MIN_INT64 ? MIN_INT64 : value;
}

/** An integer result, as REAL where it leaves 64 bits. */
export function int64OrReal(value: bigint): bigint | number {
  return value > MAX_INT64 || value < MIN_INT64 ? Number(value) : value;
}
