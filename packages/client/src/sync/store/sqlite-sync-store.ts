import type { DataLine, PutOp, RemoveOp } from '@sluice/protocol';
import type { WriteGate } from '../../crud/write-gate.ts';
import { inWriteTransaction } from '../../database/transaction.ts';
import { withoutConstraints } from '../../database/without-constraints.ts';
import type { SqliteConnection } from '../../driver/contract.ts';
import type { CompiledSchema } from '../../schema/compiled-schema.ts';
import type { PublishResult, PublishScope, SyncStore } from '../sync-store.ts';
import { BucketTable, type LocalBucket } from './bucket-table.ts';
import { hasHiddenRows } from './hidden-rows.ts';
import { Publisher } from './publisher.ts';
import { withSmallCache } from './small-cache.ts';
import { encodeStaged } from './staged-ops.ts';

/** Of one transaction's rows. */
const LARGE_BYTES = 100_000;

export interface SyncStoreOptions {
  readonly connection: SqliteConnection;
  readonly schema: CompiledSchema;
  readonly gate: Pick<WriteGate, 'state'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The sync store in the app's database (docs/decisions/2026-11-25-client.md). */
export class SqliteSyncStore implements SyncStore {
  readonly #options: SyncStoreOptions;
  readonly #connection: SqliteConnection;
  readonly #buckets: BucketTable;

  constructor(options: SyncStoreOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#buckets = new BucketTable(options.connection);
  }

  positions(): readonly { readonly name: string; readonly after: string }[] {
    return this.#buckets.positions();
  }

  retain(bucketNames: ReadonlySet<string>): void {
    this.remove(this.#buckets.names().filter((name) => !bucketNames.has(name)));
  }

  remove(bucketNames: readonly string[]): void {
    if (bucketNames.length === 0) return;
    this.#inTransaction(() => {
      for (const name of bucketNames) this.#buckets.retire(name);
    });
  }

  ingest(lines: readonly DataLine[]): void {
    const ingest = (): void =>
      this.#inTransaction(() => {
        for (const line of lines) this.#ingestLine(line);
      });
    if (isLarge(lines)) withSmallCache(this.#connection, ingest);
    else ingest();
  }

  validate(scope: PublishScope): readonly string[] {
    return this.#inTransaction(() => {
      const wrong = scope.buckets.filter(
        ({ bucket, checksum }) => (this.#buckets.find(bucket)?.checksum ?? 0) !== checksum >>> 0,
      );
      for (const { bucket } of wrong) this.#buckets.retire(bucket);
      if (wrong.length > 0) return wrong.map(({ bucket }) => bucket);
      for (const { bucket, priority } of scope.buckets) {
        this.#buckets.settle(this.#buckets.open(bucket).id, {
          position: scope.lastOpId,
          priority,
        });
      }
      if (scope.kind === 'full' && scope.writeCheckpoint !== undefined) {
        this.#connection
          .prepare(`UPDATE sluice_kv SET value = ? WHERE key = 'seen'`)
          .run([scope.writeCheckpoint]);
      }
      return [];
    });
  }

  publish(scope: PublishScope): PublishResult {
    const { connection, schema, now } = this.#options;
    const publish = (): PublishResult =>
      this.#inTransaction(() => {
        if (!this.#isOpenFor(scope)) return { kind: 'closed' };
        const changes = new Publisher(connection, schema).publish(scope, now());
        return { kind: 'published', changes };
      });
    return this.#hasConstraints() ? withoutConstraints(connection, publish) : publish();
  }

  /** To switch them off makes SQLite compile every statement anew, which most databases need not pay. */
  #hasConstraints(): boolean {
    const { connection, schema } = this.#options;
    if (schema.tables.some(({ columns }) => columns.some(({ constraint }) => constraint !== ''))) {
      return true;
    }
    const sql = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%REFERENCES%' LIMIT 1`;
    return connection.prepare(sql).get() !== undefined;
  }

  /** Priority 0 passes the gate; all else waits for local writes to be acknowledged (spec/client.md 3.5). */
  #isOpenFor(scope: PublishScope): boolean {
    if (scope.kind === 'partial' && hasHiddenRows(this.#connection)) return false;
    if (scope.kind === 'partial' && scope.priority === 0) return true;
    const { pending, target, seen } = this.#options.gate.state();
    return pending === 0 && (target === undefined || target <= (seen ?? 0n));
  }

  #ingestLine({ bucket: name, ops }: DataLine): void {
    let bucket = this.#buckets.open(name);
    let checksum = bucket.checksum;
    let rows: (PutOp | RemoveOp)[] = [];
    for (const op of ops) {
      if (op.kind === 'CLEAR') {
        bucket = this.#renew(name);
        checksum = op.checksum >>> 0;
        rows = [];
        continue;
      }
      checksum = (checksum + op.checksum) >>> 0;
      if (op.kind !== 'MOVE') rows.push(op);
    }
    const position = ops.at(-1)?.opId ?? bucket.position;
    this.#buckets.advance(bucket.id, { position, checksum, count: ops.length });
    const stage = this.#connection.prepare(
      `INSERT INTO sluice_staged (bucket, type, is_plain, puts, removals, ops, bodies) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const { type, isPlain, puts, removals, ops: tuples, bodies } of encodeStaged(rows)) {
      stage.run([bucket.id, type, isPlain, puts, removals, tuples, bodies]);
    }
  }

  /** Everything that the bucket held is void: another takes its name. */
  #renew(name: string): LocalBucket {
    this.#buckets.retire(name);
    return this.#buckets.open(name);
  }

  #inTransaction<T>(body: () => T): T {
    return inWriteTransaction(this.#connection, body);
  }
}

/** Whether a first download, or as much as one, is coming. */
function isLarge(lines: readonly DataLine[]): boolean {
  let bytes = 0;
  for (const { ops } of lines) {
    for (const op of ops) if (op.kind === 'PUT') bytes += op.data.length;
    if (bytes >= LARGE_BYTES) return true;
  }
  return false;
}
