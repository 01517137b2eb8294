import type { PgType } from '../pg-type.ts';
import type { DecodeSlice } from '../text-slice.ts';
import type { TypeOptions } from '../type-options.ts';

/** Reads a value in PostgreSQL's binary form from `buffer[start, end)`. */
export type DecodeBinary = DecodeSlice;

/** The decoder of a type's binary form, for the types where it is cheaper than the text form. */
export function binaryDecoder(_type: PgType, _options: TypeOptions): DecodeBinary | undefined {
  return undefined;
}
