import { openConnection } from '@sluice/client-node';
import type { Op } from '@sluice/protocol';
import { SeededRandom } from '@sluice/testing';
import { expect, onTestFinished, test } from 'vitest';
import { LocalWriteGate } from '../../crud/local-write-gate.ts';
import { installSchema } from '../../schema/install-schema.ts';
import { tableOf } from '../../testing/tables.ts';
import { SqliteSyncStore } from './sqlite-sync-store.ts';
import { createSyncLayout } from './sync-layout.ts';

const TYPES = ['tasks', 'notes'];
const SCHEMA = { tables: TYPES.map((type) => tableOf(type, ['t TEXT', 'n REAL'])) };
const BUCKETS = ['a', 'b', 'c'];
/** Enough for a download to count as a large one (publisher.ts). */
const LARGE = JSON.stringify({ t: 'x'.repeat(100_000) });

interface Line {
  readonly bucket: string;
  readonly ops: readonly Op[];
}

/** A client of its own, over a connection of its own. */
function client() {
  const connection = openConnection(':memory:');
  onTestFinished(() => connection.close());
  installSchema(connection, SCHEMA);
  createSyncLayout(connection);
  const gate = new LocalWriteGate(connection);
  const store = new SqliteSyncStore({ connection, schema: SCHEMA, gate, now: () => 0 });
  const all = (sql: string) => connection.prepare(sql).all();
  return {
    connection,
    store,
    all,
    ingest: (lines: readonly Line[]): void => {
      const data = { kind: 'data', after: 0n, nextAfter: 0n, hasMore: false } as const;
      store.ingest(lines.map((line) => ({ ...data, ...line })));
    },
    publish: (): void => {
      const scope = {
        kind: 'full',
        lastOpId: 0n,
        writeCheckpoint: undefined,
        buckets: [],
      } as const;
      expect(store.publish(scope).kind).toBe('published');
    },
    /** What an app sees, and what of it the tables do not show. */
    rows: () =>
      TYPES.map((type) => all(`SELECT * FROM ${type} WHERE id <> 'first' ORDER BY id`)).concat([
        all(
          `SELECT t.name, r.id, data FROM sluice_rest AS r JOIN sluice_type AS t ON t.id = r.type ORDER BY 1, 2`,
        ),
        all(
          `SELECT t.name, r.id, b.name, subkey, op_id, data IS NULL FROM sluice_row AS r JOIN sluice_type AS t ON t.id = r.type
            JOIN sluice_bucket AS b ON b.id = r.bucket WHERE r.id <> 'first' ORDER BY 1, 2, 3, 4`,
        ),
      ]),
  };
}

function put(opId: bigint, objectType: string, objectId: string, data: string, subkey = 's'): Op {
  return { kind: 'PUT', opId, objectType, objectId, subkey, checksum: 0, data };
}

/** Of some rows there are many operations, of most only one. */
function randomOp(random: SeededRandom, opId: bigint): Op {
  const objectType = random.pick(TYPES);
  const objectId = random.chance(0.5) ? `often "${random.int(8)}"` : `row-${random.int(1000)}`;
  const subkey = random.pick(['s', 't']);
  if (random.chance(0.2)) {
    return { kind: 'REMOVE', opId, objectType, objectId, subkey, checksum: 0 };
  }
  const more = random.chance(0.3) ? { more: `${opId}` } : {};
  const data = JSON.stringify({ id: objectId, t: `text ${opId}`, n: random.int(100), ...more });
  // What SQLite does not read by itself.
  const written = random.chance(0.02) ? data.replace('"n":', '"n":1e1') : data;
  return put(opId, objectType, objectId, written, subkey);
}

/** Each bucket in its order, one beside the other. */
function randomDownload(random: SeededRandom): readonly Line[] {
  const logs = new Map(BUCKETS.map((bucket): [string, Op[]] => [bucket, []]));
  const buckets = random.pick([BUCKETS, ['a']]);
  const length = 1 + random.int(400);
  for (let opId = 1n; opId <= length; opId += 1n) {
    logs.get(random.pick(buckets))?.push(randomOp(random, opId));
  }
  const lines: Line[] = [];
  for (;;) {
    const rest = [...logs].filter(([, ops]) => ops.length > 0);
    if (rest.length === 0) break;
    const [bucket, ops] = random.pick(rest);
    lines.push({ bucket, ops: ops.splice(0, 1 + random.int(40)) });
  }
  const last = TYPES.map((type) => put(1000n, type, 'large', LARGE));
  return [...lines, { bucket: 'a', ops: last }];
}

const firstSeed = Number(process.env['SEED'] ?? Date.now() % 1e9);

test.each(Array.from({ length: 30 }, (_, round) => firstSeed + round))(
  'seed %i: however often rows come in a first download, filling in bulk has the result of going row by row, also once buckets go',
  (seed) => {
    const lines = randomDownload(new SeededRandom(seed));
    const [bulk, byRow] = [client(), client()];
    byRow.ingest([{ bucket: 'a', ops: TYPES.map((type) => put(0n, type, 'first', '{}')) }]);
    byRow.publish();
    for (const each of [bulk, byRow]) {
      each.ingest(lines);
      each.publish();
    }
    expect(bulk.rows()).toEqual(byRow.rows());
    for (const bucket of ['b', 'c']) {
      for (const each of [bulk, byRow]) {
        each.store.remove([bucket]);
        each.publish();
      }
      expect(bulk.rows(), `without ${bucket}`).toEqual(byRow.rows());
    }
    expect(bulk.all('SELECT count(*) FROM temp.sqlite_schema')).toEqual([[0]]);
    expect(bulk.all('SELECT count(*) FROM sluice_staged')).toEqual([[0]]);
  },
);

test('the newest operation of a row is shown, and the others keep their bodies', () => {
  const { ingest, publish, all } = client();
  ingest([
    { bucket: 'a', ops: [put(5n, 'tasks', 'x', '{"t":"newest"}'), put(6n, 'tasks', 'y', LARGE)] },
    { bucket: 'b', ops: [put(3n, 'tasks', 'x', '{"t":"older"}')] },
    { bucket: 'b', ops: [put(4n, 'tasks', 'x', '{"t":"other"}', 'u')] },
  ]);
  publish();
  expect(all(`SELECT t FROM tasks WHERE id = 'x'`)).toEqual([['newest']]);
  expect(all(`SELECT op_id, data FROM sluice_row WHERE id = 'x' ORDER BY op_id`)).toEqual([
    [3, '{"t":"older"}'],
    [4, '{"t":"other"}'],
    [5, null],
  ]);
});

test('a row that the app added and deleted before its first download is still there when that is undone', () => {
  const { connection, ingest, publish, store, all } = client();
  connection.exec(`INSERT INTO tasks VALUES ('x', 'mine', 1); DELETE FROM tasks WHERE id = 'x'`);
  const ops = [put(1n, 'tasks', 'x', '{"t":"theirs"}'), put(2n, 'tasks', 'y', LARGE)];
  ingest([{ bucket: 'a', ops }]);
  const buckets = [{ bucket: 'a', checksum: 0, count: 2, priority: 0, subscriptions: [] }];
  const scope = { kind: 'partial', priority: 0, lastOpId: 2n, buckets } as const;
  expect(store.validate(scope)).toEqual([]);
  expect(store.publish(scope).kind).toBe('published');
  connection.exec(
    `DELETE FROM sluice_crud; UPDATE sluice_kv SET value = NULL WHERE key = 'target'`,
  );
  publish();
  expect(all(`SELECT t FROM tasks WHERE id = 'x'`)).toEqual([['theirs']]);
});
