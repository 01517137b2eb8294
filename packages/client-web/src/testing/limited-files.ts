import { MemoryFile } from '../storage/memory-files.ts';
import { HandleFiles, keptFile, type AccessHandle } from '../storage/handle-files.ts';

/** A handle over memory, as the browser gives it for a file. */
class MemoryHandle implements AccessHandle {
  readonly file = new MemoryFile();
  readonly #beforeWrite: (bytes: number) => number;

  /** `beforeWrite` returns how much of it can be written. */
  constructor(beforeWrite: (bytes: number) => number) {
    this.#beforeWrite = beforeWrite;
  }

  read(into: Uint8Array, { at }: { readonly at: number }): number {
    return this.file.read(into, at);
  }

  write(from: Uint8Array, { at }: { readonly at: number }): number {
    const bytes = this.#beforeWrite(from.length);
    this.file.write(from.subarray(0, bytes), at);
    return bytes;
  }

  truncate(bytes: number): void {
    this.file.truncate(bytes);
  }

  getSize(): number {
    return this.file.size();
  }

  flush(): void {}

  close(): void {}
}

/** A database's kept files, `data` and its log, that take only so many bytes more. */
export class LimitedFiles {
  readonly files: HandleFiles;
  /** Bytes that may still be written. */
  room: number;
  #handles: ReadonlyMap<string, MemoryHandle>;

  constructor(room = Infinity) {
    this.room = room;
    const beforeWrite = (bytes: number) => {
      const written = Math.min(bytes, this.room);
      this.room -= written;
      return written;
    };
    this.#handles = new Map(
      ['data', 'data-wal'].map((name) => [name, new MemoryHandle(beforeWrite)]),
    );
    this.files = new HandleFiles(
      new Map([...this.#handles].map(([name, handle]) => [name, keptFile(name, handle)])),
    );
  }

  /** What another start of the app finds, as of now. */
  copy(): LimitedFiles {
    const copy = new LimitedFiles();
    for (const [name, handle] of this.#handles) {
      const content = new Uint8Array(handle.getSize());
      handle.read(content, { at: 0 });
      copy.#handles.get(name)?.write(content, { at: 0 });
    }
    return copy;
  }

  /** Writes over a part of a file, as a fault of the device does. */
  damage(name: 'data' | 'data-wal', at: number, bytes: Uint8Array): void {
    this.#handles.get(name)?.file.write(bytes, at);
  }
}
