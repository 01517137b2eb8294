import type { SqliteValue } from '@sluice/model';
import { integerText, jsonText } from './json-text.ts';

/**
 * A value as it stands in bucket names and lookup keys; undefined for NULL and BLOB. Equal values,
 * and only those, give the same text: INTEGER and integral REAL of one value do, and an infinite
 * REAL is a number that overflows. Source: spec/sync-config.md 11.1.
 */
export function keyText(value: SqliteValue): string | undefined {
  if (typeof value === 'string') return jsonText(value);
  if (typeof value === 'bigint') return integerText(value);
  return typeof value === 'number' ? realKeyText(value) : undefined;
}

function realKeyText(value: number): string | undefined {
  if (Number.isNaN(value)) return undefined;
  if (!Number.isFinite(value)) return value > 0 ? '1e999' : '-1e999';
  // String() rounds the digits of large integers; an INTEGER of the same value has all of them.
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) {
    return String(BigInt(value));
  }
  return String(value);
}

/** Splits a JSON array of scalars into the texts of its elements, as written. */
export function splitKeyTexts(array: string): string[] {
  const texts: string[] = [];
  let start = 1;
  let inString = false;
  for (let at = 1; at < array.length; at++) {
    const code = array.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) {
      inString = true;
    } else if (code === COMMA || code === CLOSE) {
      if (at > start) texts.push(array.slice(start, at));
      start = at + 1;
    }
  }
  return texts;
}

const BACKSLASH = 92;
const QUOTE = 34;
const COMMA = 44;
const CLOSE = 93;
