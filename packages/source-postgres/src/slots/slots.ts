import { randomBytes } from 'node:crypto';
import { SourceError, type Clock } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import { quoteLiteral } from '../connect/quoting.ts';
import type { QueryPool } from '../connect/query-pool.ts';
import { serverError } from '../connect/source-error.ts';
import { WireConnection } from '../connect/wire-connection.ts';
import { normalizeLsn } from '../pgoutput/lsn.ts';
import { slotInUse, type SlotState } from './slot-state.ts';

const MAX_SLOT_NAME_BYTES = 63;
const POLL_MS = 50;
const DROP_ATTEMPTS = 3;
const RELEASE_TIMEOUT_MS = 10_000;
/** How much longer than the server the client waits for the end of a statement. */
const GRACE_MS = 5000;

/** `<prefix><generation>_<8 hex digits>`, so that a new place never meets an old one's name. */
export function newSlotName(prefix: string, generation: number | string): string {
  return `${prefix}${generation}_${randomBytes(4).toString('hex')}`.slice(0, MAX_SLOT_NAME_BYTES);
}

/** The state of a slot, or undefined when there is none of that name. */
export async function readSlot(pool: QueryPool, name: string): Promise<SlotState | undefined> {
  const [row] = await pool.query<SlotRow>(
    'Reading the replication slot',
    `SELECT s.slot_name::text AS name, s.plugin::text AS plugin, s.database::text AS database,
       s.active_pid AS pid, s.confirmed_flush_lsn::text AS confirmed,
       to_jsonb(s) ->> 'wal_status' AS wal_status,
       to_jsonb(s) ->> 'invalidation_reason' AS invalidation_reason,
       to_jsonb(s) ->> 'conflicting' AS conflicting
     FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1`,
    [name],
  );
  if (!row) return undefined;
  return {
    name: row.name,
    plugin: row.plugin,
    database: row.database,
    activePid: row.pid,
    walStatus: row.wal_status,
    invalidationReason: row.invalidation_reason,
    conflicting: row.conflicting === 'true',
    confirmedFlush: row.confirmed === null ? null : normalizeLsn(row.confirmed),
  };
}

interface SlotRow {
  readonly name: string;
  readonly plugin: string | null;
  readonly database: string | null;
  readonly pid: number | null;
  readonly confirmed: string | null;
  readonly wal_status: string | null;
  readonly invalidation_reason: string | null;
  readonly conflicting: string | null;
}

/**
 * Creates a logical slot and returns where it begins. PostgreSQL first waits for the end of every
 * transaction that runs now, hence the generous `timeoutMs`. A creation that is given up leaves no
 * slot behind.
 */
export async function createSlot(
  pool: QueryPool,
  name: string,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<SourcePosition> {
  const connection = await WireConnection.open(pool.settings, {
    replication: false,
    signal: options.signal,
  });
  const query = (sql: string) =>
    connection.query(sql, {
      timeoutMs: options.timeoutMs + GRACE_MS,
      doing: 'Creating a replication slot',
    });
  try {
    await query(`SET statement_timeout = ${options.timeoutMs}`);
    const rows = await query(
      `SELECT lsn::text FROM pg_create_logical_replication_slot(${quoteLiteral(name)}, 'pgoutput')`,
    );
    return normalizeLsn(rows[0]?.[0] ?? '');
  } catch (error) {
    // The server may still be at it and finish later. When it cannot be told, `error` says why.
    if (!serverError((error as Error).cause)) {
      const pid = connection.backendPid;
      await pool.query('Cancelling', 'SELECT pg_terminate_backend($1)', [pid]).catch(() => []);
    }
    throw isTimeout(error) ? slotTimeout(options.timeoutMs, error) : error;
  } finally {
    await connection.close();
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'SOURCE_TIMEOUT';
}

function slotTimeout(timeoutMs: number, cause: unknown): SourceError {
  return new SourceError(
    'SOURCE_TIMEOUT',
    `No replication slot could be created within ${timeoutMs} ms: a transaction that was open before has not ended`,
    {
      cause,
      remedy:
        'End it; to find it: SELECT pid, xact_start, query FROM pg_stat_activity ' +
        'WHERE backend_xid IS NOT NULL ORDER BY xact_start',
    },
  );
}

export interface ReleaseOptions {
  readonly clock: Clock;
  readonly isOurs: (pid: number) => boolean;
  /** How long a reader may take to end by itself, and to deliver what it has acknowledged. */
  readonly patienceMs: number;
}

/**
 * Ends readers of the slot that are `ours` and run as the same role, and waits until they are gone.
 * Returns the slot's state then; any other reader, and one that does not go, is left in it.
 */
export async function releaseSlot(
  pool: QueryPool,
  name: string,
  { clock, isOurs, patienceMs }: ReleaseOptions,
): Promise<SlotState | undefined> {
  for (const startedMs = clock.now(); ; await clock.sleep(POLL_MS)) {
    const slot = await readSlot(pool, name);
    if (slot === undefined || slot.activePid === null || !isOurs(slot.activePid)) return slot;
    const waitedMs = clock.now() - startedMs;
    if (waitedMs > RELEASE_TIMEOUT_MS) return slot;
    if (waitedMs < patienceMs) continue;
    await pool.query(
      'Ending a stale reader',
      `SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
       WHERE pid = $1 AND usename = current_user`,
      [slot.activePid],
    );
  }
}

/**
 * Drops a slot, ending a reader of the same role first. One that does not exist is no error.
 *
 * @throws SourceError `SOURCE_SLOT_IN_USE` when a reader of another role does not go away.
 */
export async function dropSlot(pool: QueryPool, name: string, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const slot = await releaseSlot(pool, name, { clock, isOurs: () => true, patienceMs: 0 });
    if (!slot) return;
    if (slot.activePid !== null) throw slotInUse(name, slot.activePid);
    try {
      await pool.query('Dropping a replication slot', 'SELECT pg_drop_replication_slot($1)', [
        name,
      ]);
      return;
    } catch (error) {
      const code = error instanceof SourceError ? error.code : undefined;
      if (code === 'SOURCE_SLOT_LOST') return; // somebody else dropped it meanwhile
      if (code !== 'SOURCE_SLOT_IN_USE' || attempt >= DROP_ATTEMPTS) throw error;
    }
  }
}

/** Names of the slots of this database that `newSlotName` made with this prefix and a number. */
export async function listSlots(pool: QueryPool, prefix: string): Promise<readonly string[]> {
  const rows = await pool.query<{ name: string }>(
    'Listing replication slots',
    `SELECT slot_name::text AS name FROM pg_catalog.pg_replication_slots
     WHERE plugin = 'pgoutput' AND database = current_database() ORDER BY slot_name`,
  );
  return rows
    .map(({ name }) => name)
    .filter(
      (name) => name.startsWith(prefix) && /^\d+_[0-9a-f]{8}$/.test(name.slice(prefix.length)),
    );
}
