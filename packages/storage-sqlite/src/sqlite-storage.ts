import { realpathSync } from 'node:fs';
import { assert, silentLogger, StorageError, type Logger } from '@sluice/base';
import type {
  BucketStorage,
  Generation,
  GenerationReader,
  GenerationWriter,
  NewGeneration,
  StorageStats,
  WriteCheckpointStore,
} from '@sluice/storage';
import { CacheUse } from './cache-use.ts';
import { ChangeSignal } from './change-signal.ts';
import { openDatabase, type Database } from './database.ts';
import { SqliteGenerationReader } from './generation-reader.ts';
import { removeGenerationData } from './generation-removal.ts';
import { GenerationTable } from './generation-table.ts';
import { SqliteGenerationWriter } from './generation-writer.ts';
import { migrate, STORAGE_MIGRATIONS, WRITE_CHECKPOINT_MIGRATIONS } from './migrations.ts';
import type { RowStateLogLimits } from './row-state-log.ts';
import { SegmentCache } from './segment-cache.ts';
import { guarded } from './sqlite-error.ts';
import { watchChanges } from './watch-changes.ts';
import { SqliteWriteCheckpoints } from './write-checkpoints.ts';
import { WriterLock } from './writer-lock.ts';

export interface SqliteStorageOptions {
  /**
   * The database file; made if it does not exist, its folder must. Beside it lie
   * `<path>-write-checkpoints` and `<path>-lock`, and SQLite's own `-wal` and `-shm` files.
   */
  readonly path: string;
  /** `reader`: refuses everything that writes, save write checkpoints. Absent: `writer`. */
  readonly mode?: 'writer' | 'reader' | undefined;
  readonly logger?: Logger | undefined;
  /** Memory for segments and chunks ready to send; default 64 MiB. */
  readonly segmentCacheBytes?: number | undefined;
  /** Memory for database pages, per connection; default 32 MiB. */
  readonly pageCacheBytes?: number | undefined;
  /** How large the database may grow; absent: as large as the disk allows. */
  readonly maxBytes?: number | undefined;
  /** How many row states wait in memory to be written where they belong. */
  readonly rowStateLog?: RowStateLogLimits | undefined;
  /** How often to look for changes by other processes; default 500 ms. */
  readonly pollMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs?: (() => number) | undefined;
}

const DEFAULT_SEGMENT_CACHE_BYTES = 64 << 20;
const DEFAULT_PAGE_CACHE_BYTES = 32 << 20;
const DEFAULT_POLL_MS = 500;
const WRITE_CHECKPOINT_CACHE_BYTES = 2 << 20;
/** Batches are large; moving their pages into the database once saves most of the double writing. */
const WRITER_WAL_BYTES = 64 << 20;

/**
 * Opens bucket storage in an SQLite database. Any number of threads and processes may have it
 * open; one at a time may write (design.md D5).
 *
 * @throws StorageError `STORAGE_UNAVAILABLE`, `STORAGE_CORRUPT`, `STORAGE_FULL`, or
 * `STORAGE_VERSION` when a newer version of the program has written it.
 */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<BucketStorage> {
  return new SqliteStorage(options);
}

class SqliteStorage implements BucketStorage {
  readonly #options: SqliteStorageOptions;
  readonly #logger: Logger;
  /** Everything but the writers' transactions. */
  readonly #db: Database;
  readonly #writeCheckpointDb: Database;
  readonly #generations: GenerationTable;
  readonly #changes: ChangeSignal;
  readonly #segments: SegmentCache;
  readonly #writeCheckpoints: SqliteWriteCheckpoints;
  readonly #chunkUse = new CacheUse();
  readonly #readers = new Set<SqliteGenerationReader>();
  readonly #writing = new Set<number>();
  #writer: { readonly db: Database; readonly lock: WriterLock } | undefined;
  readonly #closing = new AbortController();

  constructor(options: SqliteStorageOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    const cacheBytes = options.pageCacheBytes ?? DEFAULT_PAGE_CACHE_BYTES;
    this.#db = openDatabase(options.path, { cacheBytes, durable: true });
    try {
      migrate(this.#db, STORAGE_MIGRATIONS);
      this.#writeCheckpointDb = openDatabase(`${options.path}-write-checkpoints`, {
        cacheBytes: WRITE_CHECKPOINT_CACHE_BYTES,
        durable: true,
      });
    } catch (error) {
      this.#db.close();
      throw error;
    }
    try {
      migrate(this.#writeCheckpointDb, WRITE_CHECKPOINT_MIGRATIONS);
      this.#generations = new GenerationTable(this.#db);
      this.#segments = new SegmentCache(this.#db, this.#segmentCacheBytes);
      this.#changes = this.#openSignal();
    } catch (error) {
      this.#writeCheckpointDb.close();
      this.#db.close();
      throw error;
    }
    this.#writeCheckpoints = new SqliteWriteCheckpoints(
      this.#writeCheckpointDb,
      this.#changes,
      this.#closing.signal,
    );
  }

  get writeCheckpoints(): WriteCheckpointStore {
    return this.#writeCheckpoints;
  }

  async generations(): Promise<readonly Generation[]> {
    return guarded(this.#db, () => this.#generations.list());
  }

  async createGeneration(input: NewGeneration): Promise<Generation> {
    this.#requireWriterMode('createGeneration');
    const generation = guarded(this.#db, () => this.#generations.add(input));
    this.#changes.announce('generations');
    return generation;
  }

  async takeFillNumber(): Promise<number> {
    this.#requireWriterMode('takeFillNumber');
    return guarded(this.#db, () => this.#generations.takeFillNumber());
  }

  async setSourceHandle(id: number, handle: string): Promise<void> {
    this.#requireWriterMode('setSourceHandle');
    guarded(this.#db, () => this.#generations.setSourceHandle(id, handle));
    this.#changes.announce('generations');
  }

  async deleteGeneration(id: number, signal?: AbortSignal): Promise<void> {
    this.#requireWriterMode('deleteGeneration');
    assert(!this.#writing.has(id), 'the writer of a generation is closed before its removal');
    if (!guarded(this.#db, () => this.#generations.beginRemoval(id))) return;
    this.#changes.announce('generations');
    this.#changes.announce(id);
    await removeGenerationData(this.#db, id, signal);
  }

  watchGenerations(signal: AbortSignal): AsyncIterable<readonly Generation[]> {
    let seen: string | undefined;
    const take = () =>
      guarded(this.#db, () => {
        const all = this.#generations.list();
        const text = JSON.stringify(all);
        if (text === seen) return undefined;
        seen = text;
        return all;
      });
    const ends = AbortSignal.any([signal, this.#closing.signal]);
    return watchChanges({ signal: ends, changes: this.#changes, topic: 'generations', take });
  }

  async openWriter(generationId: number): Promise<GenerationWriter> {
    this.#requireWriterMode('openWriter');
    assert(!this.#writing.has(generationId), 'a generation has one writer');
    return guarded(this.#db, () => {
      this.#generations.get(generationId);
      const { db } = (this.#writer ??= this.#openWriterConnection());
      this.#writing.add(generationId);
      return new SqliteGenerationWriter({
        db,
        generationId,
        changes: this.#changes,
        nowMs: this.#options.nowMs ?? Date.now,
        rowStateLog: this.#options.rowStateLog,
        onClose: () => this.#closeWriter(generationId),
      });
    });
  }

  async openReader(generationId: number): Promise<GenerationReader> {
    return guarded(this.#db, () => {
      const reader = new SqliteGenerationReader({
        db: this.#db,
        generation: this.#generations.get(generationId),
        segments: this.#segments,
        chunkCacheBytes: this.#segmentCacheBytes / 4,
        chunkUse: this.#chunkUse,
        changes: this.#changes,
        closing: this.#closing.signal,
        onClose: () => this.#readers.delete(reader),
      });
      this.#readers.add(reader);
      return reader;
    });
  }

  stats(): StorageStats {
    let chunkBytes = 0;
    for (const reader of this.#readers) chunkBytes += reader.chunkBytes;
    return {
      caches: {
        segments: this.#segments.use.stats(this.#segments.bytes),
        chunks: this.#chunkUse.stats(chunkBytes),
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#writeCheckpoints.flush();
    this.#writing.clear();
    this.#readers.clear();
    this.#releaseWriter();
    this.#writeCheckpointDb.close();
    this.#db.close();
    this.#changes.close();
  }

  get #segmentCacheBytes(): number {
    return this.#options.segmentCacheBytes ?? DEFAULT_SEGMENT_CACHE_BYTES;
  }

  #openSignal(): ChangeSignal {
    return new ChangeSignal({
      realPath: realpathSync(this.#options.path),
      databases: [this.#db, this.#writeCheckpointDb],
      pollMs: this.#options.pollMs ?? DEFAULT_POLL_MS,
      onError: (error) => this.#logger.warn('storage_poll_failed', { error: String(error) }),
    });
  }

  #openWriterConnection(): { readonly db: Database; readonly lock: WriterLock } {
    const lock = WriterLock.acquire(`${this.#options.path}-lock`);
    try {
      const db = openDatabase(this.#options.path, {
        cacheBytes: this.#options.pageCacheBytes ?? DEFAULT_PAGE_CACHE_BYTES,
        durable: true,
        walBytes: WRITER_WAL_BYTES,
        maxBytes: this.#options.maxBytes,
      });
      return { db, lock };
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  #closeWriter(generationId: number): void {
    this.#writing.delete(generationId);
    if (this.#writing.size === 0) this.#releaseWriter();
  }

  #releaseWriter(): void {
    this.#writer?.db.close();
    this.#writer?.lock.release();
    this.#writer = undefined;
  }

  #requireWriterMode(what: string): void {
    if (this.#closing.signal.aborted)
      throw new StorageError('STORAGE_CLOSED', 'Bucket storage is closed');
    assert(this.#options.mode !== 'reader', `${what} is called on storage opened for writing`);
  }
}
