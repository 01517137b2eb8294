import type { Pointer, SqliteModule } from '../sqlite/sqlite-module.ts';
import {
  BUSY,
  CANTOPEN,
  FULL,
  IOERR,
  IOERR_SHORT_READ,
  NOTFOUND,
  OK,
} from '../sqlite/result-codes.ts';
import { FileLocks } from './file-locks.ts';
import { MemoryFile } from './memory-files.ts';
import { SharedIndex, type RegionMemory } from './shared-index.ts';
import type { FileSpace, StoredFile } from './stored-file.ts';

const MAX_NAME_BYTES = 512;
const OPEN_CREATE = 0x4;
const OPEN_DELETE_ON_CLOSE = 0x8;
const SECTOR_BYTES = 4_096;
/** What was written survives next to what is torn; an open file cannot be deleted. As for files of the operating system. */
const CHARACTERISTICS = 0x1000 | 0x800;
const JULIAN_DAY_OF_1970 = 2_440_587.5;
const DAY_MS = 86_400_000;

/** What the connections to one file share. */
interface Shared {
  readonly locks: FileLocks;
  readonly index: SharedIndex;
}

interface OpenFile {
  readonly name: string;
  readonly file: StoredFile;
  readonly shared: Shared;
  readonly deleteOnClose: boolean;
}

/**
 * A file system for SQLite over files of ours, with locks and shared memory for any number of connections in this thread: so that readers see
 * what is committed while another connection writes (a write-ahead log). Nobody else may have the files open.
 */
export class WebVfs {
  readonly name: string;
  readonly #module: SqliteModule;
  readonly #files: FileSpace;
  readonly #onFault: (fault: unknown) => void;
  readonly #open = new Map<Pointer, OpenFile>();
  readonly #shared = new Map<string, Shared>();
  readonly #methods: Pointer;
  readonly #memory: RegionMemory;

  /** Registers it under `name`, for as long as the module lives. `onFault` is told what a file threw, as SQLite keeps a code only. */
  constructor(
    module: SqliteModule,
    options: {
      readonly name: string;
      readonly files: FileSpace;
      readonly onFault: (fault: unknown) => void;
    },
  ) {
    this.#module = module;
    this.name = options.name;
    this.#files = options.files;
    this.#onFault = options.onFault;
    this.#memory = {
      allocate: (bytes) => module.allocate(bytes),
      free: (pointer) => module.exports.sqlite3_free(pointer),
    };
    this.#methods = this.#fileMethods();
    module.exports.sqlite3_vfs_register(this.#vfs(), 0);
  }

  /** `sqlite3_vfs`, version 1. */
  #vfs(): Pointer {
    const module = this.#module;
    return this.#struct([
      1,
      4, // bytes of a file's struct: the address of its methods
      MAX_NAME_BYTES,
      0,
      module.ownText(this.name),
      0,
      module.callback('iiiiii', this.#openFile),
      module.callback('iiii', this.#deleteFile),
      module.callback('iiiii', this.#access),
      module.callback('iiiii', this.#fullName),
      0, // nothing is loaded from libraries
      0,
      0,
      0,
      module.callback('iiii', this.#randomness),
      module.callback('iii', () => OK), // sleep: nobody else can give a lock back meanwhile
      module.callback('iii', this.#currentTime),
      module.callback('iiii', () => OK),
    ]);
  }

  /** `sqlite3_io_methods`, version 2: with shared memory, without mapping of files. */
  #fileMethods(): Pointer {
    const callback: SqliteModule['callback'] = (signature, body) =>
      this.#module.callback(signature, body);
    return this.#struct([
      2,
      callback('ii', this.#close),
      callback('iiiij', this.#read),
      callback('iiiij', this.#write),
      callback('iij', (file: Pointer, bytes: bigint) =>
        this.#try(file, ({ file: stored }) => stored.truncate(Number(bytes))),
      ),
      callback('iii', (file: Pointer) => this.#try(file, ({ file: stored }) => stored.flush())),
      callback('iii', this.#size),
      callback('iii', (file: Pointer, level: number) =>
        this.#of(file).shared.locks.lock(file, level) ? OK : BUSY,
      ),
      callback('iii', (file: Pointer, level: number) => {
        this.#of(file).shared.locks.unlock(file, level);
        return OK;
      }),
      callback('iii', (file: Pointer, out: Pointer) => {
        this.#put(out, Number(this.#of(file).shared.locks.isReserved));
        return OK;
      }),
      callback('iiii', () => NOTFOUND),
      callback('ii', () => SECTOR_BYTES),
      callback('ii', () => CHARACTERISTICS),
      callback('iiiiii', this.#mapIndex),
      callback('iiiii', (file: Pointer, first: number, count: number, flags: number) =>
        this.#of(file).shared.index.lock(file, first, count, flags) ? OK : BUSY,
      ),
      callback('vi', () => undefined),
      callback('iii', (file: Pointer) => {
        this.#of(file).shared.index.unmap(file);
        return OK;
      }),
    ]);
  }

  readonly #openFile = (
    _: Pointer,
    namePointer: Pointer,
    file: Pointer,
    flags: number,
    outFlags: Pointer,
  ): number => {
    try {
      const isTemporary = namePointer === 0;
      const name = isTemporary ? '' : this.#module.zeroTerminated(namePointer);
      const stored = isTemporary
        ? new MemoryFile()
        : this.#files.open(name, (flags & OPEN_CREATE) !== 0);
      if (stored === undefined) return CANTOPEN;
      const shared = isTemporary ? this.#newShared() : this.#sharedOf(name);
      const deleteOnClose = !isTemporary && (flags & OPEN_DELETE_ON_CLOSE) !== 0;
      this.#open.set(file, { name, file: stored, shared, deleteOnClose });
      this.#put(file, this.#methods);
      if (outFlags !== 0) this.#put(outFlags, flags);
      return OK;
    } catch (fault) {
      this.#onFault(fault);
      return CANTOPEN;
    }
  };

  readonly #close = (file: Pointer): number => {
    const { name, shared, deleteOnClose } = this.#of(file);
    this.#open.delete(file);
    shared.locks.unlock(file, 0);
    shared.index.unmap(file);
    if (deleteOnClose) this.#files.delete(name);
    return OK;
  };

  readonly #read = (file: Pointer, into: Pointer, bytes: number, at: bigint): number => {
    let read = 0;
    const code = this.#try(file, ({ file: stored }) => {
      const target = this.#module.bytes.subarray(into, into + bytes);
      read = stored.read(target, Number(at));
      if (read < bytes) target.fill(0, read);
    });
    return code === OK && read < bytes ? IOERR_SHORT_READ : code;
  };

  readonly #write = (file: Pointer, from: Pointer, bytes: number, at: bigint): number =>
    this.#try(file, ({ file: stored }) =>
      stored.write(this.#module.bytes.subarray(from, from + bytes), Number(at)),
    );

  readonly #size = (file: Pointer, out: Pointer): number =>
    this.#try(file, ({ file: stored }) =>
      this.#module.view.setBigInt64(out, BigInt(stored.size()), true),
    );

  readonly #mapIndex = (
    file: Pointer,
    region: number,
    bytes: number,
    extend: number,
    out: Pointer,
  ): number =>
    this.#try(file, ({ shared }) =>
      this.#put(out, shared.index.map(file, region, bytes, extend !== 0)),
    );

  readonly #deleteFile = (_: Pointer, name: Pointer): number => {
    try {
      this.#files.delete(this.#module.zeroTerminated(name));
      return OK;
    } catch (fault) {
      return this.#codeOf(fault);
    }
  };

  readonly #access = (_: Pointer, name: Pointer, _flags: number, out: Pointer): number => {
    this.#put(out, Number(this.#files.exists(this.#module.zeroTerminated(name))));
    return OK;
  };

  readonly #fullName = (_: Pointer, name: Pointer, bytes: number, out: Pointer): number => {
    const memory = this.#module.bytes;
    const length = memory.indexOf(0, name) - name;
    if (length >= bytes) return CANTOPEN;
    memory.copyWithin(out, name, name + length + 1);
    return OK;
  };

  readonly #randomness = (_: Pointer, bytes: number, out: Pointer): number => {
    crypto.getRandomValues(
      this.#module.bytes.subarray(out, out + bytes) as Uint8Array<ArrayBuffer>,
    );
    return bytes;
  };

  readonly #currentTime = (_: Pointer, out: Pointer): number => {
    this.#module.view.setFloat64(out, JULIAN_DAY_OF_1970 + Date.now() / DAY_MS, true);
    return OK;
  };

  #of(file: Pointer): OpenFile {
    const open = this.#open.get(file);
    if (open === undefined) throw new Error('SQLite uses a file that is not open');
    return open;
  }

  /** Nothing may be thrown through SQLite, which would be left in the middle of what it does. */
  #try(file: Pointer, body: (open: OpenFile) => void): number {
    try {
      body(this.#of(file));
      return OK;
    } catch (fault) {
      return this.#codeOf(fault);
    }
  }

  #codeOf(fault: unknown): number {
    this.#onFault(fault);
    return fault instanceof Error && fault.name === 'QuotaExceededError' ? FULL : IOERR;
  }

  #sharedOf(name: string): Shared {
    const known = this.#shared.get(name);
    if (known !== undefined) return known;
    const shared = this.#newShared();
    this.#shared.set(name, shared);
    return shared;
  }

  #newShared(): Shared {
    return { locks: new FileLocks(), index: new SharedIndex(this.#memory) };
  }

  #struct(words: readonly number[]): Pointer {
    const pointer = this.#module.allocate(words.length * 4);
    for (const [at, word] of words.entries()) this.#put(pointer + 4 * at, word);
    return pointer;
  }

  #put(pointer: Pointer, word: number): void {
    this.#module.view.setInt32(pointer, word, true);
  }
}
