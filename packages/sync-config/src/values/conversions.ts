import type { SqliteValue } from '@sluice/model';
import { clampInt64, leadingInteger, leadingNumber } from './number-text.ts';
import type { Present } from './present.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Whether a value counts as true. Source: spec/sync-config.md 4.2. */
export function isTrue(value: SqliteValue): boolean {
  if (typeof value === 'bigint') return value !== 0n;
  if (typeof value === 'number') return value !== 0;
  return typeof value === 'string' && leadingInteger(value) !== 0n;
}

/** The text form that `||` and functions use; integral REALs have no `.0`. */
export function toText(value: Present): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return decoder.decode(value);
  return String(value);
}

export function toBytes(value: Present): Uint8Array {
  return typeof value === 'object' ? value : encoder.encode(toText(value));
}

/** An operand of arithmetic. */
export function toNumber(value: Present): bigint | number {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  return leadingNumber(toText(value));
}

/** `CAST(value AS integer)`: REAL is rounded down. */
export function toInteger(value: Present): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    return Number.isFinite(value) ? clampInt64(BigInt(Math.floor(value))) : 0n;
  }
  return clampInt64(leadingInteger(toText(value)));
}

export function toReal(value: Present): number {
  return Number(toNumber(value));
}

/** `CAST(value AS numeric)`: INTEGER where nothing is lost. */
export function toNumeric(value: Present): bigint | number {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  const number = leadingNumber(toText(value));
  return typeof number === 'number' && Number.isSafeInteger(number) ? BigInt(number) : number;
}

export function typeName(value: SqliteValue): 'null' | 'integer' | 'real' | 'text' | 'blob' {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return 'real';
  return typeof value === 'string' ? 'text' : 'blob';
}
