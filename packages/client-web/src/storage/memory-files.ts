import type { FileSpace, StoredFile } from './stored-file.ts';

const CHUNK_BYTES = 262_144;

/** A file in memory, in pieces, so that a large one is never copied to grow. */
export class MemoryFile implements StoredFile {
  #chunks: Uint8Array[] = [];
  #size = 0;

  read(into: Uint8Array, at: number): number {
    const bytes = Math.max(0, Math.min(into.length, this.#size - at));
    this.#eachPart(at, bytes, (chunk, from, to, done) => into.set(chunk.subarray(from, to), done));
    return bytes;
  }

  write(from: Uint8Array, at: number): void {
    const end = at + from.length;
    while (this.#chunks.length * CHUNK_BYTES < end) this.#chunks.push(new Uint8Array(CHUNK_BYTES));
    this.#size = Math.max(this.#size, end);
    this.#eachPart(at, from.length, (chunk, start, stop, done) =>
      chunk.set(from.subarray(done, done + stop - start), start),
    );
  }

  truncate(bytes: number): void {
    if (bytes >= this.#size) return;
    this.#chunks = this.#chunks.slice(0, Math.ceil(bytes / CHUNK_BYTES));
    // What a later write leaves out is zero.
    this.#chunks.at(-1)?.fill(0, bytes - (this.#chunks.length - 1) * CHUNK_BYTES);
    this.#size = bytes;
  }

  size(): number {
    return this.#size;
  }

  flush(): void {}

  #eachPart(
    at: number,
    bytes: number,
    visit: (chunk: Uint8Array, from: number, to: number, done: number) => void,
  ): void {
    for (let done = 0; done < bytes;) {
      const index = Math.floor((at + done) / CHUNK_BYTES);
      const from = at + done - index * CHUNK_BYTES;
      const to = Math.min(CHUNK_BYTES, from + bytes - done);
      const chunk = this.#chunks[index];
      if (chunk !== undefined) visit(chunk, from, to, done);
      done += to - from;
    }
  }
}

/** Files that are gone with this thread. */
export class MemoryFiles implements FileSpace {
  readonly #files = new Map<string, StoredFile>();

  open(name: string, create: boolean): StoredFile | undefined {
    const known = this.#files.get(name);
    if (known !== undefined || !create) return known;
    const file = new MemoryFile();
    this.#files.set(name, file);
    return file;
  }

  exists(name: string): boolean {
    return this.#files.has(name);
  }

  delete(name: string): void {
    this.#files.delete(name);
  }
}
