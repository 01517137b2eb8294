import type { SqliteConnection } from '../../driver/contract.ts';

/** Enough for what a line or the rows of it touch. */
const SMALL_KB = 8 * 1024;

/**
 * Runs `body` with a small cache of pages. Much that is written once, and next read when it is no longer in any cache, would else push out what is of
 * use, and SQLite takes as much again for what it sorts.
 */
export function withSmallCache<T>(connection: SqliteConnection, body: () => T): T {
  // Below zero it is in kB.
  const former = Number(connection.prepare('PRAGMA cache_size').get()?.[0] ?? 0);
  if (former > -SMALL_KB) return body();
  connection.exec(`PRAGMA cache_size = -${SMALL_KB}`);
  try {
    return body();
  } finally {
    connection.exec(`PRAGMA cache_size = ${former}`);
  }
}
