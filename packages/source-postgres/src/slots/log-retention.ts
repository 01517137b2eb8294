import type { LogRetention } from '@sluice/source';
import type { QueryPool } from '../connect/query-pool.ts';

const MIB = 1024 * 1024;

/** What pg_replication_slots and max_slot_wal_keep_size say of one slot. */
export async function readLogRetention(
  pool: QueryPool,
  slot: string,
): Promise<LogRetention | undefined> {
  const [row] = await pool.query<RetentionRow>(
    'Reading the replication slot',
    `SELECT s.wal_status::text AS status, s.safe_wal_size::text AS remaining,
       (SELECT g.setting FROM pg_catalog.pg_settings g
        WHERE g.name = 'max_slot_wal_keep_size') AS "limitMib"
     FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1`,
    [slot],
  );
  if (row === undefined) return undefined;
  const limitMib = Number(row.limitMib ?? -1);
  return {
    status: row.status ?? undefined,
    remainingBytes: row.remaining === null ? undefined : Number(row.remaining),
    limitBytes: limitMib < 0 ? undefined : limitMib * MIB, // -1: as much as is needed
  };
}

interface RetentionRow {
  readonly status: string | null;
  readonly remaining: string | null;
  readonly limitMib: string | null;
}
