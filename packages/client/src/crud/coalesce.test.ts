import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { compileTable } from '../schema/compile-table.ts';
import { column } from '../schema/column.ts';
import { Table } from '../schema/table.ts';
import { testDatabase } from '../testing/database.ts';
import type { CrudEntry } from './crud-entry.ts';
import { UploadQueue } from './upload-queue.ts';

const COLUMNS = { b: column.text, a: column.integer, r: column.real };
const TABLES = [
  compileTable('t', new Table(COLUMNS)),
  compileTable('tracked', new Table(COLUMNS, { trackPrevious: true, trackMetadata: true })),
  compileTable('changed', new Table(COLUMNS, { trackPrevious: { onlyWhenChanged: true } })),
];

/** Each element is a transaction. */
function queued(...transactions: readonly (string | readonly string[])[]) {
  const database = testDatabase(TABLES);
  const queue = new UploadQueue(database.connection);
  for (const statements of transactions) {
    database.session.begin();
    for (const sql of [statements].flat()) database.session.execute(sql);
    database.session.commit();
  }
  return { ...database, queue };
}

const put = (id: string, table = 't') => `INSERT INTO ${table} (id, a) VALUES ('${id}', 1)`;
const set = (id: string, change: string, table = 't') =>
  `UPDATE ${table} SET ${change} WHERE id = '${id}'`;
const remove = (id: string, table = 't') => `DELETE FROM ${table} WHERE id = '${id}'`;

describe('changes of one row that stand side by side', () => {
  test.each<
    [
      what: string,
      transactions: readonly (string | readonly string[])[],
      entries: readonly string[],
    ]
  >([
    [
      'an insertion and its changes are one insertion, of what is not null',
      [put('x'), set('x', `b = 'B', r = 3`), set('x', 'a = NULL')],
      ['{"op":"PUT","id":"x","type":"t","data":{"b":"B","r":3.0}}'],
    ],
    [
      'the later value counts, nulls and digits as they are written',
      [
        [put('x'), put('y')],
        set('x', 'a = 9007199254740993, r = 0.1'),
        set('x', `r = 2, b = NULL`),
        set('x', `b = 'q"}{,'`),
      ],
      [
        '{"op":"PUT","id":"x","type":"t","data":{"a":1}}',
        '{"op":"PUT","id":"y","type":"t","data":{"a":1}}',
        String.raw`{"op":"PATCH","id":"x","type":"t","data":{"a":9007199254740993,"b":"q\"}{,","r":2.0}}`,
      ],
    ],
    [
      'one that is deleted again is deleted, as it may have replaced another one',
      [put('x'), set('x', 'a = 2'), remove('x')],
      ['{"op":"DELETE","id":"x","type":"t"}'],
    ],
    [
      'one that comes back after its deletion stays two',
      [put('x'), remove('x'), put('x')],
      ['{"op":"DELETE","id":"x","type":"t"}', '{"op":"PUT","id":"x","type":"t","data":{"a":1}}'],
    ],
    [
      'inside a transaction they are merged where they are',
      [[put('x'), set('x', 'a = 2'), put('y'), set('x', 'a = 3')]],
      [
        '{"op":"PUT","id":"x","type":"t","data":{"a":2}}',
        '{"op":"PUT","id":"y","type":"t","data":{"a":1}}',
        '{"op":"PATCH","id":"x","type":"t","data":{"a":3}}',
      ],
    ],
    [
      'a transaction with anything else is not torn apart',
      [put('x'), [set('x', 'a = 2'), put('y')], set('y', 'a = 3')],
      [
        '{"op":"PUT","id":"x","type":"t","data":{"a":1}}',
        '{"op":"PATCH","id":"x","type":"t","data":{"a":2}}',
        '{"op":"PUT","id":"y","type":"t","data":{"a":1}}',
        '{"op":"PATCH","id":"y","type":"t","data":{"a":3}}',
      ],
    ],
    [
      'nothing changes places with another row',
      [put('x'), put('y'), set('x', 'a = 2')],
      [
        '{"op":"PUT","id":"x","type":"t","data":{"a":1}}',
        '{"op":"PUT","id":"y","type":"t","data":{"a":1}}',
        '{"op":"PATCH","id":"x","type":"t","data":{"a":2}}',
      ],
    ],
    [
      'what was before is what was before all of them',
      [
        [put('y', 'changed'), put('x', 'changed'), put('y')],
        set('x', 'a = 2', 'changed'),
        set('x', `b = 'B', a = 3`, 'changed'),
      ],
      [
        '{"op":"PUT","id":"y","type":"changed","data":{"a":1}}',
        '{"op":"PUT","id":"x","type":"changed","data":{"a":1}}',
        '{"op":"PUT","id":"y","type":"t","data":{"a":1}}',
        '{"op":"PATCH","id":"x","type":"changed","data":{"a":3,"b":"B"},"old":{"b":null,"a":1}}',
      ],
    ],
    [
      'and of a deletion, too',
      [[put('x', 'tracked'), put('y')], set('x', 'a = 2', 'tracked'), remove('x', 'tracked')],
      [
        '{"op":"PUT","id":"x","type":"tracked","data":{"a":1}}',
        '{"op":"PUT","id":"y","type":"t","data":{"a":1}}',
        '{"op":"DELETE","id":"x","type":"tracked","old":{"b":null,"a":1,"r":null}}',
      ],
    ],
    [
      'those with other metadata stay apart',
      [
        [put('x', 'tracked'), put('y')],
        set('x', `a = 2, _metadata = 'm'`, 'tracked'),
        set('x', `a = 3, _metadata = 'm'`, 'tracked'),
        set('x', `a = 4, _metadata = 'n'`, 'tracked'),
      ],
      [
        '{"op":"PUT","id":"x","type":"tracked","data":{"a":1}}',
        '{"op":"PUT","id":"y","type":"t","data":{"a":1}}',
        '{"op":"PATCH","id":"x","type":"tracked","data":{"a":3},"old":{"b":null,"a":1,"r":null},"metadata":"m"}',
        '{"op":"PATCH","id":"x","type":"tracked","data":{"a":4},"old":{"b":null,"a":3,"r":null},"metadata":"n"}',
      ],
    ],
  ])('%s', (_, transactions, expected) => {
    const { queue, entries } = queued(...transactions);
    const before = entries().length;
    expect(queue.coalesce()).toBe(before - expected.length);
    expect(entries()).toEqual(expected);
    expect(queue.coalesce()).toBe(0);
  });

  test('keep the place, the id and the age of the first one', () => {
    const { queue, query } = queued(put('x'), set('x', 'a = 2'), set('x', 'a = 3'));
    const [first] = query('SELECT id, tx_id, created_at FROM sluice_crud');
    queue.coalesce();
    expect(query('SELECT id, tx_id, created_at FROM sluice_crud')).toEqual([first]);
  });

  test('that were given out stay as they are, also when the app begins anew', () => {
    const world = queued(put('x'), set('x', 'a = 2'));
    world.queue.batch(1);
    world.session.execute(set('x', 'a = 3'));
    expect(new UploadQueue(world.connection).coalesce()).toBe(1);
    expect(world.entries().map((data) => data.slice(0, 13))).toEqual([
      '{"op":"PUT","',
      '{"op":"PATCH"',
    ]);
    world.queue.nextTransaction();
    for (const { crud } of world.queue.transactions()) expect(crud).toHaveLength(1);
    world.session.execute(set('x', 'a = 4'));
    expect(world.queue.coalesce()).toBe(0);
    expect(world.entries()).toHaveLength(3);
  });

  test('of a database that an earlier version has made are all taken for sent', () => {
    const world = queued(put('x'), set('x', 'a = 2'));
    world.connection.exec(`DELETE FROM sluice_kv WHERE key = 'sent'`);
    expect(world.queue.coalesce()).toBe(0);
    world.session.execute(set('x', 'a = 3'));
    world.session.execute(set('x', 'a = 4'));
    expect(world.queue.coalesce()).toBe(1);
  });
});

const IDS = ['x', 'y', 'z'];

/** A backend that applies each queue id once, as idempotency keys let it. */
class Backend {
  readonly rows = new Map<string, Record<string, unknown>>();
  /** What came first under each queue id. */
  readonly seen = new Map<number, string>();

  take(entry: CrudEntry): void {
    const text = JSON.stringify(entry, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    const known = this.seen.get(entry.clientId);
    expect(known ?? text).toBe(text);
    if (known !== undefined) return;
    this.seen.set(entry.clientId, text);
    const { op, id, opData } = entry;
    if (op === 'DELETE') this.rows.delete(id);
    else if (op === 'PUT') this.rows.set(id, { ...opData });
    else this.rows.set(id, { ...this.rows.get(id), ...opData });
  }
}

const seed = Number(process.env['SEED'] ?? Date.now() % 1e9);

test.each(Array.from({ length: 20 }, (_, n) => seed + n))(
  'random writes and uploads with lost answers leave the backend with the rows of the app, each entry as it was first sent (seed %i)',
  (each) => {
    const random = new SeededRandom(each);
    const { session, queue, query } = queued();
    const backend = new Backend();
    let sent = 0;
    const upload = (limit: number): void => {
      queue.coalesce();
      const batch = queue.batch(limit);
      const reached = random.chance(0.3) ? random.int(limit) : limit;
      for (const entry of batch?.crud.slice(0, reached) ?? []) backend.take(entry);
      sent += batch?.crud.length ?? 0;
      if (reached === limit && random.chance(0.7)) batch?.complete();
    };
    for (let step = 0; step < 150; step += 1) {
      const id = random.pick(IDS);
      const value = random.int(1000);
      const statements = [
        `INSERT INTO t (id, a) VALUES ('${id}', ${value}) ON CONFLICT (id) DO UPDATE SET a = excluded.a`,
        set(id, `a = ${value}`),
        set(id, `b = '${value}', r = ${value} / 4.0`),
        set(id, `b = NULL`),
        `INSERT OR REPLACE INTO t (id, b) VALUES ('${id}', '${value}')`,
        remove(id),
      ];
      session.begin();
      const count = random.chance(0.8) ? 1 : 3;
      for (let at = 0; at < count; at += 1) session.execute(random.pick(statements));
      session.commit();
      if (random.chance(0.15)) upload(1 + random.int(6));
    }
    while (queue.oldest() !== undefined) upload(100);
    expect(sent).toBeGreaterThan(0);
    const local = query('SELECT id, a, b, r FROM t ORDER BY id');
    const remote = [...backend.rows]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { a = null, b = null, r = null }]) => [id, a, b, r]);
    expect(remote).toEqual(local);
  },
);
