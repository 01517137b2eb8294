import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDatabase } from '@sluice/client-node';
import { FakeClock, until } from '@sluice/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SluiceDatabase } from '../facade/sluice-database.ts';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import { toObservable, toSignal } from './observable.ts';
import { queryKey } from './query-key.ts';
import type { QueryOptions, QuerySource } from './query-options.ts';
import { createQueryStore, type QueryStore } from './query-store.ts';

const TIMES = { graceMs: 1000, holdMs: 5000, patienceMs: 60_000 };

let dir: string;
let db: SluiceDatabase;
let clock: FakeClock;
let store: QueryStore;
let problems: unknown[];

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-stores-'));
  problems = [];
  clock = new FakeClock();
  const onProblem = (problem: unknown) => void problems.push(problem);
  const schema = new Schema({ todos: new Table({ title: column.text }) });
  db = await openDatabase({ file: path.join(dir, 'app.sqlite'), schema, onProblem });
  store = createQueryStore(db, { clock, onProblem, ...TIMES });
});

afterEach(async () => {
  await db.close();
  rmSync(dir, { recursive: true });
  expect(problems).toEqual([]);
});

/** A query that tells how often it ran, and whose runs end only if `ends`. */
function counting({ ends = true } = {}) {
  const query = {
    runs: 0,
    compile: () => ({ sql: 'SELECT count(*) FROM todos', parameters: [] }),
    execute: async () => {
      query.runs += 1;
      if (!ends) await new Promise(() => undefined);
      return [query.runs];
    },
  };
  return query;
}

const nothing = (): void => undefined;
const add = (title: string) =>
  db.execute('INSERT INTO todos (id, title) VALUES (?, ?)', [title, title]);

describe('how long a query is kept', () => {
  test('asking starts nothing, and what nobody watches is forgotten', async () => {
    const query = counting();
    const entry = store.query(query);
    expect(store.query(counting())).toBe(entry);
    expect(entry.getSnapshot()).toMatchObject({ isLoading: true, data: [] });
    await clock.advance(4999);
    expect(store.size).toBe(1);
    await clock.advance(1);
    expect([store.size, query.runs]).toEqual([0, 0]);
  });

  test('one that is waited for and never watched goes after its result, however often that changes', async () => {
    const query = counting();
    const entry = store.query(query);
    await entry.ready();
    expect(entry.getSnapshot()).toMatchObject({ isLoading: false, data: [1] });
    await clock.advance(3000);
    await add('a');
    await until('it runs again', () => query.runs === 2);
    await clock.advance(2000);
    expect(store.size).toBe(0);
    expect(entry.getSnapshot()).toMatchObject({ isLoading: true, data: [] });
    await add('b');
    expect(query.runs).toBe(2);
  });

  test('whoever waits for a slow one is woken to ask again, and it goes on if he does', async () => {
    const query = counting({ ends: false });
    const entry = store.query(query);
    let woken = 0;
    const wait = () => void entry.ready().then(() => (woken += 1));
    wait();
    await clock.advance(60_000);
    expect(woken).toBe(1);
    wait();
    await clock.advance(60_000);
    expect([woken, query.runs, store.size]).toEqual([2, 1, 1]);
    await clock.advance(1000);
    expect(store.size).toBe(0);
  });

  test('watchers that leave and come within the grace find it running', async () => {
    const query = counting();
    const entry = store.query(query);
    entry.subscribe(nothing)();
    await until('the result', () => query.runs === 1);
    await clock.advance(999);
    const stop = store.query(counting()).subscribe(nothing);
    await clock.advance(100_000);
    expect([query.runs, store.size]).toEqual([1, 1]);
    stop();
    stop();
    await clock.advance(1000);
    expect(store.size).toBe(0);
  });

  test('a listener of one that has ended starts it anew, for everybody', async () => {
    const query = counting();
    const entry = store.query(query);
    entry.subscribe(nothing)();
    await clock.advance(1000);
    expect(store.size).toBe(0);
    const stop = entry.subscribe(nothing);
    await until('the result', () => !entry.getSnapshot().isLoading);
    expect(store.query(counting())).toBe(entry);
    stop();
  });

  test('one that failed is kept like a result, and begins anew when it is told to', async () => {
    let fails = true;
    const query = {
      compile: () => ({ sql: 'SELECT 1', parameters: [] }),
      execute: () => (fails ? Promise.reject(new Error('no')) : Promise.resolve(['yes'])),
    };
    const entry = store.query(query);
    await entry.ready();
    expect(store.query(query).getSnapshot().error).toEqual(new Error('no'));
    fails = false;
    store.retryFailed();
    expect(store.size).toBe(0);
    const next = store.query(query);
    await next.ready();
    expect(next.getSnapshot()).toMatchObject({ error: null, data: ['yes'], hasResult: true });
  });
});

test('one that runs once runs again for whoever comes when its result is old', async () => {
  const query = counting();
  const entry = store.query(query, { runOnce: true });
  entry.subscribe(nothing);
  await until('the result', () => entry.getSnapshot().hasResult);
  await add('a');
  await clock.advance(1000);
  entry.subscribe(nothing);
  expect(query.runs).toBe(1);
  await clock.advance(1);
  entry.subscribe(nothing);
  await until('it runs again', () => query.runs === 2);
});

test('a listener is told after each change, until it stops', async () => {
  const entry = store.query<{ title: string }>({ sql: 'SELECT title FROM todos ORDER BY title' });
  const seen: string[] = [];
  const stop = entry.subscribe(() => {
    const { data, isFetching } = entry.getSnapshot();
    if (!isFetching) seen.push(data.map(({ title }) => title).join());
  });
  await until('the first result', () => seen.length === 1);
  await add('a');
  await until('the second', () => seen.length === 2);
  stop();
  await add('b');
  await clock.advance(1000);
  expect(seen).toEqual(['', 'a']);
});

test('as an observable and as a signal it gives the current value, then each next one', async () => {
  const pending = store.pendingUploads();
  const observed: unknown[] = [];
  const signal = toSignal(pending);
  const followed: unknown[] = [];
  const subscription = toObservable(pending).subscribe({ next: (value) => observed.push(value) });
  const stop = signal.subscribe((value) => followed.push(value));
  await until('the count', () => signal.value?.count === 0);
  await add('a');
  await until('the next', () => signal.value?.count === 1);
  subscription.unsubscribe();
  stop();
  await add('b');
  await clock.advance(1000);
  const idle = { attempts: 0, nextRetryAt: undefined, size: undefined };
  expect(observed).toEqual([null, { count: 0, ...idle }, { count: 1, ...idle }]);
  expect(followed).toEqual(observed);
  expect(Object.keys(toObservable(pending))).toContain('@@observable');
});

describe('queries share their results', () => {
  const text = (...parameters: readonly unknown[]): QuerySource<unknown> => ({
    sql: 'SELECT ?',
    parameters,
  });
  const comparator = { keyBy: String, compareBy: String };
  const cases: readonly [string, Case, Case, boolean][] = [
    ['equal parameters', [text('a', 1)], [text('a', 1)], true],
    ['bytes by content', [text(new Uint8Array([1]))], [text(new Uint8Array([1]).buffer)], true],
    ['types apart', [text('1')], [text(1)], false],
    ['integers apart', [text(1n)], [text(1)], false],
    ['negative zero', [text(-0)], [text(0)], false],
    ['null and text', [text(null)], [text('null')], false],
    ['defaults written out', [text()], [text(), { reportFetching: true, runOnce: false }], true],
    ['another throttle', [text()], [text(), { throttleMs: 5 }], false],
    ['order of tables', [text(), { tables: ['a', 'b'] }], [text(), { tables: ['b', 'a'] }], true],
    ['tables', [text()], [text(), { tables: [] }], false],
    [
      'a comparator',
      [text(), { rowComparator: comparator }],
      [text(), { rowComparator: comparator }],
      true,
    ],
    [
      'another one',
      [text(), { rowComparator: comparator }],
      [text(), { rowComparator: { ...comparator } }],
      false,
    ],
    [
      'stream parameters in any order',
      [text(), { streams: [{ name: 's', parameters: { a: 1, b: 2 } }] }],
      [text(), { streams: [{ name: 's', parameters: { b: 2, a: 1 } }] }],
      true,
    ],
    [
      'waiting for a stream',
      [text(), { streams: [{ name: 's' }] }],
      [text(), { streams: [{ name: 's', waitForStream: true }] }],
      false,
    ],
  ];

  test.each(cases)('%s', (_, [a, ofA = {}], [b, ofB = {}], shared) => {
    expect(queryKey(a, ofA) === queryKey(b, ofB)).toBe(shared);
  });
});

type Case = readonly [QuerySource<unknown>, QueryOptions<unknown>?];
