import { LineError } from '../line-error.ts';

/** A number that was sent as a double where it need not be one: most fields take integers only (spec/protocol.md 2.4). */
class BsonDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Lines are shallow; deeper ones would only exhaust the stack. */
const MAX_DEPTH = 100;
/** Up to here a loop over the bytes is faster than a decoder's call. */
const SHORT_BYTES = 48;

/**
 * Reads one BSON document as the values that `JSON.parse` would give for the same line. Differences: doubles are
 * `BsonDouble` except for checksums, whole numbers beyond 2^53 are `bigint`, and types that no line needs are null.
 * Platform-free, unlike `decodeOpElements`.
 *
 * @throws LineError for what is no such document (types: spec/protocol.md 2.4).
 */
export function readBsonDocument(bytes: Uint8Array): Record<string, unknown> {
  const reader = new DocumentReader(bytes);
  const document = reader.document(0);
  if (reader.at !== bytes.byteLength) throw new LineError('Bytes follow the BSON document');
  return document;
}

class DocumentReader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(depth: number): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    const end = this.#begin(depth);
    while (this.at < end) {
      const type = this.#byte();
      const key = this.#key();
      const value = this.#value(type, key, depth);
      if (key !== '__proto__') values[key] = value;
    }
    this.#finish(end);
    return values;
  }

  #array(depth: number): unknown[] {
    const values: unknown[] = [];
    const end = this.#begin(depth);
    while (this.at < end) {
      const type = this.#byte();
      this.at = this.#zeroAfter(this.at) + 1;
      values.push(this.#value(type, '', depth));
    }
    this.#finish(end);
    return values;
  }

  /** Where the terminating zero of the document is. */
  #begin(depth: number): number {
    const start = this.at;
    const length = this.#int32();
    if (depth > MAX_DEPTH) throw new LineError('A BSON document is nested too deeply');
    if (length < 5 || start + length > this.#bytes.byteLength) {
      throw new LineError(`A BSON document says that it has ${length} bytes`);
    }
    return start + length - 1;
  }

  #finish(end: number): void {
    if (this.at !== end || this.#byte() !== 0) throw new LineError('A BSON document has no end');
  }

  #value(type: number, key: string, depth: number): unknown {
    switch (type) {
      case 0x01: {
        const value = this.#view.getFloat64(this.#take(8), true);
        return key === 'checksum' ? value : new BsonDouble(value);
      }
      case 0x02:
        return this.#string();
      case 0x03:
        return this.document(depth + 1);
      case 0x04:
        return this.#array(depth + 1);
      case 0x05:
        return this.#skip(this.#int32() + 1);
      case 0x06:
      case 0x0a:
        return null;
      case 0x07:
        return this.#skip(12);
      case 0x08:
        return this.#byte() === 1;
      case 0x09:
      case 0x11:
        return this.#skip(8);
      case 0x10:
        return this.#int32();
      case 0x12: {
        const value = this.#view.getBigInt64(this.#take(8), true);
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : value;
      }
      default:
        throw new LineError(`No line has BSON type ${type}`);
    }
  }

  #string(): string {
    const length = this.#int32();
    if (length < 1) throw new LineError('A BSON string has a negative length');
    const start = this.#take(length);
    if (this.#bytes[start + length - 1] !== 0) throw new LineError('A BSON string has no end');
    return this.#text(start, start + length - 1);
  }

  #key(): string {
    const end = this.#zeroAfter(this.at);
    const key = this.#text(this.at, end);
    this.at = end + 1;
    return key;
  }

  #text(start: number, end: number): string {
    if (end - start <= SHORT_BYTES) {
      let text = '';
      for (let at = start; at < end; at += 1) {
        const byte = this.#bytes[at] ?? 0;
        if (byte >= 0x80) return this.#decoded(start, end);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return this.#decoded(start, end);
  }

  #decoded(start: number, end: number): string {
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, end));
    } catch (cause) {
      throw new LineError('A BSON string is not UTF-8', { cause });
    }
  }

  #zeroAfter(start: number): number {
    const end = this.#bytes.indexOf(0, start);
    if (end < 0) throw new LineError('A BSON key has no end');
    return end;
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** What no line needs. */
  #skip(count: number): null {
    this.#take(count);
    return null;
  }

  #take(count: number): number {
    const start = this.at;
    if (count < 0 || start + count > this.#bytes.byteLength) {
      throw new LineError('The BSON document ends early');
    }
    this.at += count;
    return start;
  }
}
