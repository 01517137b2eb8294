import type { SqliteConnection } from '../../driver/contract.ts';

/**
 * What the sync store keeps beside the app's tables (docs/decisions/2026-11-25-client.md).
 *
 * sluice_bucket: `name` is NULL once the bucket is retired: its rows stay until a publish takes them back.
 * `checksum` is the sum of all operations up to `position`, unsigned 32 bit.
 *
 * sluice_staged: operations that are downloaded and not yet published, in order of arrival (staged-ops.ts).
 *
 * sluice_row: who holds a row. `data` is NULL where the table has this body; every other holder has its own. There is no
 * index by bucket: it would cost every row, while a bucket that goes costs one walk through all.
 *
 * sluice_sync_state: when (ms since 1970) a priority was last complete; `FULL_SYNC` stands for all.
 */
const LAYOUT = `
CREATE TABLE IF NOT EXISTS sluice_bucket (
  id INTEGER PRIMARY KEY, name TEXT UNIQUE, priority INTEGER NOT NULL, position INTEGER NOT NULL, checksum INTEGER NOT NULL,
  count_at_last INTEGER NOT NULL, count_since_last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sluice_staged (id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, type TEXT NOT NULL, is_plain INTEGER NOT NULL,
  puts INTEGER NOT NULL, removals INTEGER NOT NULL, ops TEXT NOT NULL, bodies TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sluice_row (
  type INTEGER NOT NULL, id TEXT NOT NULL, bucket INTEGER NOT NULL, subkey TEXT NOT NULL, op_id INTEGER NOT NULL, data TEXT,
  PRIMARY KEY (type, id, bucket, subkey)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sluice_sync_state (priority INTEGER PRIMARY KEY, synced_at INTEGER NOT NULL);
`;

/** The priority under which a full sync is noted (spec/protocol.md 8.1). */
export const FULL_SYNC = 2147483647;

/**
 * What an earlier version staged is in a form that is not read any more. Its buckets are retired, and so downloaded anew; what is published
 * stays until the next publish.
 */
const LET_STAGED_GO = `
UPDATE sluice_bucket SET name = NULL WHERE id IN (SELECT bucket FROM sluice_staged);
DROP TABLE sluice_staged;
`;

/** Makes the tables that are not there yet. */
export function createSyncLayout(connection: SqliteConnection): void {
  const columns = connection.prepare(`SELECT name FROM pragma_table_info('sluice_staged')`).all();
  if (columns.length > 0 && !columns.some(([name]) => name === 'is_plain')) {
    connection.exec(LET_STAGED_GO);
  }
  connection.exec(LAYOUT);
}
