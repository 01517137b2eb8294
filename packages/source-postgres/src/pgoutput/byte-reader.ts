import { utf8Slice } from '../types/utf8.ts';
import { readLsn } from './lsn.ts';
import { protocolError } from './protocol-error.ts';

/** Milliseconds from 1970 to 2000, where PostgreSQL's time begins. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** Reads fields one after another; throws `SOURCE_PROTOCOL` instead of leaving the message. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, offset: number) {
    this.#buffer = buffer;
    this.#at = offset;
  }

  uint8(): number {
    return this.#buffer.readUInt8(this.#advance(1));
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#advance(4));
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4));
  }

  lsn(): string {
    return readLsn(this.#buffer, this.#advance(8));
  }

  timestampMs(): number {
    const micros = this.#buffer.readBigInt64BE(this.#advance(8));
    return POSTGRES_EPOCH_MS + Number(micros / 1000n);
  }

  /** Text that a zero byte ends. */
  text(): string {
    const start = this.#at;
    const end = this.#buffer.indexOf(0, start);
    if (end < 0) throw protocolError('text without an end', { offset: start });
    this.#at = end + 1;
    return utf8Slice(this.#buffer, start, end);
  }

  skip(bytes: number): void {
    this.#advance(bytes);
  }

  /** Asserts that everything has been read. */
  end(): void {
    if (this.#at !== this.#buffer.length) {
      throw protocolError('bytes behind its end', { offset: this.#at });
    }
  }

  #advance(bytes: number): number {
    const start = this.#at;
    if (bytes < 0 || start + bytes > this.#buffer.length) {
      throw protocolError('it is cut off', { offset: start, length: this.#buffer.length });
    }
    this.#at = start + bytes;
    return start;
  }
}
