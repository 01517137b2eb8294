import { assert } from '@sluice/base';
import { ByteWriter } from './byte-writer.ts';

/** How an NDJSON line carries the rows: JSON text in a string, or (legacy) nested objects. */
export type JsonRowForm = 'text' | 'embedded';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const HEX_DIGITS = '0123456789abcdef';
const NULL_DATA = ',"data":null';

/** Above this the working buffer is not kept for the next call. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/**
 * Turns operations from BSON array elements (`op-codec.ts`) into JSON objects with commas between,
 * byte for byte: no strings are made, since rows are UTF-8 on both sides.
 *
 * Source: spec/protocol.md 2.4 (embedded rows keep every digit; every other op has `data: null`).
 */
export function opsToJson(parts: readonly Uint8Array[], form: JsonRowForm): Uint8Array {
  return new OpsToJson(form).convert(parts);
}

/** As `opsToJson`, for many calls: keeps its working buffer. */
export class OpsToJson {
  #out = new ByteWriter(0);
  readonly #embedded: boolean;
  #in: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(form: JsonRowForm) {
    this.#embedded = form === 'embedded';
  }

  /** The result is the caller's; the parts are not kept. */
  convert(parts: readonly Uint8Array[]): Uint8Array {
    const inputBytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (this.#out.bytes.length > MAX_KEPT_BYTES) this.#out = new ByteWriter(0);
    this.#out.length = 0;
    this.#out.reserve(inputBytes + (inputBytes >> 2) + 64);
    for (const part of parts) this.#part(part);
    return this.#out.finish();
  }

  #part(part: Uint8Array): void {
    this.#in = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    this.#view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    let at = 0;
    while (at < part.length) {
      assert(part[at] === 0x03, 'an operation is a BSON document');
      const start = this.#endOfKey(at + 1) + 1;
      if (this.#out.length > 0) this.#out.byte(COMMA);
      this.#document(start);
      at = start + this.#view.getInt32(start, true);
    }
  }

  #endOfKey(from: number): number {
    // Keys are short: a loop is several times faster than `indexOf`.
    const input = this.#in;
    let end = from;
    while (end < input.length && input[end] !== 0) end += 1;
    assert(end < input.length, 'a BSON key ends');
    return end;
  }

  #document(start: number): void {
    const end = start + this.#view.getInt32(start, true) - 1;
    this.#out.byte(OPEN_BRACE);
    let at = start + 4;
    let isFirst = true;
    let hasData = false;
    while (at < end) {
      const keyEnd = this.#endOfKey(at + 1);
      const isData = this.#isDataKey(at + 1, keyEnd);
      if (!isFirst) this.#out.byte(COMMA);
      this.#quoted(at + 1, keyEnd);
      this.#out.byte(COLON);
      at = this.#value(this.#in[at] ?? 0, keyEnd + 1, isData && this.#embedded);
      isFirst = false;
      hasData ||= isData;
    }
    if (this.#embedded && !hasData) this.#out.text(NULL_DATA);
    this.#out.byte(CLOSE_BRACE);
  }

  /** Four bytes, `data`. */
  #isDataKey(from: number, to: number): boolean {
    return to - from === 4 && this.#view.getUint32(from, true) === 0x61746164;
  }

  #value(type: number, at: number, verbatim: boolean): number {
    switch (type) {
      case 0x02: {
        const from = at + 4;
        const to = from + this.#view.getInt32(at, true) - 1;
        if (verbatim) this.#out.raw(this.#in.subarray(from, to));
        else this.#quoted(from, to);
        return to + 1;
      }
      case 0x01:
        this.#out.text(String(this.#view.getFloat64(at, true)));
        return at + 8;
      case 0x0a:
        this.#out.text('null');
        return at;
      case 0x10:
        this.#out.text(String(this.#view.getInt32(at, true)));
        return at + 4;
      case 0x12:
        this.#out.text(String(this.#view.getBigInt64(at, true)));
        return at + 8;
      default:
        assert(false, `an operation has no BSON element of type ${type}`);
    }
  }

  #quoted(from: number, to: number): void {
    // Rows are JSON text: at most every character needs a backslash, control characters aside.
    this.#out.reserve(2 * (to - from) + 2);
    const input = this.#in;
    let bytes = this.#out.bytes;
    let length = this.#out.length;
    bytes[length++] = QUOTE;
    for (let i = from; i < to; i += 1) {
      const byte = input[i] as number;
      if (byte < 0x20) {
        this.#out.length = length;
        this.#escapeControl(byte, to - i);
        bytes = this.#out.bytes;
        length = this.#out.length;
        continue;
      }
      if (byte === QUOTE || byte === BACKSLASH) bytes[length++] = BACKSLASH;
      bytes[length++] = byte;
    }
    bytes[length++] = QUOTE;
    this.#out.length = length;
  }

  #escapeControl(byte: number, rest: number): void {
    this.#out.text(`\\u00${byte >> 4}${HEX_DIGITS.charAt(byte & 15)}`);
    this.#out.reserve(2 * rest + 2);
  }
}
