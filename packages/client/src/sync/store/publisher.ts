import type { ChangeSet } from '../../changes/change-set.ts';
import type { SqliteConnection } from '../../driver/contract.ts';
import type { CompiledSchema, CompiledTable } from '../../schema/compiled-schema.ts';
import { quoteName } from '../../schema/sql-text.ts';
import type { PublishScope } from '../sync-store.ts';
import { BucketTable } from './bucket-table.ts';
import { BulkFill } from './bulk-fill.ts';
import { ChangeRecorder } from './change-recorder.ts';
import { hasHiddenRows, unhideRows } from './hidden-rows.ts';
import { RowMerge } from './row-merge.ts';
import { serverBody } from './server-body.ts';
import { decodeStaged, type StagedOp } from './staged-ops.ts';
import { FULL_SYNC } from './sync-layout.ts';

/** Staged lines that are looked for at once; what they hold is read one by one. */
const LINES_AT_ONCE = 256;

/** From here on it pays to take indexes off an empty table and put them back. */
const LARGE_BYTES = 100_000;

interface StagedLineOf {
  readonly id: number;
  readonly bucket: number;
  /** The object type, where the line has rows of one only, and no removals. */
  readonly type: string | undefined;
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

  /** Tables that turn out not to be fit for filling in bulk are done row by row in another attempt. */
  #applyStaged(scope: PublishScope): void {
    const byRow = new Set<string>();
    for (;;) {
      this.#connection.exec('SAVEPOINT sluice_attempt');
      const unfit = this.#attempt(scope, byRow);
      if (unfit === undefined) break;
      this.#connection.exec('ROLLBACK TO sluice_attempt; RELEASE sluice_attempt');
      byRow.add(unfit);
    }
    this.#connection.exec('RELEASE sluice_attempt');
    this.#connection
      .prepare(
        'DELETE FROM sluice_staged WHERE bucket IN (SELECT id FROM sluice_bucket WHERE priority <= ?)',
      )
      .run([priorityOf(scope)]);
  }

  /** Returns an object type that is not fit for filling in bulk. */
  #attempt(scope: PublishScope, byRow: ReadonlySet<string>): string | undefined {
    const merge = this.#newMerge();
    const fills = new Map<string, BulkFill | undefined>();
    const isLarge = this.#isLarge();
    const fillOf = (type: string): BulkFill | undefined => {
      if (!fills.has(type)) {
        const isFit = isLarge && !byRow.has(type);
        fills.set(type, isFit ? this.#bulkFill(merge, type) : undefined);
      }
      return fills.get(type);
    };
    for (const { id, bucket, type } of this.#stagedLines(scope)) {
      const lineFill = type === undefined ? undefined : fillOf(type);
      if (lineFill !== undefined) {
        lineFill.appendLine(id);
        continue;
      }
      for (const op of this.#opsOf(id)) {
        const fill = fillOf(op.objectType);
        if (fill === undefined) merge.apply(bucket, op);
        else if (op.data === null) return op.objectType;
        else fill.append(bucket, op, op.data);
      }
    }
    for (const [type, fill] of fills) {
      if (fill?.finish(priorityOf(scope)) === false) return type;
    }
    return undefined;
  }

  #bulkFill(merge: RowMerge, objectType: string): BulkFill | undefined {
    const { number, writer } = merge.typeOf(objectType);
    if (writer === undefined || !isUntouched(this.#connection, number, writer.table)) {
      return undefined;
    }
    this.#recorder.many(writer.table);
    return new BulkFill(this.#connection, { type: number, writer });
  }

  #isLarge(): boolean {
    const sql = `SELECT sum(octet_length(bodies)) FROM (SELECT bodies FROM sluice_staged LIMIT 16)`;
    return Number(this.#connection.prepare(sql).get()?.[0] ?? 0) >= LARGE_BYTES;
  }

  *#stagedLines(scope: PublishScope): Generator<StagedLineOf> {
    const lines = this.#connection.prepare(
      `SELECT s.id, s.bucket, s.type FROM sluice_staged AS s JOIN sluice_bucket AS b ON b.id = s.bucket
        WHERE s.id > ? AND b.priority <= ? ORDER BY s.id LIMIT ${LINES_AT_ONCE}`,
    );
    for (let last = 0; ;) {
      const batch = lines.all([last, priorityOf(scope)]);
      if (batch.length === 0) return;
      for (const [id, bucket, type] of batch) {
        last = Number(id);
        yield { id: last, bucket: Number(bucket), type: type === null ? undefined : String(type) };
      }
    }
  }

  #opsOf(stagedId: number): readonly StagedOp[] {
    const line = this.#connection.prepare('SELECT ops, bodies FROM sluice_staged WHERE id = ?');
    const [ops, bodies] = line.get([stagedId]) ?? [];
    return decodeStaged({ ops: String(ops), bodies: String(bodies) });
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

function isUntouched(
  connection: SqliteConnection,
  type: number,
  { viewName }: CompiledTable,
): boolean {
  const sql = `SELECT EXISTS (SELECT 1 FROM ${quoteName(viewName)}) OR EXISTS (SELECT 1 FROM sluice_row WHERE type = ?)`;
  return connection.prepare(sql).get([type])?.[0] === 0;
}
