import type { SqliteValue } from '@sluice/model';
import { integerValue } from '../integer-value.ts';
import { malformedValue } from '../malformed-value.ts';
import type { PgType } from '../pg-type.ts';
import type { DecodeSlice } from '../text-slice.ts';
import type { TypeOptions } from '../type-options.ts';
import { utf8Slice } from '../utf8.ts';
import { dateDecoder, timeDecoder, timestampDecoder } from './binary-date-time.ts';
import { decodeNumeric } from './numeric.ts';
import { uuidDecoder } from './uuid.ts';

/** Reads a value in PostgreSQL's binary form from `buffer[start, end)`. */
export type DecodeBinary = DecodeSlice;

/**
 * The decoder of a type's binary form, for the types that are common in tables; it gives exactly
 * what the text decoder gives for the text form. Undefined for all others.
 */
export function binaryDecoder(type: PgType, options: TypeOptions): DecodeBinary | undefined {
  if (type.kind === 'enum') return utf8Slice;
  if (type.kind === 'domain') return binaryDecoder(type.base, options);
  if (type.kind !== 'scalar') return undefined;
  return SIMPLE_DECODERS[type.oid] ?? decoderWithScratch(type.oid, options);
}

/** Each of these writes its text into memory of its own first. */
function decoderWithScratch(oid: number, options: TypeOptions): DecodeBinary | undefined {
  if (oid === 1082) return fixedSize('date', 4, dateDecoder());
  if (oid === 1083) return fixedSize('time', 8, timeDecoder(options));
  if (oid === 1114) return fixedSize('timestamp', 8, timestampDecoder(false, options));
  if (oid === 1184) return fixedSize('timestamptz', 8, timestampDecoder(true, options));
  if (oid === 2950) return fixedSize('uuid', 16, uuidDecoder());
  return undefined;
}

/**
 * By type oid. Left out on purpose: `xml`, whose binary form may start with a declaration, and
 * `float4`, whose binary form is 0.10000000149011612 where the text form is 0.1; finding the digits
 * that PostgreSQL finds costs more than a cast to text.
 */
const SIMPLE_DECODERS: Readonly<Record<number, DecodeBinary>> = {
  16: fixedSize('bool', 1, (buffer, at) => (buffer[at] === 0 ? 0n : 1n)),
  17: (buffer, start, end) => new Uint8Array(buffer.subarray(start, end)),
  19: utf8Slice,
  20: fixedSize('int8', 8, readInt8),
  21: fixedSize('int2', 2, (buffer, at) => integerValue(buffer.readInt16BE(at))),
  23: fixedSize('int4', 4, (buffer, at) => integerValue(buffer.readInt32BE(at))),
  25: utf8Slice,
  26: fixedSize('oid', 4, (buffer, at) => integerValue(buffer.readUInt32BE(at))),
  114: utf8Slice,
  701: fixedSize('float8', 8, readFloat8),
  1042: utf8Slice,
  1043: utf8Slice,
  1700: decodeNumeric,
  3802: decodeJsonb,
};

function fixedSize(
  typeName: string,
  bytes: number,
  read: (buffer: Buffer, at: number) => SqliteValue,
): DecodeBinary {
  return (buffer, start, end) => {
    if (end - start !== bytes) throw malformedValue(typeName);
    return read(buffer, start);
  };
}

function readInt8(buffer: Buffer, at: number): bigint {
  const high = buffer.readInt32BE(at);
  // Below 2^53 two 32-bit reads make a double without loss, which is faster than a 64-bit read.
  return high >= -0x20_0000 && high < 0x20_0000
    ? integerValue(high * 0x1_0000_0000 + buffer.readUInt32BE(at + 4))
    : buffer.readBigInt64BE(at);
}

function readFloat8(buffer: Buffer, at: number): number | null {
  const value = buffer.readDoubleBE(at);
  return Number.isFinite(value) ? value : null;
}

/** A version byte, then the text form. */
function decodeJsonb(buffer: Buffer, start: number, end: number): string {
  if (end <= start || buffer[start] !== 1) throw malformedValue('jsonb');
  return utf8Slice(buffer, start + 1, end);
}
