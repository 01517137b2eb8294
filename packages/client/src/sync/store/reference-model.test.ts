import { openConnection } from '@sluice/client-node';
import { BucketReplica, type CheckpointBucket, type Op } from '@sluice/protocol';
import { SeededRandom } from '@sluice/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { MAX_OP } from '../../crud/write-gate.ts';
import type { SqliteConnection } from '../../driver/contract.ts';
import { installSchema } from '../../schema/install-schema.ts';
import { tableOf } from '../../testing/tables.ts';
import type { PublishScope } from '../sync-store.ts';
import { SqliteSyncStore } from './sqlite-sync-store.ts';
import { createSyncLayout } from './sync-layout.ts';

const TABLE = tableOf('tasks', ['title TEXT', 'n INTEGER']);
const BUCKETS = ['a', 'b', 'c'];
const PRIORITIES: Readonly<Record<string, number>> = { a: 1, b: 2, c: 3 };
const ROWS = ['r1', 'r2', 'r3', 'r4', 'r5'];
const ROUNDS = 40;
const STEPS = 120;

const connections: SqliteConnection[] = [];
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
});

/** A service with three buckets, a client, and the client's rules written down once more, without SQL. */
class World {
  readonly #random: SeededRandom;
  readonly connection = openConnection(':memory:');
  readonly store: SqliteSyncStore;
  #opId = 0n;
  #local = 0;
  readonly #logs = new Map<string, Op[]>();
  /** What the client has of each bucket, by the rules of the protocol package. */
  readonly #replicas = new Map<string, BucketReplica>();
  /** Published rows as an app sees them, local writes included. */
  #visible = new Map<string, unknown>();
  #pending = false;

  constructor(random: SeededRandom) {
    this.#random = random;
    connections.push(this.connection);
    installSchema(this.connection, { tables: [TABLE] });
    createSyncLayout(this.connection);
    this.store = new SqliteSyncStore({
      connection: this.connection,
      schema: { tables: [TABLE] },
      gate: { state: () => this.#gate() },
      now: () => 0,
    });
  }

  step(): void {
    this.#random.pick([
      () => this.#change(),
      () => this.#change(),
      () => this.#download(),
      () => this.#download(),
      () => this.#compact(),
      () => this.#localWrite(),
      () => this.#acknowledge(),
      () => this.#complete(),
      () => this.#completePartly(),
      () => this.#drop(),
    ])();
    this.#expectVisible();
  }

  /** Everything comes to rest: all is downloaded, acknowledged and published. */
  settle(): void {
    for (const name of BUCKETS) this.#downloadAll(name);
    this.#acknowledge();
    this.#complete();
    this.#expectVisible();
  }

  #change(): void {
    const name = this.#random.pick(BUCKETS);
    const [objectId, subkey] = [this.#random.pick(ROWS), this.#random.pick(['s', 't'])];
    const identity = { objectType: 'tasks', objectId, subkey };
    this.#opId += BigInt(1 + this.#random.int(3));
    const opId = this.#opId;
    const checksum = this.#random.int(2 ** 32);
    const data = JSON.stringify({
      id: objectId,
      title: `${name}${opId}`,
      n: Number(opId),
      x: name,
    });
    this.#log(name).push(
      this.#random.chance(0.7)
        ? { kind: 'PUT', opId, ...identity, checksum, data }
        : { kind: 'REMOVE', opId, ...identity, checksum },
    );
  }

  /** A CLEAR that stands for some of the oldest operations, while the client may be anywhere. */
  #compact(): void {
    const name = this.#random.pick(BUCKETS);
    const log = this.#log(name);
    const run = log.slice(0, this.#random.int(log.length + 1));
    const last = run.at(-1);
    if (last === undefined) return;
    const live = new BucketReplica().apply(run);
    const kept = live.puts();
    const first = kept.reduce((least, { opId }) => (opId < least ? opId : least), MAX_OP);
    const cleared = run.filter(({ opId }) => opId < first);
    const end = cleared.at(-1);
    if (end === undefined) return;
    const checksum = new BucketReplica().apply(cleared).checksum;
    log.splice(0, cleared.length, { kind: 'CLEAR', opId: end.opId, checksum });
  }

  #download(): void {
    const name = this.#random.pick(BUCKETS);
    const missing = this.#missing(name);
    if (missing.length > 0) this.#ingest(name, missing.slice(0, 1 + this.#random.int(4)));
  }

  #downloadAll(name: string): void {
    const missing = this.#missing(name);
    if (missing.length > 0) this.#ingest(name, missing);
  }

  #missing(name: string): Op[] {
    const position = this.#position(name);
    return this.#log(name).filter(({ opId }) => opId > position);
  }

  #position(name: string): bigint {
    const found = this.store.positions().find((bucket) => bucket.name === name);
    return BigInt(found?.after ?? '0');
  }

  #ingest(name: string, ops: readonly Op[]): void {
    const nextAfter = ops.at(-1)?.opId ?? 0n;
    const after = this.#position(name);
    this.store.ingest([{ kind: 'data', bucket: name, ops, after, nextAfter, hasMore: false }]);
    this.#replicas.set(name, (this.#replicas.get(name) ?? new BucketReplica()).apply(ops));
  }

  #localWrite(): void {
    this.#local += 1;
    const id = this.#random.pick(ROWS);
    const title = `local${this.#local}`;
    this.#random.pick([
      () => {
        this.#sql('INSERT OR REPLACE INTO tasks VALUES (?, ?, 0)', [id, title]);
        this.#visible.set(id, [id, title, 0]);
      },
      () => {
        this.#sql('DELETE FROM tasks WHERE id = ?', [id]);
        this.#visible.delete(id);
      },
    ])();
    this.#pending = this.#gate().pending > 0;
  }

  /** The uploads arrive, and the service says so with the next checkpoint. */
  #acknowledge(): void {
    this.connection.exec(
      `DELETE FROM sluice_crud; UPDATE sluice_kv SET value = NULL WHERE key = 'target'`,
    );
    this.#pending = false;
  }

  #complete(): void {
    const names = BUCKETS.filter((name) => this.#missing(name).length === 0);
    this.store.retain(new Set(names));
    for (const name of BUCKETS) if (!names.includes(name)) this.#replicas.delete(name);
    const scope = this.#scope(names);
    expect(this.store.validate({ ...scope, kind: 'full', writeCheckpoint: undefined })).toEqual([]);
    const result = this.store.publish({ ...scope, kind: 'full', writeCheckpoint: undefined });
    expect(result.kind).toBe(this.#pending ? 'closed' : 'published');
    if (!this.#pending) this.#visible = this.#newest(names);
  }

  /** Only that it is refused or done as a whole: what a partial publish shows is tested case by case. */
  #completePartly(): void {
    const names = ['a', 'b'].filter((name) => this.#missing(name).length === 0);
    if (names.length < 2) return;
    const scope: PublishScope = { ...this.#scope(names), kind: 'partial', priority: 2 };
    expect(this.store.validate(scope)).toEqual([]);
    if (this.store.publish(scope).kind === 'published') this.#visible = this.#rows();
  }

  /** A checksum that is wrong costs the bucket, and nothing else. */
  #drop(): void {
    if (!this.#random.chance(0.3)) return;
    const name = this.#random.pick(BUCKETS);
    if (this.#missing(name).length > 0 || this.#log(name).length === 0) return;
    const [bucket] = this.#scope([name]).buckets;
    if (bucket === undefined) return;
    const wrong = [{ ...bucket, checksum: bucket.checksum ^ 1 }];
    const scope = { lastOpId: this.#opId, kind: 'full', writeCheckpoint: undefined } as const;
    expect(this.store.validate({ ...scope, buckets: wrong })).toEqual([name]);
    this.#replicas.delete(name);
  }

  #scope(names: readonly string[]): { lastOpId: bigint; buckets: CheckpointBucket[] } {
    const buckets = names.map((name) => ({
      bucket: name,
      checksum: new BucketReplica().apply(this.#log(name)).checksum | 0,
      count: this.#log(name).length,
      priority: PRIORITIES[name] ?? 3,
      subscriptions: [],
    }));
    return { lastOpId: this.#opId, buckets };
  }

  #newest(names: readonly string[]): Map<string, unknown> {
    const newest = new Map<string, { opId: bigint; row: unknown }>();
    for (const name of names) {
      for (const { objectId, opId, data } of this.#replicas.get(name)?.rows() ?? []) {
        if ((newest.get(objectId)?.opId ?? 0n) > opId) continue;
        const { id, title, n } = JSON.parse(data) as Record<string, unknown>;
        newest.set(objectId, { opId, row: [id, title, n] });
      }
    }
    return new Map([...newest].map(([id, { row }]) => [id, row]));
  }

  #expectVisible(): void {
    expect(Object.fromEntries(this.#rows())).toEqual(Object.fromEntries(this.#visible));
  }

  #rows(): Map<string, unknown> {
    const rows = this.connection.prepare('SELECT id, title, n FROM tasks ORDER BY id').all();
    return new Map(rows.map((row) => [String(row[0]), row]));
  }

  #gate() {
    const [pending] = this.connection.prepare('SELECT count(*) FROM sluice_crud').get() ?? [];
    const sql = `SELECT value FROM sluice_kv WHERE key = 'target'`;
    const [target] = this.connection.prepare(sql).get() ?? [];
    return {
      pending: Number(pending),
      target: target === null ? undefined : BigInt(String(target)),
      seen: undefined,
      sequence: 0,
    };
  }

  #sql(sql: string, parameters: readonly string[]): void {
    this.connection.prepare(sql).run(parameters);
  }

  #log(name: string): Op[] {
    const log = this.#logs.get(name) ?? [];
    this.#logs.set(name, log);
    return log;
  }
}

describe('random histories of changes, downloads, local writes and checkpoints', () => {
  const seed = Number(process.env['SEED'] ?? 20261125);
  test.each(Array.from({ length: ROUNDS }, (_, round) => seed + round))(
    'seed %i: an app sees the newest rows of what was completed, and its own writes',
    (round) => {
      const world = new World(new SeededRandom(round));
      for (let step = 0; step < STEPS; step++) world.step();
      world.settle();
    },
  );
});
