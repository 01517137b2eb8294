import type { SqliteConnection } from '../driver/contract.ts';

/**
 * Runs `body` in one write transaction of the connection, or in the one that is open: then its failure
 * leaves that one as it was before, and it can go on.
 */
export function inWriteTransaction<T>(connection: SqliteConnection, body: () => T): T {
  const nested = connection.inTransaction;
  connection.exec(nested ? 'SAVEPOINT sluice_nested' : 'BEGIN IMMEDIATE');
  try {
    const result = body();
    connection.exec(nested ? 'RELEASE sluice_nested' : 'COMMIT');
    return result;
  } catch (error) {
    // An error may have ended the whole transaction already (disk full, ON CONFLICT ROLLBACK).
    if (connection.inTransaction) {
      connection.exec(nested ? 'ROLLBACK TO sluice_nested; RELEASE sluice_nested' : 'ROLLBACK');
    }
    throw error;
  }
}
