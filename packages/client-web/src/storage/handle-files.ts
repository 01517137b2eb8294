import { GatheredFile } from './gathered-file.ts';
import { MemoryFiles } from './memory-files.ts';
import type { FileSpace, StoredFile } from './stored-file.ts';

/** The part of the platform's FileSystemSyncAccessHandle that is used. */
export interface AccessHandle {
  read(into: Uint8Array, options: { readonly at: number }): number;
  write(from: Uint8Array, options: { readonly at: number }): number;
  truncate(bytes: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** A file of the origin's private file system, of which this thread alone holds the handle. */
class HandleFile implements StoredFile {
  readonly #handle: AccessHandle;

  constructor(handle: AccessHandle) {
    this.#handle = handle;
  }

  read(into: Uint8Array, at: number): number {
    return this.#handle.read(into, { at });
  }

  write(from: Uint8Array, at: number): void {
    const written = this.#handle.write(from, { at });
    if (written === from.length) return;
    throw new DOMException('Only a part could be written', 'QuotaExceededError');
  }

  truncate(bytes: number): void {
    this.#handle.truncate(bytes);
  }

  size(): number {
    return this.#handle.getSize();
  }

  flush(): void {
    this.#handle.flush();
  }
}

/** The database's file, or its log, over a handle. */
export function keptFile(name: string, handle: AccessHandle): StoredFile {
  return new GatheredFile(new HandleFile(handle), { isLog: name.endsWith('-wal') });
}

/**
 * The named files are kept, all others are in memory: a handle cannot be opened while SQLite waits. With a write-ahead log, SQLite makes no
 * other file that must outlive a crash. A kept file is there once it has content, as handles cannot delete.
 */
export class HandleFiles implements FileSpace {
  readonly #kept: ReadonlyMap<string, StoredFile>;
  readonly #others = new MemoryFiles();

  constructor(kept: ReadonlyMap<string, StoredFile>) {
    this.#kept = kept;
  }

  open(name: string, create: boolean): StoredFile | undefined {
    return this.#kept.get(name) ?? this.#others.open(name, create);
  }

  exists(name: string): boolean {
    const kept = this.#kept.get(name);
    return kept === undefined ? this.#others.exists(name) : kept.size() > 0;
  }

  delete(name: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return this.#others.delete(name);
    kept.truncate(0);
    kept.flush();
  }
}
