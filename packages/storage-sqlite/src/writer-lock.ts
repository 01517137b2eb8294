import { StorageError } from '@sluice/base';
import SqliteDatabase from 'better-sqlite3';
import { asStorageError } from './sqlite-error.ts';

/**
 * At most one process writes to a storage. The lock is an open transaction on a side database
 * that nobody else uses, so the operating system frees it when the process dies, however it dies.
 */
export class WriterLock {
  readonly #db: SqliteDatabase.Database;

  private constructor(db: SqliteDatabase.Database) {
    this.#db = db;
  }

  /** @throws StorageError `STORAGE_LOCKED` at once when the lock is taken. */
  static acquire(path: string): WriterLock {
    let db: SqliteDatabase.Database | undefined;
    try {
      db = new SqliteDatabase(path, { timeout: 0 });
      db.exec('BEGIN EXCLUSIVE');
      return new WriterLock(db);
    } catch (cause) {
      db?.close();
      if (cause instanceof SqliteDatabase.SqliteError && cause.code.startsWith('SQLITE_BUSY')) {
        throw new StorageError('STORAGE_LOCKED', `Another writer holds ${path}`, { cause });
      }
      throw asStorageError(cause);
    }
  }

  release(): void {
    this.#db.close();
  }
}
