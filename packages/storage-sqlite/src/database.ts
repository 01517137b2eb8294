import SqliteDatabase from 'better-sqlite3';
import { guarded } from './sqlite-error.ts';

export type Database = SqliteDatabase.Database;

export interface DatabaseOptions {
  /** Memory for pages. */
  readonly cacheBytes: number;
  /** Whether a commit waits until it would survive a loss of power. */
  readonly durable: boolean;
  /** How large the write-ahead log grows before its pages move into the database. */
  readonly walBytes?: number | undefined;
  /** Writing more than this fails with `STORAGE_FULL`. */
  readonly maxBytes?: number | undefined;
}

/** Larger than SQLite's default: most bytes are segments, which fill many pages each. */
const PAGE_BYTES = 8192;
const DEFAULT_WAL_BYTES = 4 << 20;
/** Only checkpoints of the log and migrations ever make another connection wait. */
const BUSY_TIMEOUT_MS = 10_000;
const WAL_RETRY_MS = 5;

/**
 * Opens a database file, making it if need be, in WAL mode.
 *
 * @throws StorageError `STORAGE_UNAVAILABLE`, `STORAGE_CORRUPT`, `STORAGE_FULL`
 */
export function openDatabase(path: string, options: DatabaseOptions): Database {
  return guarded(undefined, () => {
    const db = new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      db.pragma(`page_size = ${PAGE_BYTES}`);
      switchToWal(db);
      db.pragma(`synchronous = ${options.durable ? 'FULL' : 'NORMAL'}`);
      db.pragma(`cache_size = -${Math.ceil(options.cacheBytes / 1024)}`);
      const walBytes = options.walBytes ?? DEFAULT_WAL_BYTES;
      db.pragma(`wal_autocheckpoint = ${Math.ceil(walBytes / PAGE_BYTES)}`);
      db.pragma(`journal_size_limit = ${walBytes * 2}`);
      if (options.maxBytes !== undefined) {
        db.pragma(`max_page_count = ${Math.ceil(options.maxBytes / PAGE_BYTES)}`);
      }
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/**
 * SQLite does not wait for its turn here: of several that open a new database at the same moment,
 * some are refused.
 */
function switchToWal(db: Database): void {
  const deadline = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      db.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      const isBusy =
        error instanceof SqliteDatabase.SqliteError && error.code.startsWith('SQLITE_BUSY');
      if (!isBusy || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_RETRY_MS);
    }
  }
}

/** A number that changes whenever another connection has changed the database. */
export function dataVersion(db: Database): number {
  return db.pragma('data_version', { simple: true }) as number;
}
