import { ClientError, type ClientClock } from '@sluice/client';
import { HandleFiles, keptFile, type AccessHandle } from './handle-files.ts';

/** The origin's private file system refuses: not there, or not for this page. The reason is its `cause`. */
export class StorageRefused extends Error {
  constructor(cause: unknown) {
    super('The browser gives this page no files', { cause });
    this.name = 'StorageRefused';
  }
}

/** Where a database's files are kept; see OpfsFolder. */
export interface DatabaseFolder {
  generation(): Promise<number>;
  acquire(generation: number): Promise<KeptFiles>;
  removeBefore(generation: number): Promise<void>;
}

/** The files of one database while they are open. */
export interface KeptFiles {
  readonly files: HandleFiles;
  /** Name of the database's own file. */
  readonly main: string;
  /** Whether there is nothing in it yet. */
  readonly isNew: boolean;
  /** After every connection is closed. */
  close(): void;
}

/** Types of pages leave out what only workers have. */
type HandleSource = FileSystemFileHandle & { createSyncAccessHandle(): Promise<AccessHandle> };

const FOLDER = 'sluice';
const GENERATION = /^(\d+)\.db$/;
/** The thread that had the files may not be quite gone: its handles end with it. */
const ACQUIRE_TIMEOUT_MS = 10_000;
const ACQUIRE_EVERY_MS = 20;
/** Somebody else has a handle of the file; Safari's name and the others'. */
const IN_USE: ReadonlySet<string> = new Set(['NoModificationAllowedError', 'InvalidStateError']);

/**
 * The folder `sluice/db-<name>` of the origin's private file system: `1.db` and `1.db-wal`, and with higher numbers the databases that
 * took the place of a damaged one. The highest number is the database, the one below it what it was made from.
 */
export class OpfsFolder implements DatabaseFolder {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #clock: ClientClock;

  private constructor(folder: FileSystemDirectoryHandle, clock: ClientClock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /** @throws StorageRefused */
  static async open(database: string, clock: ClientClock): Promise<OpfsFolder> {
    try {
      const root = await navigator.storage.getDirectory();
      const all = await root.getDirectoryHandle(FOLDER, { create: true });
      const name = `db-${encodeURIComponent(database)}`;
      return new OpfsFolder(await all.getDirectoryHandle(name, { create: true }), clock);
    } catch (cause) {
      throw new StorageRefused(cause);
    }
  }

  /** The number of the database of now; 1 for one that is not there yet. */
  async generation(): Promise<number> {
    const numbers = await this.#generations();
    return Math.max(1, ...numbers);
  }

  /**
   * Opens the files of a generation, and makes them if they are not there.
   *
   * @throws StorageRefused; ClientError `STORAGE_IN_USE`
   */
  async acquire(generation: number): Promise<KeptFiles> {
    const main = `${generation}.db`;
    const handles = new Map<string, AccessHandle>();
    const close = () => {
      for (const handle of handles.values()) handle.close();
    };
    try {
      for (const name of [main, `${main}-wal`]) handles.set(name, await this.#handle(name));
    } catch (error) {
      close();
      throw error;
    }
    const kept = new Map([...handles].map(([name, handle]) => [name, keptFile(name, handle)]));
    return { files: new HandleFiles(kept), main, isNew: !kept.get(main)?.size(), close };
  }

  /** Removes what is older than what the database of now was made from. */
  async removeBefore(generation: number): Promise<void> {
    for (const number of await this.#generations()) {
      if (number >= generation) continue;
      for (const name of [`${number}.db`, `${number}.db-wal`]) {
        await this.#folder.removeEntry(name);
      }
    }
  }

  async #generations(): Promise<readonly number[]> {
    const numbers: number[] = [];
    for await (const name of this.#folder.keys()) {
      const found = GENERATION.exec(name)?.[1];
      if (found !== undefined) numbers.push(Number(found));
    }
    return numbers;
  }

  async #handle(name: string): Promise<AccessHandle> {
    const until = this.#clock.elapsed() + ACQUIRE_TIMEOUT_MS;
    for (;;) {
      try {
        const file = await this.#folder.getFileHandle(name, { create: true });
        return await (file as HandleSource).createSyncAccessHandle();
      } catch (cause) {
        if (!isInUse(cause)) throw new StorageRefused(cause);
        if (this.#clock.elapsed() > until) throw inUse(cause);
        await this.#clock.sleep(ACQUIRE_EVERY_MS, new AbortController().signal);
      }
    }
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof DOMException && IN_USE.has(error.name);
}

function inUse(cause: unknown): ClientError {
  return new ClientError(
    'STORAGE_IN_USE',
    'Something else has the files of the database open: load the pages of this app anew',
    { cause },
  );
}
