import type { FileSharing } from '@sluice/client';
import { guarded } from './better-sqlite-connection.ts';
import { sqliteLibrary } from './sqlite-library.ts';

/** How soon what another process wrote is seen, and its end noticed. */
const POLL_MS = 250;

/**
 * For a database that several processes have open. Whoever syncs holds SQLite's exclusive lock on an empty file beside it
 * (`-lead`), which the system takes away when the process ends, however it ends.
 */
export function fileSharing(file: string, onProblem: (problem: unknown) => void): FileSharing {
  return {
    tryLead: () => tryLock(`${file}-lead`),
    repeat: (callback) => {
      const timer = setInterval(() => {
        try {
          callback();
        } catch (error) {
          onProblem(error);
        }
      }, POLL_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

/** @throws SqlError where the file cannot be opened */
function tryLock(file: string): (() => void) | undefined {
  const Sqlite = sqliteLibrary();
  const db = guarded('', () => new Sqlite(file, { timeout: 0 }));
  try {
    db.exec('BEGIN EXCLUSIVE');
    return () => db.close();
  } catch (error) {
    db.close();
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY'))
      return undefined;
    throw error;
  }
}
