import { asciiSlice } from '../utf8.ts';

const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const DASH = '-'.charCodeAt(0);
const TEXT_BYTES = 36;
/** Bytes of the uuid in front of which a dash stands. */
const DASHES: ReadonlySet<number> = new Set([4, 6, 8, 10]);

/** Where in the text the first digit of each byte stands. */
const TEXT_OFFSETS = Array.from(
  { length: 16 },
  (_, byte) => byte * 2 + [...DASHES].filter((before) => before <= byte).length,
);

/** A reader of the 16 bytes at an offset, which lie within the buffer. */
export function uuidDecoder(): (buffer: Buffer, at: number) => string {
  const text = Buffer.alloc(TEXT_BYTES, DASH);
  return (buffer, at) => {
    for (let i = 0; i < 16; i++) {
      const byte = buffer[at + i] ?? 0;
      const offset = TEXT_OFFSETS[i] ?? 0;
      text[offset] = HEX_DIGITS[byte >> 4] ?? 0;
      text[offset + 1] = HEX_DIGITS[byte & 15] ?? 0;
    }
    return asciiSlice(text, 0, TEXT_BYTES);
  };
}
