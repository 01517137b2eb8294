import type { SqliteValue } from '@sluice/model';
import type { PgType } from './pg-type.ts';
import type { DecodeText } from './scalar-text.ts';
import type { TypeOptions } from './type-options.ts';
import { utf8Slice } from './utf8.ts';

/** Reads a value from `buffer[start, end)`. */
export type DecodeSlice = (buffer: Buffer, start: number, end: number) => SqliteValue;

/** A decoder of the text form that reads bytes, without a string in between where it can. */
export function textSliceDecoder(
  _type: PgType,
  decodeText: DecodeText,
  _options: TypeOptions,
): DecodeSlice {
  return (buffer, start, end) => decodeText(utf8Slice(buffer, start, end));
}
