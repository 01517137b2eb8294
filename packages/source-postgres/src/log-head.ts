import type { SourcePosition } from '@sluice/model';
import type { QueryPool } from './connect/query-pool.ts';
import { normalizeLsn } from './pgoutput/lsn.ts';

/**
 * Where the next record of the log will go. Unlike the flush position it also covers commits with
 * `synchronous_commit = off`, which others see before they are on disk.
 */
export async function readLogHead(pool: QueryPool): Promise<SourcePosition> {
  const [row] = await pool.query<{ lsn: string }>(
    'Reading the log position',
    'SELECT pg_current_wal_insert_lsn()::text AS lsn',
  );
  return normalizeLsn(row?.lsn ?? '');
}

/**
 * Writes a logical message behind everything before, and gets it to disk at once, because a WAL
 * sender only sends what has been flushed. A message outside transactions alone would wait for the
 * WAL writer. PostgreSQL 17 can flush it; before, a transaction id makes the end of the statement
 * a commit, which flushes the log.
 */
export async function writeMark(pool: QueryPool): Promise<void> {
  const sql =
    (await pool.serverVersion()) >= 170_000
      ? `SELECT pg_logical_emit_message(false, 'powersync', 'ping', true)`
      : `SELECT pg_logical_emit_message(false, 'powersync', 'ping'), pg_current_xact_id()`;
  await pool.query('Writing to the log', sql);
}
