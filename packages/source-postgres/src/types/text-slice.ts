import type { SqliteValue } from '@sluice/model';
import { integerValue } from './integer-value.ts';
import { malformedValue } from './malformed-value.ts';
import type { PgType } from './pg-type.ts';
import type { DecodeText } from './scalar-text.ts';
import type { TypeOptions } from './type-options.ts';
import { asciiSlice, utf8Slice } from './utf8.ts';

/** Reads a value from `buffer[start, end)`. */
export type DecodeSlice = (buffer: Buffer, start: number, end: number) => SqliteValue;

/** A decoder of the text form that reads bytes, without a string in between where that is faster. */
export function textSliceDecoder(
  type: PgType,
  decodeText: DecodeText,
  options: TypeOptions,
): DecodeSlice {
  const viaText: DecodeSlice = (buffer, start, end) => decodeText(utf8Slice(buffer, start, end));
  if (type.kind === 'enum') return utf8Slice;
  if (type.kind !== 'scalar') return viaText;
  switch (type.scalar) {
    case 'text':
    case 'json':
      return utf8Slice;
    case 'bool':
      return boolSlice;
    case 'integer':
      return integerSlice(viaText);
    case 'timestamp':
    case 'timestamptz':
      return options.isoTimestamps
        ? isoMomentSlice(type.scalar === 'timestamptz', options.timestampDigits, viaText)
        : viaText;
    case 'float':
    case 'bytea':
    case 'date':
    case 'time':
    case 'lsn':
      return viaText;
  }
}

const ZERO = '0'.charCodeAt(0);
const MINUS = '-'.charCodeAt(0);
const PLUS = '+'.charCodeAt(0);

function boolSlice(buffer: Buffer, start: number, end: number): bigint {
  if (end === start + 1) {
    if (buffer[start] === 0x74) return 1n;
    if (buffer[start] === 0x66) return 0n;
  }
  throw malformedValue('bool');
}

/** As many digits as surely make a number that a double holds exactly. */
const EXACT_DIGITS = 15;

function integerSlice(otherwise: DecodeSlice): DecodeSlice {
  return (buffer, start, end) => {
    const isNegative = buffer[start] === MINUS;
    const first = isNegative ? start + 1 : start;
    if (end - first > EXACT_DIGITS || end === first) return otherwise(buffer, start, end);
    let value = 0;
    for (let at = first; at < end; at++) {
      const digit = (buffer[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) throw malformedValue('integer');
      value = value * 10 + digit;
    }
    return integerValue(isNegative ? -value : value);
  };
}

/** Length of `2031-07-08 09:10:11`. */
const SECONDS_LENGTH = 19;

/** ISO form of moments with a four-digit year and, if they have a zone, the zone `+00`. */
function isoMomentSlice(
  withZone: boolean,
  timestampDigits: number,
  otherwise: DecodeSlice,
): DecodeSlice {
  const digits = Math.max(0, Math.min(6, timestampDigits));
  const secondsEnd = SECONDS_LENGTH + (digits === 0 ? 0 : 1 + digits);
  const output = Buffer.from('0000-00-00T00:00:00.000000Z'.slice(0, secondsEnd) + 'Z', 'latin1');
  const length = withZone ? secondsEnd + 1 : secondsEnd;
  return (buffer, start, end) => {
    const last = withZone ? end - 3 : end;
    if (!isPlainMoment(buffer, start, last)) return otherwise(buffer, start, end);
    if (withZone && !isUtc(buffer, last)) return otherwise(buffer, start, end);
    for (let i = 0; i < SECONDS_LENGTH; i++) {
      if (i !== 10) output[i] = buffer[start + i] ?? ZERO;
    }
    for (let i = SECONDS_LENGTH + 1; i < secondsEnd; i++) {
      output[i] = start + i < last ? (buffer[start + i] ?? ZERO) : ZERO;
    }
    return asciiSlice(output, 0, length);
  };
}

/** What a moment with a four-digit year looks like; a zero stands for any digit. */
const SHAPE = Buffer.from('0000-00-00 00:00:00.000000', 'latin1');

function isPlainMoment(buffer: Buffer, start: number, last: number): boolean {
  const length = last - start;
  const hasFraction = length > SECONDS_LENGTH + 1 && length <= SHAPE.length;
  if (length !== SECONDS_LENGTH && !hasFraction) return false;
  for (let i = 0; i < length; i++) {
    const code = buffer[start + i] ?? 0;
    const expected = SHAPE[i];
    const isRight = expected === ZERO ? code >= ZERO && code <= ZERO + 9 : code === expected;
    if (!isRight) return false;
  }
  return true;
}

function isUtc(buffer: Buffer, at: number): boolean {
  return buffer[at] === PLUS && buffer[at + 1] === ZERO && buffer[at + 2] === ZERO;
}
