import type { ChangeSet } from '../../changes/change-set.ts';
import type { SqliteConnection } from '../../driver/contract.ts';
import type { CompiledSchema } from '../../schema/compiled-schema.ts';
import type { PublishScope } from '../sync-store.ts';
import { BucketTable } from './bucket-table.ts';
import { ChangeRecorder } from './change-recorder.ts';
import { RowMerge } from './row-merge.ts';
import { decodeStaged } from './staged-ops.ts';
import { FULL_SYNC } from './sync-layout.ts';

/** Staged lines that are decoded before the next are read. */
const LINES_AT_ONCE = 16;

/**
 * Makes staged operations visible (spec/client.md 4.6): local writes go back to what the server has, then
 * operations are applied in the order in which they came, then what retired buckets held is taken back.
 * Inside the caller's transaction, so that readers see the old state until all of it is there.
 */
export class Publisher {
  readonly #connection: SqliteConnection;
  readonly #buckets: BucketTable;
  readonly #recorder = new ChangeRecorder();
  readonly #merge: RowMerge;

  constructor(connection: SqliteConnection, schema: CompiledSchema) {
    this.#connection = connection;
    this.#buckets = new BucketTable(connection);
    this.#merge = new RowMerge(connection, schema, this.#recorder);
  }

  publish(scope: PublishScope, nowMs: number): ChangeSet {
    this.#capture(false);
    if (scope.kind === 'full') this.#undoLocalWrites();
    this.#applyStaged(scope);
    for (const id of this.#buckets.retired(priorityOf(scope))) this.#takeBack(id);
    this.#note(scope, nowMs);
    this.#capture(true);
    return this.#recorder.changes();
  }

  #capture(on: boolean): void {
    this.#connection.prepare('UPDATE sluice_guard SET applying = ?').run([!on]);
  }

  #undoLocalWrites(): void {
    const shadows = this.#connection.prepare(
      'SELECT t.name, s.id, s.data FROM sluice_shadow AS s JOIN sluice_type AS t ON t.id = s.type',
    );
    for (const [name, id, data] of shadows.all()) {
      const { number, writer } = this.#merge.typeOf(String(name));
      if (writer === undefined) continue;
      const rowId = String(id);
      if (data === null) {
        writer.remove(rowId);
        this.#recorder.removed(writer.table, rowId);
        continue;
      }
      const body = this.#merge.serverBody(writer, number, rowId);
      this.#recorder.written(writer.table, rowId, writer.write(rowId, body));
    }
    this.#connection.exec('DELETE FROM sluice_shadow');
  }

  #applyStaged(scope: PublishScope): void {
    const lines = this.#connection.prepare(
      `SELECT s.id, s.bucket, s.ops FROM sluice_staged AS s JOIN sluice_bucket AS b ON b.id = s.bucket
        WHERE s.id > ? AND b.priority <= ? ORDER BY s.id LIMIT ${LINES_AT_ONCE}`,
    );
    const forget = this.#connection.prepare('DELETE FROM sluice_staged WHERE id = ?');
    for (let last = 0; ;) {
      const batch = lines.all([last, priorityOf(scope)]);
      if (batch.length === 0) return;
      for (const [id, bucket, ops] of batch) {
        last = Number(id);
        for (const op of decodeStaged(String(ops))) this.#merge.apply(Number(bucket), op);
        forget.run([last]);
      }
    }
  }

  /** Rows that a retired bucket held go, unless another bucket has them too. */
  #takeBack(bucket: number): void {
    const rows = this.#connection.prepare(
      `SELECT t.name, r.id, r.subkey FROM sluice_row AS r JOIN sluice_type AS t ON t.id = r.type
        WHERE r.bucket = ? LIMIT 1000`,
    );
    for (;;) {
      const batch = rows.all([bucket]);
      if (batch.length === 0) break;
      for (const [name, id, subkey] of batch) {
        this.#merge.remove(this.#merge.typeOf(String(name)), String(id), bucket, String(subkey));
      }
    }
    this.#buckets.forget(bucket);
  }

  #note(scope: PublishScope, nowMs: number): void {
    const priority = priorityOf(scope);
    this.#connection.prepare('DELETE FROM sluice_sync_state WHERE priority < ?').run([priority]);
    this.#connection
      .prepare('INSERT OR REPLACE INTO sluice_sync_state VALUES (?, ?)')
      .run([priority, nowMs]);
    if (scope.kind === 'partial') return;
    for (const { bucket, count } of scope.buckets) this.#buckets.countFrom(bucket, count);
    this.#connection
      .prepare(`UPDATE sluice_kv SET value = ? WHERE key = 'applied'`)
      .run([scope.writeCheckpoint ?? null]);
  }
}

function priorityOf(scope: PublishScope): number {
  return scope.kind === 'full' ? FULL_SYNC : scope.priority;
}
