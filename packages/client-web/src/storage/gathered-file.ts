import type { StoredFile } from './stored-file.ts';

/** Sixteen pages and what is written with them. */
const GATHERED_BYTES = 66_000;
/** Of a frame in a write-ahead log, in front of its page; bytes 4 to 7 are not zero where the frame is a transaction's last one. */
const FRAME_HEADER_BYTES = 24;

/**
 * Puts writes that follow each other in the file together: a browser takes about as long for a write of 24 bytes as for one of 4 KB, and SQLite writes
 * each page on its own, in a log with a header in front of it. What is put together is written out before anything else is done
 * with the file, and in a log (`isLog`) when a transaction's last frame is complete: so what is committed is in the file when SQLite says so. A
 * failure is told by the call that writes out, and what could not be written is let go: in a log it is of a transaction that SQLite
 * undoes then; in the database it is of a checkpoint, which counts only when SQLite has flushed the file.
 */
export class GatheredFile implements StoredFile {
  readonly #file: StoredFile;
  readonly #isLog: boolean;
  readonly #bytes = new Uint8Array(GATHERED_BYTES);
  #at = 0;
  #length = 0;
  /** The next write completes a transaction. */
  #isLastNext = false;

  constructor(file: StoredFile, options: { readonly isLog: boolean }) {
    this.#file = file;
    this.#isLog = options.isLog;
  }

  read(into: Uint8Array, at: number): number {
    this.#writeOut();
    return this.#file.read(into, at);
  }

  write(from: Uint8Array, at: number): void {
    const follows = at === this.#at + this.#length;
    if (!follows || this.#length + from.length > GATHERED_BYTES) this.#writeOut();
    const isLast = this.#isLastNext;
    this.#isLastNext = this.#isLog && isLastHeader(from);
    if (from.length > GATHERED_BYTES) {
      this.#file.write(from, at);
      return;
    }
    if (this.#length === 0) this.#at = at;
    this.#bytes.set(from, this.#length);
    this.#length += from.length;
    if (isLast) this.#writeOut();
  }

  truncate(bytes: number): void {
    this.#writeOut();
    this.#file.truncate(bytes);
  }

  size(): number {
    this.#writeOut();
    return this.#file.size();
  }

  flush(): void {
    this.#writeOut();
    this.#file.flush();
  }

  #writeOut(): void {
    if (this.#length === 0) return;
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    this.#file.write(bytes, this.#at);
  }
}

function isLastHeader(bytes: Uint8Array): boolean {
  if (bytes.length !== FRAME_HEADER_BYTES) return false;
  return bytes.subarray(4, 8).some((byte) => byte !== 0);
}
