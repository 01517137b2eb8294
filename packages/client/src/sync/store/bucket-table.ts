import { must } from '../../must.ts';
import type { SqliteConnection } from '../../driver/contract.ts';

/** A bucket that the client holds. */
export interface LocalBucket {
  readonly id: number;
  /** The position after the last line: the next request's `after`. */
  readonly position: bigint;
  /** Sum of all operations up to there, unsigned 32 bit. */
  readonly checksum: number;
}

/** Priority of buckets that no checkpoint has named yet (spec/protocol.md 2.3). */
const DEFAULT_PRIORITY = 3;

/** Positions and sums of buckets; inside the caller's transaction. */
export class BucketTable {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  positions(): readonly { readonly name: string; readonly after: string }[] {
    const sql = 'SELECT name, CAST(position AS TEXT) FROM sluice_bucket WHERE name IS NOT NULL';
    const rows = this.#connection.prepare(`${sql} ORDER BY id`).all();
    return rows.map(([name, after]) => ({ name: String(name), after: String(after) }));
  }

  find(name: string): LocalBucket | undefined {
    const sql = 'SELECT id, position, checksum FROM sluice_bucket WHERE name = ?';
    const row = this.#connection.prepare(sql).get([name]);
    if (row === undefined) return undefined;
    const [id, position, checksum] = row;
    return { id: Number(id), position: BigInt(String(position)), checksum: Number(checksum) };
  }

  /** The bucket of this name, made if need be. */
  open(name: string): LocalBucket {
    const found = this.find(name);
    if (found !== undefined) return found;
    const sql = 'INSERT INTO sluice_bucket VALUES (NULL, ?, ?, 0, 0, 0, 0)';
    this.#connection.prepare(sql).run([name, DEFAULT_PRIORITY]);
    return must(this.find(name));
  }

  advance(id: number, to: { position: bigint; checksum: number; count: number }): void {
    this.#connection
      .prepare(
        `UPDATE sluice_bucket SET position = ?, checksum = ?, count_since_last = count_since_last + ? WHERE id = ?`,
      )
      .run([to.position, to.checksum, to.count, id]);
  }

  /** What a validated checkpoint says of the bucket. */
  settle(id: number, to: { position: bigint; priority: number }): void {
    this.#connection
      .prepare('UPDATE sluice_bucket SET position = max(position, ?), priority = ? WHERE id = ?')
      .run([to.position, to.priority, id]);
  }

  /** What was downloaded of the bucket counts as had; for progress (spec/protocol.md 8.7). */
  countFrom(name: string, count: number): void {
    this.#connection
      .prepare(
        'UPDATE sluice_bucket SET count_at_last = ?, count_since_last = 0 WHERE name IS NOT NULL AND name = ?',
      )
      .run([count, name]);
  }

  /**
   * The bucket is no longer held: what is staged of it goes at once, what is published when the next
   * publish takes it back.
   */
  retire(name: string): void {
    const bucket = this.find(name);
    if (bucket === undefined) return;
    this.#connection.prepare('DELETE FROM sluice_staged WHERE bucket = ?').run([bucket.id]);
    this.#connection.prepare('UPDATE sluice_bucket SET name = NULL WHERE id = ?').run([bucket.id]);
  }

  names(): readonly string[] {
    const sql = 'SELECT name FROM sluice_bucket WHERE name IS NOT NULL';
    return this.#connection
      .prepare(sql)
      .all()
      .map(([name]) => String(name));
  }

  /** Retired buckets up to a priority. */
  retired(priority: number): readonly number[] {
    const sql = 'SELECT id FROM sluice_bucket WHERE name IS NULL AND priority <= ?';
    return this.#connection
      .prepare(sql)
      .all([priority])
      .map(([id]) => Number(id));
  }

  forget(id: number): void {
    this.#connection.prepare('DELETE FROM sluice_bucket WHERE id = ?').run([id]);
  }
}
