import { abortReason, SourceError } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { SnapshotChunk } from '@sluice/source';
import { quoteName } from '../connect/quoting.ts';
import type { ConnectionSettings } from '../connect/settings.ts';
import { WireConnection } from '../connect/wire-connection.ts';
import { normalizeLsn } from '../pgoutput/lsn.ts';
import { copyRows } from './copy-rows.ts';
import type { SnapshotPlan } from './snapshot-query.ts';

const ROWS_PER_CHUNK = 2000;
const BYTES_PER_CHUNK = 8 * 1024 * 1024;

export interface ExactSnapshot {
  readonly connection: WireConnection;
  readonly exactAt: SourcePosition;
}

/**
 * Opens a transaction that sees the source as of one position of the log: a temporary logical slot
 * gives it. The server builds the slot's snapshot from the log itself, so the border is sharp. A
 * transaction is visible exactly if its commit record lies before the slot's consistent point, which
 * is the end of a record; and the position of a `commit` event is the end of its commit record. So
 * a transaction is in the snapshot exactly if its commit event's position is <= `exactAt`.
 *
 * Like creating any slot, this waits for the end of the transactions that run at the moment. It takes
 * one slot and one WAL sender for as long as the table is being read.
 */
export async function openExactSnapshot(options: {
  readonly settings: ConnectionSettings;
  readonly slotName: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<ExactSnapshot> {
  const connection = await WireConnection.open(options.settings, {
    replication: true,
    signal: options.signal,
  });
  const query = (sql: string) =>
    connection.query(sql, { timeoutMs: options.timeoutMs, doing: 'Opening an exact snapshot' });
  try {
    await query('BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ');
    const rows = await query(
      `CREATE_REPLICATION_SLOT ${quoteName(options.slotName)} TEMPORARY LOGICAL pgoutput USE_SNAPSHOT`,
    );
    const consistentPoint = rows[0]?.[1];
    if (!consistentPoint) throw new SourceError('SOURCE_PROTOCOL', 'A new slot has no position');
    return { connection, exactAt: normalizeLsn(consistentPoint) };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Reads a whole table as of the snapshot; closes the connection at the end. */
export async function* exactChunks(
  { connection, exactAt }: ExactSnapshot,
  options: {
    readonly plan: SnapshotPlan;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<SnapshotChunk> {
  try {
    const batches = copyRows(connection, {
      sql: options.plan.copySql(undefined),
      decoders: options.plan.decoders,
      maxRows: ROWS_PER_CHUNK,
      maxBytes: BYTES_PER_CHUNK,
      timeoutMs: options.timeoutMs,
    });
    for await (const rows of batches) yield { rows, progress: undefined, position: exactAt };
  } catch (error) {
    if (options.signal.aborted) throw abortReason(options.signal);
    throw error;
  } finally {
    await connection.close();
  }
}
