import { EvaluationFailure } from '../../failure.ts';
import { readReal } from '../number-text.ts';
import type { JsonNumber } from './json-node.ts';

/**
 * INTEGER where it fits 64 bits, else REAL.
 *
 * @throws EvaluationFailure for a hexadecimal number of more than 16 digits, as SQLite does.
 */
export function jsonNumberValue({ kind, raw }: JsonNumber): bigint | number {
  if (kind === 'hex') return hexValue(raw);
  if (kind !== 'integer') return readReal(raw).value;
  // No need to look at the limits where the digits are few.
  if (raw.length < 19) return BigInt(raw);
  const integer = BigInt(raw);
  return BigInt.asIntN(64, integer) === integer ? integer : readReal(raw).value;
}

function hexValue(raw: string): bigint | number {
  const isNegative = raw.startsWith('-');
  const magnitude = BigInt(isNegative ? raw.slice(1) : raw);
  if (magnitude >> 64n !== 0n) throw new EvaluationFailure('A number in a JSON text is too large');
  if (magnitude >> 63n !== 0n) return isNegative ? -Number(magnitude) : Number(magnitude);
  return isNegative ? -magnitude : magnitude;
}

/** The number as RFC 8259 has it: decimal, with digits on both sides of the point. */
export function renderJsonNumber({ kind, raw }: JsonNumber): string {
  if (kind === 'integer' || kind === 'real') return raw;
  if (kind === 'real5') return raw.replace(/^(-?)\./, '$10.').replace(/\.(?![0-9])/, '.0');
  const sign = raw.startsWith('-') ? '-' : '';
  const magnitude = BigInt(raw.slice(sign.length));
  return sign + (magnitude >> 64n === 0n ? String(magnitude) : '9.0e999');
}
