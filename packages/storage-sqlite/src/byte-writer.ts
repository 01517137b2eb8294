const POWER_7 = 128;

/** Numbers and texts one behind the other in a Buffer that grows. Varints hold up to 2^53 - 1. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(initialBytes = 16 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** A view on what was written from `start`; valid until the next write or reset. */
  from(start: number): Buffer {
    return this.#bytes.subarray(start, this.#length);
  }

  between(start: number, end: number): Buffer {
    return this.#bytes.subarray(start, end);
  }

  reset(): void {
    this.#length = 0;
  }

  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= POWER_7) {
      this.#bytes[this.#length++] = (rest % POWER_7) | 0x80;
      rest = Math.floor(rest / POWER_7);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Characters U+0000 to U+00FF as one byte each, without a length. */
  latin1(text: string): void {
    this.#reserve(text.length);
    for (let index = 0; index < text.length; index++) {
      this.#bytes[this.#length++] = text.charCodeAt(index);
    }
  }

  /** UTF-8 with its length in bytes in front. */
  text(text: string): void {
    this.#reserve(text.length * 3 + 8);
    const bytes = Buffer.byteLength(text);
    this.varint(bytes);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** As they are, without a length. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** Reads back what a `ByteWriter` wrote. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, from = 0) {
    this.#bytes = bytes;
    this.#at = from;
  }

  /** Where the next read begins. */
  get position(): number {
    return this.#at;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (byte < POWER_7) return value + byte * scale;
      value += (byte - POWER_7) * scale;
      scale *= POWER_7;
    }
  }

  latin1(length: number): string {
    return this.#bytes.toString('latin1', this.#at, (this.#at += length));
  }

  text(): string {
    const length = this.varint();
    return this.#bytes.toString('utf8', this.#at, (this.#at += length));
  }
}
