import { FakeClock, settle } from '@sluice/testing';
import { expect, test } from 'vitest';
import { WatchedDatabase } from '../testing/watched-database.ts';
import { LiveQueries } from './live-queries.ts';
import type { RowSet } from './row-set.ts';

interface Task {
  readonly id: string;
  readonly title: string;
}

const TITLES = 'SELECT title FROM tasks ORDER BY id';

function setUp(development = false) {
  const clock = new FakeClock();
  const database = new WatchedDatabase();
  const uncaught: unknown[] = [];
  const live = new LiveQueries(database, {
    clock,
    development,
    onListenerError: (error) => uncaught.push(error),
  });
  database.write(`INSERT INTO tasks (id, title, done) VALUES ('a', 'one', 0)`);
  return { clock, database, live, uncaught };
}

function titlesOf(result: RowSet<{ readonly title: string }>): string {
  return result.array.map(({ title }) => title).join();
}

/** Watches titles with callbacks into a list. */
function watchTitles(
  live: LiveQueries,
  options: { readonly signal?: AbortSignal; readonly throttleMs?: number } = {},
  sql = TITLES,
): string[] {
  const seen: string[] = [];
  live.watch<Task>(
    sql,
    [],
    {
      onResult: (result) => seen.push(titlesOf(result)),
      onError: (error) => seen.push(String(error)),
    },
    options,
  );
  return seen;
}

test('the first result comes at once, and so does a change after a quiet time', async () => {
  const { clock, database, live } = setUp();
  const seen = watchTitles(live);
  await settle();
  expect(seen).toEqual(['one']);
  await clock.advance(1000);
  database.write(`UPDATE tasks SET title = 'two'`);
  await settle();
  expect(seen).toEqual(['one', 'two']);
});

test('changes within the throttle window come in one result, when it ends', async () => {
  const { clock, database, live } = setUp();
  const seen = watchTitles(live);
  await settle();
  for (const title of ['two', 'three', 'four'])
    database.write(`UPDATE tasks SET title = ?`, [title]);
  await clock.advance(29);
  expect(seen).toEqual(['one']);
  await clock.advance(1);
  expect(seen).toEqual(['one', 'four']);
  await clock.advance(1000);
  expect(database.runs.length).toBe(2);
});

test('a query that takes longer than the window rests as long as it ran', async () => {
  const { clock, database, live } = setUp();
  database.lasting(() => clock.sleep(200));
  const seen = watchTitles(live);
  await clock.advance(200);
  expect(seen).toEqual(['one']);
  database.write(`UPDATE tasks SET title = 'two'`);
  await clock.advance(199);
  expect(database.runs.length).toBe(1);
  await clock.advance(1);
  expect(database.runs.length).toBe(2);
  await clock.advance(200);
  expect(seen).toEqual(['one', 'two']);
});

test('the rest after a dear query is bounded', async () => {
  const { clock, database, live } = setUp();
  database.lasting(() => clock.sleep(60_000));
  watchTitles(live);
  await clock.advance(60_000);
  database.write(`UPDATE tasks SET title = 'two'`);
  await clock.advance(1999);
  expect(database.runs.length).toBe(1);
  await clock.advance(1);
  expect(database.runs.length).toBe(2);
});

test('a change during a run is in the next one', async () => {
  const { clock, database, live } = setUp();
  const gate = database.slow();
  const seen = watchTitles(live);
  await settle();
  database.write(`UPDATE tasks SET title = 'two'`);
  gate.open();
  await clock.advance(30);
  expect(seen).toEqual(['one', 'two']);
});

test('changes of other tables, other columns and rows outside the condition run nothing', async () => {
  const { clock, database, live } = setUp();
  watchTitles(live, {}, `SELECT title FROM tasks WHERE done = 0`);
  await clock.advance(1000);
  database.write(`INSERT INTO lists (id, name) VALUES ('l', 'home')`);
  database.write(`INSERT INTO tasks (id, title, done) VALUES ('b', 'two', 1)`);
  database.write(`UPDATE tasks SET title = 'other' WHERE id = 'b'`);
  await clock.advance(1000);
  expect(database.runs.length).toBe(1);
  database.write(`UPDATE tasks SET done = 0 WHERE id = 'b'`);
  await clock.advance(1000);
  expect(database.runs.length).toBe(2);
});

test('tables that are given take the place of what the query reads', async () => {
  const { clock, database, live } = setUp();
  const seen: string[] = [];
  const onResult = (result: RowSet<Task>) => seen.push(titlesOf(result));
  live.watch<Task>(TITLES, [], { onResult }, { tables: ['Lists'] });
  await clock.advance(1000);
  database.write(`UPDATE tasks SET title = 'two'`);
  await clock.advance(1000);
  expect(seen).toEqual(['one']);
  database.write(`INSERT INTO lists (id) VALUES ('l')`);
  await clock.advance(1000);
  expect(seen).toEqual(['one', 'two']);
});

test('who watches the same statement with the same parameters shares its runs and rows', async () => {
  const { clock, database, live } = setUp();
  const sql = 'SELECT title FROM tasks WHERE done = ?';
  const results: RowSet[] = [];
  const watch = (parameter: unknown, signal?: AbortSignal) =>
    live.watch(
      sql,
      [parameter],
      { onResult: (result) => results.push(result) },
      signal && { signal },
    );
  const stop = new AbortController();
  watch(0, stop.signal);
  watch(false);
  await settle();
  watch(0);
  await settle();
  expect([database.runs.length, live.executionCount]).toEqual([1, 1]);
  expect([results.length, new Set(results).size]).toEqual([3, 1]);
  watch('0');
  await settle();
  expect([database.runs.length, live.executionCount]).toEqual([2, 2]);
  stop.abort();
  await clock.advance(1000);
  database.write(`UPDATE tasks SET title = 'two'`);
  await settle();
  // Two that share and one for itself; the first has gone.
  expect(results.length).toBe(4 + 3);
});

test('who comes during a run that is out of date waits for the next one', async () => {
  const { clock, database, live } = setUp();
  const gate = database.slow();
  const first = watchTitles(live);
  await settle();
  database.write(`UPDATE tasks SET title = 'two'`);
  const second = watchTitles(live);
  gate.open();
  await clock.advance(30);
  expect({ first, second }).toEqual({ first: ['one', 'two'], second: ['two'] });
});

test('a slow handler gets the latest result when it is ready, not those in between', async () => {
  const { clock, database, live } = setUp();
  const seen: string[] = [];
  const ready: (() => void)[] = [];
  const onResult = (result: RowSet<Task>) => {
    seen.push(titlesOf(result));
    return new Promise<void>((resolve) => ready.push(resolve));
  };
  live.watch<Task>(TITLES, [], { onResult });
  for (const title of ['two', 'three', 'four']) {
    await clock.advance(100);
    database.write(`UPDATE tasks SET title = ?`, [title]);
  }
  await clock.advance(100);
  expect(seen).toEqual(['one']);
  ready.shift()?.();
  await settle();
  expect(seen).toEqual(['one', 'four']);
});

test('an iteration yields the current result, then the latest one whenever it asks', async () => {
  const { clock, database, live } = setUp();
  const results = live.watch<Task>(TITLES);
  const next = async () => {
    const { done, value } = await results.next();
    return done === true ? 'done' : titlesOf(value);
  };
  expect(database.runs).toEqual([]);
  expect(await next()).toBe('one');
  for (const title of ['two', 'three']) {
    await clock.advance(100);
    database.write(`UPDATE tasks SET title = ?`, [title]);
  }
  await clock.advance(100);
  expect(await next()).toBe('three');
  const waiting = next();
  await results.return?.();
  expect(await waiting).toBe('done');
  expect(await next()).toBe('done');
  expect([live.executionCount, database.listenerCount]).toEqual([0, 0]);
});

test('leaving the loop frees everything', async () => {
  const { database, live } = setUp();
  for await (const result of live.watch<Task>(TITLES)) {
    expect(titlesOf(result)).toBe('one');
    break;
  }
  expect([live.executionCount, database.listenerCount]).toEqual([0, 0]);
});

test('an iteration throws the error of its run, and is over', async () => {
  const { live } = setUp();
  const results = live.watch('SELECT missing FROM tasks');
  await expect(results.next()).rejects.toThrow('no such column: missing');
  expect(await results.next()).toEqual({ done: true, value: undefined });
  expect(live.executionCount).toBe(0);
});

test('errors go to onError and end nothing: the next change runs again', async () => {
  const { clock, database, live } = setUp();
  const seen = watchTitles(live, {}, 'SELECT name AS title FROM later');
  await settle();
  expect(seen).toEqual(['SqlError: no such table: later']);
  database.database.connection.exec(`CREATE VIEW later AS SELECT title AS name FROM tasks`);
  database.tell({ kind: 'schema' });
  await clock.advance(30);
  expect(seen.slice(1)).toEqual(['one']);
  database.write(`UPDATE tasks SET title = 'two'`);
  await clock.advance(1000);
  expect(seen.slice(1)).toEqual(['one', 'two']);
});

test('what a handler throws goes to its own onError, and others are told all the same', async () => {
  const { live, uncaught } = setUp();
  const errors: unknown[] = [];
  const fail = (text: string) => () => {
    throw new Error(text);
  };
  live.watch(TITLES, [], { onResult: fail('mine'), onError: (error) => errors.push(error) });
  live.watch(TITLES, [], { onResult: fail('nobody’s') });
  live.watch(TITLES, [], { onResult: fail('first'), onError: fail('second') });
  const seen = watchTitles(live);
  await settle();
  expect(errors.map(String)).toEqual(['Error: mine']);
  expect(uncaught.map(String)).toEqual(['Error: nobody’s', 'Error: second']);
  expect(seen).toEqual(['one']);
});

test.each([
  ['before the start', 0],
  ['before the first run', 1],
  ['during the first run', 2],
  ['during the throttle', 3],
])('an abort %s is the end of callbacks', async (_, when) => {
  const { clock, database, live } = setUp();
  const stop = new AbortController();
  const gate = database.slow();
  if (when === 0) stop.abort();
  const seen = watchTitles(live, { signal: stop.signal });
  const iteration = live.watch(TITLES, [1].slice(1), { signal: stop.signal });
  const first = iteration.next();
  if (when === 1) stop.abort();
  await settle();
  if (when === 2) stop.abort();
  gate.open();
  await settle();
  database.write(`UPDATE tasks SET title = 'two'`);
  await settle();
  if (when === 3) stop.abort();
  await clock.advance(1000);
  expect(seen).toEqual(when === 3 ? ['one'] : []);
  expect((await first).done).toBe(when !== 3);
  expect([live.executionCount, database.listenerCount]).toEqual([0, 0]);
  expect(database.runs.every(({ signal }) => signal.aborted)).toBe(true);
  expect(database.runs.length).toBe(when < 2 ? 0 : 1);
});

test('when the database closes, iterations end and handlers hear nothing more', async () => {
  const { clock, database, live } = setUp();
  const seen = watchTitles(live);
  const iteration = live.watch(TITLES, [], { throttleMs: 5 });
  await iteration.next();
  const next = iteration.next();
  database.tell({ kind: 'closed' });
  expect(await next).toEqual({ done: true, value: undefined });
  await clock.advance(1000);
  expect([seen.length, live.executionCount, database.listenerCount]).toEqual([1, 0, 0]);
});

test('a comparator keeps equal results from the watcher', async () => {
  const { clock, database, live } = setUp();
  const seen: string[] = [];
  const comparator = {
    checkEquality: (previous: RowSet<Task>, current: RowSet<Task>) =>
      previous.array.length === current.array.length,
  };
  const onResult = (result: RowSet<Task>) => seen.push(titlesOf(result));
  live.watch<Task>(TITLES, [], { onResult }, { comparator });
  await clock.advance(100);
  database.write(`UPDATE tasks SET title = 'two'`);
  await clock.advance(100);
  database.write(`INSERT INTO tasks (id, title) VALUES ('b', 'three')`);
  await clock.advance(100);
  expect(seen).toEqual(['one', 'two,three']);
});

test('parameters that SQLite has no value for are refused when the watch is made', () => {
  const { live } = setUp();
  expect(() => live.watch(TITLES, [undefined], { onResult: () => undefined })).toThrow(
    'Parameter 1',
  );
});
