import type { ChangeSet } from '../../changes/change-set.ts';
import type { SqliteConnection } from '../../driver/contract.ts';
import type { CompiledSchema } from '../../schema/compiled-schema.ts';
import type { PublishScope } from '../sync-store.ts';
import { BucketTable } from './bucket-table.ts';
import { BulkFill, canFill, type FillLine, type FillTarget } from './bulk-fill.ts';
import { ChangeRecorder } from './change-recorder.ts';
import { hasHiddenRows, unhideRows } from './hidden-rows.ts';
import { RowMerge } from './row-merge.ts';
import { serverBody } from './server-body.ts';
import { withSmallCache } from './small-cache.ts';
import { decodeStaged, type StagedOp } from './staged-ops.ts';
import { FULL_SYNC } from './sync-layout.ts';

/** Staged lines that are looked for at once; what they hold is read one by one. */
const LINES_AT_ONCE = 256;

/** From here on it pays to take indexes off an empty table and put them back: as much as a type has staged. */
const LARGE_BYTES = 100_000;

interface StagedLineOf extends FillLine {
  readonly type: string;
}

/**
 * Makes staged operations visible (spec/client.md 4.6): local writes go back to what the server has, then
 * operations are applied in the order in which they came, then what retired buckets held is taken back.
 * Inside the caller's transaction, so that readers see the old state until all of it is there.
 */
export class Publisher {
  readonly #connection: SqliteConnection;
  readonly #buckets: BucketTable;
  readonly #recorder = new ChangeRecorder();
  readonly #schema: CompiledSchema;

  constructor(connection: SqliteConnection, schema: CompiledSchema) {
    this.#connection = connection;
    this.#schema = schema;
    this.#buckets = new BucketTable(connection);
  }

  publish(scope: PublishScope, nowMs: number): ChangeSet {
    this.#capture(false);
    if (scope.kind === 'full') this.#undoLocalWrites();
    if (hasHiddenRows(this.#connection)) this.#unhide();
    this.#applyStaged(scope);
    this.#takeBack(this.#buckets.retired(priorityOf(scope)));
    this.#note(scope, nowMs);
    this.#capture(true);
    return this.#recorder.changes();
  }

  #unhide(): void {
    const synced = this.#schema.tables.filter(({ kind }) => kind === 'synced');
    unhideRows(this.#connection, synced);
    for (const table of synced) this.#recorder.many(table);
  }

  #newMerge(): RowMerge {
    return new RowMerge(this.#connection, this.#schema, this.#recorder);
  }

  #capture(on: boolean): void {
    this.#connection.prepare('UPDATE sluice_guard SET applying = ?').run([!on]);
  }

  #undoLocalWrites(): void {
    const merge = this.#newMerge();
    const shadows = this.#connection.prepare(
      'SELECT t.name, s.id, s.data FROM sluice_shadow AS s JOIN sluice_type AS t ON t.id = s.type',
    );
    for (const [name, id, data] of shadows.all()) {
      const { number, writer } = merge.typeOf(String(name));
      if (writer === undefined) continue;
      const rowId = String(id);
      if (data === null) {
        writer.remove(rowId);
        this.#recorder.removed(writer.table, rowId);
        continue;
      }
      const body = serverBody(this.#connection, { writer, type: number, id: rowId });
      this.#recorder.written(writer.table, rowId, writer.write(rowId, body));
    }
    this.#connection.exec('DELETE FROM sluice_shadow');
  }

  #applyStaged(scope: PublishScope): void {
    const merge = this.#newMerge();
    const targets = this.#fillTargets(merge, priorityOf(scope));
    if (targets.length === 0) return this.#applyLines(scope, merge, new Map());
    const fills = withSmallCache(this.#connection, () =>
      targets.map((target) => new BulkFill(this.#connection, target)),
    );
    const fillAll = (): void => {
      const byType = new Map(fills.map((fill) => [fill.objectType, fill]));
      this.#applyLines(scope, merge, byType);
      for (const fill of fills) fill.finish();
    };
    // Contested rows are written here and there.
    if (fills.some(({ isContested }) => isContested)) fillAll();
    else withSmallCache(this.#connection, fillAll);
  }

  /** Lines go as they are published, so that their pages are there for the rows. */
  #applyLines(scope: PublishScope, merge: RowMerge, fills: ReadonlyMap<string, BulkFill>): void {
    const drop = this.#connection.prepare('DELETE FROM sluice_staged WHERE id = ?');
    for (const line of this.#stagedLines(scope)) {
      const fill = fills.get(line.type);
      if (fill !== undefined) fill.append(line);
      else for (const op of line.ops()) merge.apply(line.bucket, op);
      drop.run([line.id]);
    }
  }

  /** Types of which much has come, and of which there was nothing. */
  #fillTargets(merge: RowMerge, priority: number): readonly FillTarget[] {
    return this.#largeTypes(priority).flatMap((objectType) => {
      const { number: type, writer } = merge.typeOf(objectType);
      if (writer === undefined || !canFill(this.#connection, type, writer.table)) return [];
      this.#recorder.many(writer.table);
      return [{ type, writer, priority }];
    });
  }

  #largeTypes(priority: number): readonly string[] {
    const sql = `SELECT s.type, octet_length(s.bodies) FROM sluice_staged AS s
      JOIN sluice_bucket AS b ON b.id = s.bucket WHERE b.priority <= ?`;
    const bytes = new Map<string, number>();
    for (const [type, length] of this.#connection.prepare(sql).all([priority])) {
      bytes.set(String(type), (bytes.get(String(type)) ?? 0) + Number(length));
    }
    return [...bytes].flatMap(([type, length]) => (length < LARGE_BYTES ? [] : [type]));
  }

  *#stagedLines(scope: PublishScope): Generator<StagedLineOf> {
    const lines = this.#connection.prepare(
      `SELECT s.id, s.bucket, s.type, s.is_plain FROM sluice_staged AS s JOIN sluice_bucket AS b ON b.id = s.bucket
        WHERE s.id > ? AND b.priority <= ? ORDER BY s.id LIMIT ${LINES_AT_ONCE}`,
    );
    for (let last = 0; ;) {
      const batch = lines.all([last, priorityOf(scope)]);
      if (batch.length === 0) return;
      for (const [id, bucket, type, isPlain] of batch) {
        last = Number(id);
        yield {
          id: Number(id),
          bucket: Number(bucket),
          type: String(type),
          isPlain: isPlain === 1,
          ops: () => this.#opsOf(Number(id), String(type)),
        };
      }
    }
  }

  #opsOf(stagedId: number, type: string): readonly StagedOp[] {
    const line = this.#connection.prepare('SELECT ops, bodies FROM sluice_staged WHERE id = ?');
    const [ops, bodies] = line.get([stagedId]) ?? [];
    return decodeStaged({ type, ops: String(ops), bodies: String(bodies) });
  }

  /** Rows that retired buckets held go, unless another bucket has them too. */
  #takeBack(buckets: readonly number[]): void {
    if (buckets.length === 0) return;
    const merge = this.#newMerge();
    const rows = this.#connection.prepare(
      `SELECT t.name, r.id, r.bucket, r.subkey FROM sluice_row AS r JOIN sluice_type AS t ON t.id = r.type
        WHERE r.bucket IN (${buckets.join(', ')}) LIMIT 10000`,
    );
    for (;;) {
      const batch = rows.all();
      if (batch.length === 0) break;
      for (const [name, id, bucket, subkey] of batch) {
        merge.remove(merge.typeOf(String(name)), String(id), Number(bucket), String(subkey));
      }
    }
    for (const id of buckets) this.#buckets.forget(id);
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
