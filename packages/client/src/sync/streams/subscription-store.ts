import { inWriteTransaction } from '../../database/transaction.ts';
import type { SqliteConnection, SqlValue } from '../../driver/contract.ts';
import { NO_PARAMS } from './canonical-params.ts';

/** Which stream, with which parameters (canonical JSON). */
export interface StreamKey {
  readonly name: string;
  readonly params: string;
}

/** How long data stays after the last handle went away: seconds, or for ever. */
export type Ttl = number | 'forever';

/** A row of `sluice_stream`. */
export interface StreamRow extends StreamKey {
  readonly id: number;
  readonly priority: number | undefined;
  /** Undefined for a stream that the app did not subscribe to. */
  readonly ttl: Ttl | undefined;
  /** Milliseconds since 1970; undefined for never. */
  readonly expiresAtMs: number | undefined;
  /** Whether the last checkpoint had it. */
  readonly active: boolean;
  readonly isDefault: boolean;
  readonly syncedAtMs: number | undefined;
}

export interface SubscriptionRequest extends StreamKey {
  readonly ttl: Ttl;
  readonly priority: number | undefined;
}

const FOREVER = -1;
const COLUMNS = 'id, name, params, priority, ttl, expires_at, active, is_default, synced_at';

/** Subscriptions in the local database (spec/protocol.md 6.2). Each call is one transaction. */
export class SubscriptionStore {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  /** In the order in which they were made. */
  rows(): readonly StreamRow[] {
    const sql = `SELECT ${COLUMNS} FROM sluice_stream ORDER BY id`;
    return this.#connection.prepare(sql).all().map(streamRow);
  }

  /** The newest ttl counts, and the most urgent priority that was ever asked for. */
  subscribe(requests: readonly SubscriptionRequest[], nowMs: number): void {
    const sql = `INSERT INTO sluice_stream (name, params, priority, ttl, expires_at, active, is_default)
      VALUES (?, ?, ?, ?, ?, 0, 0) ON CONFLICT (name, params) DO UPDATE SET
        priority = min(coalesce(excluded.priority, priority), coalesce(priority, excluded.priority)),
        ttl = excluded.ttl, expires_at = excluded.expires_at`;
    this.#inTransaction(() => {
      for (const { name, params, priority, ttl } of requests) {
        const seconds = ttl === 'forever' ? FOREVER : ttl;
        const expiresAt = ttl === 'forever' ? null : Math.round(nowMs + ttl * 1000);
        this.#connection.prepare(sql).run([name, params, priority ?? null, seconds, expiresAt]);
      }
    });
  }

  /** The app wants it no longer, whatever its ttl. What the service subscribes to by itself stays. */
  forget({ name, params }: StreamKey): void {
    this.#connection
      .prepare(
        'UPDATE sluice_stream SET ttl = NULL, expires_at = NULL, priority = NULL WHERE name = ? AND params = ?',
      )
      .run([name, params]);
  }

  /** Those with a live handle are needed from now on for as long as their ttl. */
  renew(live: readonly StreamKey[], nowMs: number): void {
    if (live.length === 0) return;
    const sql = `UPDATE sluice_stream SET expires_at = CAST(? + ttl * 1000 AS INTEGER)
      WHERE name = ? AND params = ? AND ttl >= 0`;
    this.#inTransaction(() => {
      for (const { name, params } of live) this.#connection.prepare(sql).run([nowMs, name, params]);
    });
  }

  /** Forgets what nobody needs: expired without a live handle, or neither subscribed to nor active. */
  expire(live: readonly StreamKey[], nowMs: number): void {
    const kept = new Set(live.map(keyText));
    const over = this.rows().filter((row) => {
      if (row.ttl === undefined) return !row.active;
      const isOver = row.expiresAtMs !== undefined && row.expiresAtMs <= nowMs;
      return isOver && !kept.has(keyText(row));
    });
    this.#delete(over);
  }

  /**
   * What a checkpoint says of streams: those of the request that it has are active; default streams get a row; what is neither
   * subscribed to nor there any more goes.
   */
  noteStreams(
    streams: readonly { readonly name: string; readonly isDefault: boolean }[],
    requested: ReadonlySet<number>,
  ): void {
    const byName = new Map(streams.map((stream) => [stream.name, stream]));
    this.#inTransaction(() => {
      for (const { name, isDefault } of streams) {
        if (isDefault) this.#addDefault(name);
      }
      for (const row of this.rows()) {
        const stream = byName.get(row.name);
        const isDefault = stream?.isDefault === true && row.params === NO_PARAMS;
        const active = stream !== undefined && (requested.has(row.id) || isDefault);
        this.#connection
          .prepare('UPDATE sluice_stream SET active = ?, is_default = ? WHERE id = ?')
          .run([active, isDefault, row.id]);
      }
      this.#connection.exec('DELETE FROM sluice_stream WHERE ttl IS NULL AND active = 0');
    });
  }

  markSynced(ids: readonly number[], nowMs: number): void {
    if (ids.length === 0) return;
    this.#inTransaction(() => {
      const statement = this.#connection.prepare(
        'UPDATE sluice_stream SET synced_at = ? WHERE id = ?',
      );
      for (const id of ids) statement.run([nowMs, id]);
    });
  }

  #addDefault(name: string): void {
    this.#connection
      .prepare(
        `INSERT INTO sluice_stream (name, params, active, is_default) VALUES (?, '${NO_PARAMS}', 1, 1) ON CONFLICT DO NOTHING`,
      )
      .run([name]);
  }

  #delete(rows: readonly StreamRow[]): void {
    if (rows.length === 0) return;
    this.#inTransaction(() => {
      for (const { id } of rows) {
        this.#connection.prepare('DELETE FROM sluice_stream WHERE id = ?').run([id]);
      }
    });
  }

  #inTransaction(body: () => void): void {
    inWriteTransaction(this.#connection, body);
  }
}

export function keyText({ name, params }: StreamKey): string {
  return `${name}\u0000${params}`;
}

/** From the columns of `sluice_stream` in the order of its layout. */
export function streamRow(row: readonly SqlValue[]): StreamRow {
  const [id, name, params, priority, ttl, expiresAt, active, isDefault, syncedAt] = row;
  return {
    id: Number(id),
    name: String(name),
    params: String(params),
    priority: numberOf(priority),
    ttl: ttl === FOREVER ? 'forever' : numberOf(ttl),
    expiresAtMs: numberOf(expiresAt),
    active: active === 1,
    isDefault: isDefault === 1,
    syncedAtMs: numberOf(syncedAt),
  };
}

function numberOf(value: SqlValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
