/** A growing run of bytes. Not exported from the package. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;
  #view: DataView;

  constructor(initialCapacity: number) {
    this.bytes = new Uint8Array(initialCapacity);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length] = value;
    this.length += 1;
  }

  int32(value: number): void {
    this.reserve(4);
    this.#view.setInt32(this.length, value, true);
    this.length += 4;
  }

  int64(value: bigint): void {
    this.reserve(8);
    this.#view.setBigInt64(this.length, value, true);
    this.length += 8;
  }

  patchInt32(at: number, value: number): void {
    this.#view.setInt32(at, value, true);
  }

  /** Appends text as UTF-8; returns its length in bytes. */
  text(value: string): number {
    this.reserve(value.length * 3);
    const start = this.length;
    for (let i = 0; i < value.length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return this.#wideText(value, start);
      this.bytes[start + i] = code;
    }
    this.length = start + value.length;
    return value.length;
  }

  #wideText(value: string, start: number): number {
    const { written } = new TextEncoder().encodeInto(value, this.bytes.subarray(start));
    this.length = start + written;
    return written;
  }

  raw(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** A copy of exactly what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
