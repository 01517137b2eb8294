import type { SqliteConnection } from '@sluice/client';
import type { SqliteModule } from './sqlite-module.ts';
import { WasmConnection, type OpenOptions } from './wasm-connection.ts';

export interface WasmConnectionOptions extends OpenOptions {
  /** Memory for pages; 50 MB if left out. */
  readonly cacheBytes?: number | undefined;
}

const CACHE_BYTES = 50 << 20;
/** 8 MB, twice SQLite's default: half the flushes during a first sync, and a log that is soon read at a start after a crash. */
const LOG_PAGES = 2000;

/**
 * Opens a connection with a write-ahead log, where readers and the writer do not wait for each other.
 *
 * @throws SqlError
 */
export function openWasmConnection(
  module: SqliteModule,
  { cacheBytes = CACHE_BYTES, ...options }: WasmConnectionOptions,
): SqliteConnection {
  const connection = WasmConnection.open(module, options);
  try {
    // The module's default is on: then OR REPLACE would be captured as a DELETE and a PUT.
    connection.exec('PRAGMA recursive_triggers = 0');
    connection.exec(`PRAGMA cache_size = -${Math.ceil(cacheBytes / 1024)}`);
    if (!options.readonly) {
      connection.exec(`PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    }
    connection.exec('PRAGMA synchronous = NORMAL');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
