import { expect, test } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { tableOf } from '../testing/tables.ts';
import { DeadLetters } from './dead-letters.ts';
import { LocalWriteGate } from './local-write-gate.ts';
import type { EntryOutcome } from './outcomes.ts';
import { UploadQueue } from './upload-queue.ts';
import { MAX_OP } from './write-gate.ts';

const ok: EntryOutcome = { kind: 'ok' };
const reject: EntryOutcome = { kind: 'reject', reason: 'no' };
const park: EntryOutcome = { kind: 'park', reason: 'later' };

function fixture() {
  const db = testDatabase([tableOf('t', ['n INTEGER'])]);
  db.session.execute(`INSERT INTO t VALUES ('a', 1), ('b', 2)`);
  db.session.execute(`UPDATE t SET n = 3 WHERE id = 'a'`);
  db.session.execute(`INSERT INTO t VALUES ('c', 4)`);
  const [queue, letters] = [new UploadQueue(db.connection), new DeadLetters(db.connection)];
  const settle = (outcomes: readonly (readonly [number, EntryOutcome])[]) =>
    letters.settle(queue.batch()?.crud ?? [], new Map(outcomes), 1000);
  const waiting = () => queue.batch()?.crud.map(({ clientId }) => clientId) ?? [];
  const dead = () => letters.list().map(({ entry, state }) => [entry.clientId, state]);
  return { ...db, queue, letters, settle, waiting, dead, gate: new LocalWriteGate(db.connection) };
}

test.each<
  [
    title: string,
    outcomes: readonly (readonly [number, EntryOutcome])[],
    waiting: number[],
    dead: unknown[],
  ]
>([
  [
    'everything is taken',
    [
      [1, ok],
      [2, ok],
      [3, ok],
      [4, ok],
    ],
    [],
    [],
  ],
  ['the answer covers the first only', [[1, ok]], [2, 3, 4], []],
  [
    'one is rejected: updates of its row go along, other rows stay',
    [[1, reject]],
    [2, 4],
    [
      [1, 'rejected'],
      [3, 'rejected'],
    ],
  ],
  [
    'one is parked',
    [
      [2, park],
      [4, ok],
    ],
    [1, 3],
    [[2, 'parked']],
  ],
  [
    'an update of a rejected row was taken all the same',
    [
      [1, reject],
      [3, ok],
    ],
    [2, 4],
    [[1, 'rejected']],
  ],
  [
    'one is to be sent again',
    [
      [1, ok],
      [2, { kind: 'retry', afterMs: 50 }],
    ],
    [2, 3, 4],
    [],
  ],
])('%s', (_, outcomes, waiting, dead) => {
  const queue = fixture();
  queue.settle(outcomes);
  expect(queue.waiting()).toEqual(waiting);
  expect(queue.dead()).toEqual(dead);
});

test('a poison entry does not hold the gate for ever', () => {
  const { settle, gate, letters } = fixture();
  expect(
    settle([
      [1, reject],
      [2, ok],
      [4, ok],
    ]).retryAfterMs,
  ).toBeUndefined();
  expect(gate.state()).toMatchObject({ pending: 0, target: MAX_OP });
  expect(gate.settle(gate.state().sequence, 9n)).toBe(true);
  expect(letters.list()[0]).toMatchObject({
    reason: 'no',
    at: 1000,
    entry: { id: 'a', op: 'PUT' },
  });
});

test('a dead letter can be queued again, at the end and under a new id, or thrown away', () => {
  const { settle, letters, waiting, dead, entries, gate } = fixture();
  settle([
    [1, park],
    [2, ok],
    [3, reject],
    [4, ok],
  ]);
  gate.settle(gate.state().sequence, 9n);
  letters.requeue([1], 2000);
  expect(waiting()).toEqual([5]);
  expect(entries()).toEqual(['{"op":"PUT","id":"a","type":"t","data":{"n":1}}']);
  expect(gate.state().target).toBe(MAX_OP);
  letters.discard([3]);
  expect(dead()).toEqual([]);
  expect(() => letters.requeue([1], 2000)).toThrow(/no dead letter/);
});

test('of refused entries the newest 1,000 are kept, of parked ones all', () => {
  const { session, queue, letters } = fixture();
  for (let n = 0; n < 1200; n += 1) session.execute(`INSERT INTO t VALUES ('x${n}', 1)`);
  const crud = queue.batch(2000)?.crud ?? [];
  const outcomes = crud.map(({ clientId, id }) => [clientId, id === 'x0' ? park : reject] as const);
  letters.settle(crud, new Map(outcomes), 1000);
  const kept = letters.list();
  expect(kept).toHaveLength(1001);
  expect(kept[0]).toMatchObject({ state: 'parked', entry: { id: 'x0' } });
  expect(kept.at(-1)?.entry.id).toBe('x1199');
});
