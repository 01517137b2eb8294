import { expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing/database.ts';
import { tableOf } from '../testing/tables.ts';
import { formatEntry } from './entry-values.ts';
import { LocalWriteGate } from './local-write-gate.ts';
import { UploadQueue } from './upload-queue.ts';
import { MAX_OP } from './write-gate.ts';

interface Fixture extends TestDatabase {
  readonly queue: UploadQueue;
  readonly gate: LocalWriteGate;
}

/** Transactions of the given sizes, with rows r1, r2, ... */
function queued(...sizes: readonly number[]): Fixture {
  const db = testDatabase([
    tableOf('t', ['n INTEGER', 's TEXT', 'r REAL'], { trackPrevious: ['n'] }),
  ]);
  let row = 0;
  for (const size of sizes) {
    const sets = Array.from({ length: size }, () => [`r${++row}`, row]);
    db.session.executeBatch('INSERT INTO t (id, n) VALUES (?, ?)', sets);
  }
  return { ...db, queue: new UploadQueue(db.connection), gate: new LocalWriteGate(db.connection) };
}

const ids = (part: { readonly crud: readonly { readonly id: string }[] } | undefined) =>
  part?.crud.map(({ id }) => id);

test('a batch has the oldest entries and knows exactly whether there are more', () => {
  const { queue } = queued(2, 1);
  expect(ids(queue.batch(2))).toEqual(['r1', 'r2']);
  expect(queue.batch(2)?.haveMore).toBe(true);
  expect(queue.batch(3)?.haveMore).toBe(false);
  expect(() => queue.batch(0)).toThrow(/at least one/);
  queue.batch()?.complete();
  expect(queue.batch()).toBeUndefined();
  expect(queue.nextTransaction()).toBeUndefined();
});

test('transactions come in order, and completing one completes those before it', () => {
  const { queue } = queued(2, 1, 3);
  const all = [...queue.transactions()];
  expect(all.map(ids)).toEqual([['r1', 'r2'], ['r3'], ['r4', 'r5', 'r6']]);
  expect(all.map(({ transactionId }) => transactionId)).toEqual([1, 2, 3]);
  all[1]?.complete();
  expect(ids(queue.nextTransaction())).toEqual(['r4', 'r5', 'r6']);
  all[0]?.complete();
  expect(ids(queue.batch())).toEqual(['r4', 'r5', 'r6']);
});

test('entries without a transaction stand alone', () => {
  const { queue, connection } = queued(2, 1);
  connection.exec('UPDATE sluice_crud SET tx_id = NULL');
  expect([...queue.transactions()].map(ids)).toEqual([['r1'], ['r2'], ['r3']]);
});

test('completing twice does not close the gate again', () => {
  const { queue, gate } = queued(1);
  const batch = queue.batch();
  batch?.complete();
  expect(gate.settle(gate.state().sequence, 5n)).toBe(true);
  batch?.complete();
  expect(gate.state().target).toBe(5n);
});

// spec/client.md 1.4, 7.3 (1)
test('a custom write checkpoint becomes the target of the emptied queue only', () => {
  const { queue, gate } = queued(1, 1);
  const [first, second] = [...queue.transactions()];
  first?.complete('41');
  expect(gate.state().target).toBe(MAX_OP);
  second?.complete(42);
  expect(gate.state().target).toBe(42n);
  expect(() => second?.complete('x')).toThrow(/whole number/);
});

// spec/client.md 3.3, step 6
test('the gate settles only if nothing was written since the upload', () => {
  const { queue, gate, session } = queued(1);
  const { sequence } = gate.state();
  expect(gate.settle(sequence, 5n)).toBe(false);
  queue.batch()?.complete();
  session.execute(`INSERT INTO t (id) VALUES ('later')`);
  queue.batch()?.complete();
  expect(gate.settle(sequence, 5n)).toBe(false);
  expect(gate.state()).toEqual({ target: MAX_OP, seen: undefined, pending: 0, sequence: 2 });
  expect(gate.settle(2, 6n)).toBe(true);
  expect(gate.state().target).toBe(6n);
  expect(gate.settle(2, 7n)).toBe(false);
});

test('a local write after the gate settled arms it again', () => {
  const { queue, gate, session } = queued(1);
  queue.batch()?.complete();
  gate.settle(1, 5n);
  session.execute(`UPDATE t SET n = 9`);
  expect(gate.state()).toEqual({ target: MAX_OP, seen: undefined, pending: 1, sequence: 2 });
});

// spec/client.md 7.3 (3, 16)
test('statistics count true bytes and the age of the oldest entry', () => {
  const { queue, connection, session, entries } = queued();
  expect(queue.stats(0, true)).toEqual({
    count: 0,
    size: 0,
    oldestAgeMs: undefined,
    deadLetters: 0,
  });
  session.execute(`INSERT INTO t (id, s) VALUES ('a', '😀'), ('b', 'x')`);
  connection.exec('UPDATE sluice_crud SET created_at = 1000 + id');
  const bytes = entries().reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0);
  expect(queue.stats(5001, true)).toEqual({
    count: 2,
    size: bytes,
    oldestAgeMs: 4000,
    deadLetters: 0,
  });
  expect(queue.stats(5001).size).toBeUndefined();
});

test('an entry is made with the time of its transaction', () => {
  const before = Date.now();
  const { query } = queued(1);
  const [[time] = []] = query('SELECT created_at FROM sluice_crud');
  expect(Number(time)).toBeGreaterThanOrEqual(before - 1);
  expect(Number(time)).toBeLessThanOrEqual(Date.now() + 1);
});

test('integers are exact in entries and in their JSON form', () => {
  const { queue, session } = queued();
  session.execute('INSERT INTO t (id, n, s) VALUES (?, ?, ?)', [
    'a "1234567890123456789"',
    9223372036854775807n,
    '12345678901234567890 {"digits":"1"}',
  ]);
  session.execute('UPDATE t SET n = ?, r = 3', [-9007199254740993n]);
  session.execute('DELETE FROM t');
  const crud = queue.batch()?.crud ?? [];
  expect(crud.map(({ op, opData, previousValues }) => ({ op, opData, previousValues }))).toEqual([
    {
      op: 'PUT',
      opData: { n: 9223372036854775807n, s: '12345678901234567890 {"digits":"1"}' },
      previousValues: undefined,
    },
    {
      op: 'PATCH',
      opData: { n: -9007199254740993n, r: 3 },
      previousValues: { n: 9223372036854775807n },
    },
    { op: 'DELETE', opData: undefined, previousValues: { n: -9007199254740993n } },
  ]);
  expect(crud.slice(1).map(formatEntry)).toEqual([
    String.raw`{"op_id":2,"op":"PATCH","type":"t","id":"a \"1234567890123456789\"","tx_id":2,"data":{"n":-9007199254740993,"r":3},"old":{"n":9223372036854775807}}`,
    String.raw`{"op_id":3,"op":"DELETE","type":"t","id":"a \"1234567890123456789\"","tx_id":3,"old":{"n":-9007199254740993}}`,
  ]);
});

// spec/client.md 9
test('100,000 entries are worked off in time that grows with their number', () => {
  const { queue, connection } = queued();
  connection.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO sluice_crud (tx_id, data, created_at)
      SELECT i / 10, '{"op":"PUT","id":"r' || i || '","type":"t","data":{"n":1}}', 0 FROM n`);
  const drain = (limit: number) => {
    const start = performance.now();
    let count = 0;
    for (let batch = queue.batch(); batch !== undefined && count < limit; batch = queue.batch()) {
      count += batch.crud.length;
      batch.complete();
    }
    return performance.now() - start;
  };
  const [full, last] = [drain(50_000), drain(50_000)];
  expect(queue.batch()).toBeUndefined();
  // Were every batch to look at all that wait, the first half would take three times as long as the second.
  expect(full).toBeLessThan(2 * last + 500);
});
