import { AppError, StorageError, type ErrorCode } from '@sluice/base';
import SqliteDatabase from 'better-sqlite3';

/** Prefixes of SQLite's result codes, extended ones included. Anything else is a bug of ours. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['SQLITE_FULL', 'STORAGE_FULL'],
  ['SQLITE_CORRUPT', 'STORAGE_CORRUPT'],
  ['SQLITE_NOTADB', 'STORAGE_CORRUPT'],
  ['SQLITE_CANTOPEN', 'STORAGE_UNAVAILABLE'],
  ['SQLITE_PERM', 'STORAGE_UNAVAILABLE'],
  ['SQLITE_READONLY', 'STORAGE_UNAVAILABLE'],
  ['SQLITE_IOERR', 'STORAGE_UNAVAILABLE'],
  ['SQLITE_BUSY', 'STORAGE_UNAVAILABLE'],
  ['SQLITE_PROTOCOL', 'STORAGE_UNAVAILABLE'],
  ['SQLITE_NOMEM', 'STORAGE_UNAVAILABLE'],
];

/** What a failed call on a database means for the caller of storage. */
export function asStorageError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof SqliteDatabase.SqliteError) {
    const known = CODES.find(([prefix]) => error.code.startsWith(prefix));
    const text = `Bucket storage: ${error.message} (${error.code})`;
    return new StorageError(known?.[1] ?? 'INTERNAL_BUG', text, { cause: error });
  }
  // better-sqlite3 reports these two as plain TypeErrors without a code.
  if (error instanceof TypeError && error.message.includes('connection is not open')) {
    return new StorageError('STORAGE_CLOSED', 'Bucket storage is closed', { cause: error });
  }
  if (error instanceof TypeError && error.message.startsWith('Cannot open database')) {
    const text = `Bucket storage cannot be opened: ${error.message}`;
    return new StorageError('STORAGE_UNAVAILABLE', text, { cause: error });
  }
  const text = error instanceof Error ? error.message : String(error);
  return new StorageError('INTERNAL_BUG', text, { cause: error });
}

/**
 * Runs calls on a database; whatever they throw becomes a `StorageError`.
 *
 * @throws StorageError `STORAGE_CLOSED` also when there would have been nothing to do.
 */
export function guarded<T>(db: SqliteDatabase.Database | undefined, run: () => T): T {
  if (db?.open === false) throw new StorageError('STORAGE_CLOSED', 'Bucket storage is closed');
  try {
    return run();
  } catch (error) {
    throw asStorageError(error);
  }
}
