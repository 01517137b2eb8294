import type { SqliteValue } from '@sluice/model';
import { EvaluationFailure } from '../failure.ts';
import type { Present } from '../present.ts';
import { MAX_INTEGER, MIN_INTEGER, readInteger, readReal } from './number-text.ts';
import { sqliteRealText } from './real-text.ts';

/** How SQLite turns values of one storage class into another. NULL is the caller's affair. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text form: of a BLOB its bytes read as UTF-8.
 *
 * @throws EvaluationFailure for bytes that are not UTF-8. SQLite keeps such text as it is; we cannot.
 */
export function toText(value: Present): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'number' ? sqliteRealText(value) : decodeText(value);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new EvaluationFailure('A BLOB that is not UTF-8 cannot be used as text');
  }
}

/** The bytes: of everything but a BLOB those of its text in UTF-8. */
export function toBytes(value: Present): Uint8Array {
  return typeof value === 'object' ? value : encoder.encode(toText(value));
}

/** `CAST(value AS INTEGER)`, and what bit operators and counts see: the fraction is dropped. */
export function toInteger(value: Present): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return truncate(value);
  return readInteger(numberText(value)).value;
}

/** `CAST(value AS REAL)`. */
export function toReal(value: Present): number {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : readReal(numberText(value)).value;
}

/** `CAST(value AS NUMERIC)`: INTEGER where a text says one, or nearly so; numbers stay. */
export function toNumeric(value: Present): bigint | number {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  const text = numberText(value);
  const real = readReal(text);
  if (!real.isReal) {
    const integer = readInteger(text);
    if (integer.fits) return integer.value;
  }
  return isSmallInteger(real.value) ? truncate(real.value) : real.value;
}

/** An operand of arithmetic. */
export function toNumber(value: Present): bigint | number {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  const text = numberText(value);
  const real = readReal(text);
  if (real.isReal) return real.value;
  const integer = readInteger(text);
  // A text that only a NUL ends is a number to one reader and not to the other.
  const isInteger = integer.fits && (integer.isWhole || !real.isWhole);
  return isInteger ? integer.value : real.value;
}

/** Whether a value counts as true in AND, OR, NOT, CASE and WHERE; NULL does not. */
export function isTrue(value: SqliteValue): boolean {
  if (typeof value === 'bigint') return value !== 0n;
  return value !== null && toReal(value) !== 0;
}

/** Numeric affinity: a text that is a number from end to end becomes one; all else stays. */
export function withNumericAffinity(value: Present): Present {
  if (typeof value !== 'string') return value;
  const real = readReal(value);
  if (!real.isWhole) return value;
  if (real.isReal) return real.value;
  if (isSmallInteger(real.value)) return truncate(real.value);
  const integer = readInteger(value);
  return integer.isWhole && integer.fits ? integer.value : real.value;
}

/** Text affinity: a number becomes its text; a BLOB stays. */
export function withTextAffinity(value: Present): Present {
  return typeof value === 'object' ? value : toText(value);
}

/** A REAL without its fraction, brought into 64 bits. */
function truncate(value: number): bigint {
  // The bounds are SQLite's: the neighbours of 2^63.
  if (value > 9223372036854774784) return MAX_INTEGER;
  if (value < -9223372036854774784) return MIN_INTEGER;
  return Number.isNaN(value) ? 0n : BigInt(Math.trunc(value));
}

function isSmallInteger(value: number): boolean {
  return Number.isInteger(value) && value >= -(2 ** 51) && value < 2 ** 51;
}

/** What the readers of numbers see: of a BLOB its bytes, one by one. */
function numberText(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
}
