import type { SqliteConnection } from '@sluice/client';
import { BetterSqliteConnection, guarded } from './better-sqlite-connection.ts';
import { sqliteLibrary } from './sqlite-library.ts';

export interface ConnectionOptions {
  /** A reader never writes and does not make the file. */
  readonly readonly?: boolean;
  /** Memory for pages. */
  readonly cacheBytes?: number;
  /** How long a statement waits for another connection's lock. */
  readonly busyTimeoutMs?: number;
}

const CACHE_BYTES = 50 << 20;
/** 16 MB, four times SQLite's default: a first sync waits less often for the disk. */
const LOG_PAGES = 4000;
const BUSY_TIMEOUT_MS = 30_000;

/**
 * Opens one connection to a database file in WAL mode, where readers and the writer do not wait
 * for each other; `:memory:` for one that is gone with its connection.
 *
 * @throws SqlError
 */
export function openConnection(file: string, options: ConnectionOptions = {}): SqliteConnection {
  const readonly = options.readonly ?? false;
  const timeout = options.busyTimeoutMs ?? BUSY_TIMEOUT_MS;
  const Sqlite = sqliteLibrary();
  const db = guarded('', () => new Sqlite(file, { readonly, timeout }));
  guarded('PRAGMA', () => {
    if (!readonly) {
      db.pragma('journal_mode = WAL');
      db.pragma(`wal_autocheckpoint = ${LOG_PAGES}`);
    }
    db.pragma('synchronous = NORMAL');
    db.pragma(`cache_size = -${Math.ceil((options.cacheBytes ?? CACHE_BYTES) / 1024)}`);
  });
  return new BetterSqliteConnection(db);
}
