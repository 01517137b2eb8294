import { inWriteTransaction } from '../../database/transaction.ts';
import type { SqliteConnection } from '../../driver/contract.ts';
import { streamRow, type StreamRow } from '../streams/subscription-store.ts';
import type { BucketCount } from './progress.ts';
import type { StatusFacts } from './sync-status.ts';

export interface PersistedStatus {
  readonly syncedAt: StatusFacts['syncedAt'];
  readonly streams: readonly StreamRow[];
}

/** Both tables are small: their size is that of what the app subscribes to, not of its data. */
const PERSISTED = `
SELECT NULL, NULL, NULL, priority, NULL, NULL, NULL, NULL, synced_at FROM sluice_sync_state
UNION ALL SELECT id, name, params, priority, ttl, expires_at, active, is_default, synced_at FROM sluice_stream`;

/** What the local database knows of the status. */
export class StatusStore {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** What holds before anything is connected; one query that reads no data. */
  load(): PersistedStatus {
    const rows = this.#connection.prepare(PERSISTED).all();
    const syncedAt = rows
      .filter(([id]) => id === null)
      .map((row) => ({ priority: Number(row[3]), atMs: Number(row[8]) }))
      .toSorted((a, b) => b.priority - a.priority);
    const streams = rows.filter(([id]) => id !== null).map(streamRow);
    return { syncedAt, streams: streams.toSorted((a, b) => a.id - b.id) };
  }

  counts(): ReadonlyMap<string, BucketCount> {
    const sql =
      'SELECT name, count_at_last, count_since_last FROM sluice_bucket WHERE name IS NOT NULL';
    const rows = this.#connection.prepare(sql).all();
    return new Map(
      rows.map(([name, atLast, sinceLast]) => [
        String(name),
        { atLast: Number(atLast), sinceLast: Number(sinceLast) },
      ]),
    );
  }

  /** Counting begins anew (spec/protocol.md 8.7). */
  resetCounts(): void {
    inWriteTransaction(this.#connection, () =>
      this.#connection.exec('UPDATE sluice_bucket SET count_at_last = 0, count_since_last = 0'),
    );
  }
}
