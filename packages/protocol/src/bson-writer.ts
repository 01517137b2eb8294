import { ByteWriter } from './byte-writer.ts';

const TYPE_STRING = 0x02;
const TYPE_DOCUMENT = 0x03;
const TYPE_ARRAY = 0x04;
const TYPE_BOOLEAN = 0x08;
const TYPE_INT32 = 0x10;
const TYPE_INT64 = 0x12;

/** Writes the few BSON types that lines are made of. Keys are ASCII without NUL. */
export class BsonWriter {
  readonly #out: ByteWriter;

  constructor(initialCapacity: number) {
    this.#out = new ByteWriter(initialCapacity);
  }

  string(key: string, value: string): void {
    this.#key(TYPE_STRING, key);
    const lengthAt = this.#out.length;
    this.#out.int32(0);
    const byteLength = this.#out.text(value);
    this.#out.byte(0);
    this.#out.patchInt32(lengthAt, byteLength + 1);
  }

  /** As int32, or as int64 beyond its range. `value` is a whole number. */
  integer(key: string, value: number): void {
    if (value === (value | 0)) {
      this.#key(TYPE_INT32, key);
      this.#out.int32(value);
    } else {
      this.#key(TYPE_INT64, key);
      this.#out.int64(BigInt(value));
    }
  }

  boolean(key: string, value: boolean): void {
    this.#key(TYPE_BOOLEAN, key);
    this.#out.byte(value ? 1 : 0);
  }

  document(key: string, fill: () => void): void {
    this.#key(TYPE_DOCUMENT, key);
    this.body(fill);
  }

  array<T>(key: string, items: readonly T[], each: (item: T, index: string) => void): void {
    this.#key(TYPE_ARRAY, key);
    this.body(() => {
      for (let i = 0; i < items.length; i += 1) each(items[i] as T, String(i));
    });
  }

  /** The outermost document, or the body of a nested one. */
  body(fill: () => void): void {
    const start = this.open();
    fill();
    this.close(start);
  }

  openDocument(key: string): number {
    this.#key(TYPE_DOCUMENT, key);
    return this.open();
  }

  openArray(key: string): number {
    this.#key(TYPE_ARRAY, key);
    return this.open();
  }

  /** Begins a body that `close` ends: for what is written in steps. */
  open(): number {
    const start = this.#out.length;
    this.#out.int32(0);
    return start;
  }

  /** `start`: what `open` gave for the innermost that is open. */
  close(start: number): void {
    this.#out.byte(0);
    this.#out.patchInt32(start, this.#out.length - start);
  }

  finish(): Uint8Array {
    return this.#out.finish();
  }

  #key(type: number, key: string): void {
    this.#out.byte(type);
    this.#out.text(key);
    this.#out.byte(0);
  }
}
