import { FakeClock, settle } from '@sluice/testing';
import { expect, expectTypeOf, test } from 'vitest';
import { WatchedDatabase } from '../testing/watched-database.ts';
import { LiveQueries } from './live-queries.ts';
import { ArrayComparator } from './row-comparison.ts';
import type { RowDifference } from './row-difference.ts';
import type { WatchedQuery, WatchedQueryState } from './watched-query.ts';

interface Task {
  readonly id: string;
  readonly title: string;
}

const TASKS = { sql: 'SELECT id, title FROM tasks ORDER BY title' };

function setUp(development = false) {
  const clock = new FakeClock();
  const database = new WatchedDatabase();
  const uncaught: unknown[] = [];
  const onListenerError = (error: unknown) => uncaught.push(error);
  const live = new LiveQueries(database, { clock, development, onListenerError });
  for (const [id, title] of [
    ['a', 'one'],
    ['b', 'two'],
  ]) {
    database.write('INSERT INTO tasks (id, title) VALUES (?, ?)', [id, title]);
  }
  return { clock, database, live, uncaught };
}

/** Everything that the query tells, as short texts. */
function told<Query>(query: WatchedQuery<Task, Query>): string[] {
  const events: string[] = [];
  query.registerListener({
    onData: (data) => events.push(`data ${data.map(({ title }) => title).join()}`),
    onError: (error) => events.push(String(error)),
    onStateChange: (state) => events.push(stateText(state)),
    closed: () => events.push('closed'),
  });
  return events;
}

function stateText({ isLoading, isFetching, error, data }: WatchedQueryState<unknown>): string {
  const marks = [isLoading && 'loading', isFetching && 'fetching', error !== null && 'error'];
  return `${marks.filter(Boolean).join('+') || 'quiet'} ${data.length}`;
}

test('a watched query goes from loading to data, and tells each change of its state', async () => {
  const { clock, database, live } = setUp();
  const query = live.query<Task>(TASKS).watch();
  expect(query.state).toEqual({
    isLoading: true,
    isFetching: true,
    error: null,
    lastUpdated: null,
    data: [],
  });
  const events = told(query);
  await settle();
  expect(events).toEqual(['quiet 2', 'data one,two']);
  expect(query.state.lastUpdated).toEqual(new Date(clock.now()));
  database.write(`DELETE FROM tasks WHERE id = 'a'`);
  await clock.advance(30);
  expect(events.slice(2)).toEqual(['fetching 2', 'quiet 1', 'data two']);
  expectTypeOf(query.state.data).toEqualTypeOf<readonly Task[]>();
});

test('without reportFetching only results are told', async () => {
  const { clock, database, live } = setUp();
  const query = live.query<Task>(TASKS).watch({ reportFetching: false });
  expect(query.state.isFetching).toBe(false);
  const events = told(query);
  await settle();
  database.write(`DELETE FROM tasks WHERE id = 'a'`);
  await clock.advance(30);
  expect(events).toEqual(['quiet 2', 'data one,two', 'quiet 1', 'data two']);
});

test('a mapper makes the rows, each watcher its own, of one shared run', async () => {
  const { database, live } = setUp();
  const lengths = live.query({ ...TASKS, mapper: (row) => String(row['title']).length }).watch();
  const plain = live.query<Task>(TASKS).watch();
  await settle();
  expect(lengths.state.data).toEqual([3, 3]);
  expect(plain.state.data[0]).toEqual({ id: 'a', title: 'one' });
  expect(database.runs.length).toBe(1);
});

test('an error is in the state until a run succeeds; data stays', async () => {
  const { clock, database, live } = setUp();
  let broken = true;
  const mapper = (row: { readonly [column: string]: unknown }) => {
    if (broken) throw new Error('no row');
    return { id: String(row['id']), title: String(row['title']) };
  };
  const query = live.query<Task>({ ...TASKS, mapper }).watch({
    placeholderData: [{ id: 'p', title: 'placeholder' }],
  });
  const events = told(query);
  await settle();
  expect(events).toEqual(['error 1', 'Error: no row']);
  broken = false;
  database.write(`DELETE FROM tasks WHERE id = 'a'`);
  await clock.advance(30);
  expect(events.slice(2)).toEqual(['fetching+error 1', 'quiet 1', 'data two']);
});

test('an equal result is not told as data, and keeps its array', async () => {
  const { clock, database, live } = setUp();
  const comparator = new ArrayComparator<Task>({ compareBy: ({ title }) => title });
  const query = live.query<Task>(TASKS).watch({ comparator });
  const events = told(query);
  await settle();
  const { data } = query.state;
  database.write(`UPDATE tasks SET title = 'two' WHERE id = 'a'`);
  await clock.advance(30);
  database.write(`UPDATE tasks SET title = 'one' WHERE id = 'b'`);
  await clock.advance(30);
  expect(events.filter((event) => event.startsWith('data'))).toEqual([
    'data one,two',
    'data two,two',
    'data one,two',
  ]);
  const before = query.state.data;
  database.tell({ kind: 'schema' });
  await clock.advance(30);
  expect(query.state.data).toBe(before);
  expect(before).not.toBe(data);
});

test('new settings drop the run under way and start over with the old data', async () => {
  const { clock, database, live } = setUp();
  const gate = database.slow();
  const query = live.query<Task>(TASKS).watch({ placeholderData: [] });
  const coming: unknown[] = [];
  query.registerListener({ settingsWillUpdate: ({ throttleMs }) => coming.push(throttleMs) });
  const events = told(query);
  await settle();
  query.updateSettings({ query: { sql: `${TASKS.sql} LIMIT 1` }, throttleMs: 100 });
  gate.open();
  await settle();
  expect(events).toEqual(['quiet 1', 'data one']);
  expect(coming).toEqual([100]);
  expect(database.runs.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  await clock.advance(1000);
  expect(live.executionCount).toBe(1);
  expect(() =>
    query.updateSettings({ query: { sql: TASKS.sql, parameters: [undefined] } }),
  ).toThrow('Parameter 1');
  database.write(`UPDATE tasks SET title = 'zero' WHERE id = 'a'`);
  await clock.advance(1000);
  expect(events.at(-1)).toBe('data two');
});

test('close is heard once, frees everything, and is the end of callbacks', async () => {
  const { clock, database, live } = setUp();
  const query = live.query<Task>(TASKS).watch();
  const events = told(query);
  await settle();
  database.write(`DELETE FROM tasks WHERE id = 'a'`);
  query.close();
  query.close();
  query.updateSettings({ throttleMs: 1 });
  await clock.advance(1000);
  expect(events).toEqual(['quiet 2', 'data one,two', 'closed']);
  expect([query.closed, live.executionCount, database.listenerCount]).toEqual([true, 0, 0]);
});

test('it closes with the database, and starts over when the schema changes', async () => {
  const { clock, database, live } = setUp();
  database.database.connection.exec('CREATE VIEW shown AS SELECT id, title FROM tasks');
  const query = live.query<Task>({ sql: 'SELECT id, title FROM shown' }).watch();
  const events = told(query);
  await settle();
  database.database.connection.exec(
    'DROP VIEW shown; CREATE VIEW shown AS SELECT id, name AS title FROM lists',
  );
  database.tell({ kind: 'schema' });
  await clock.advance(1000);
  database.write(`INSERT INTO lists (id, name) VALUES ('l', 'home')`);
  await clock.advance(1000);
  expect(events.filter((event) => event.startsWith('data'))).toEqual([
    'data one,two',
    'data ',
    'data home',
  ]);
  database.tell({ kind: 'closed' });
  expect([events.at(-1), query.closed]).toEqual(['closed', true]);
});

test('listeners are counted by kind, and one that throws does not stop the others', async () => {
  const { live, uncaught } = setUp();
  const query = live.query<Task>(TASKS).watch();
  const remove = query.registerListener({
    onData: () => {
      throw new Error('bad listener');
    },
  });
  query.registerListener({ onData: () => Promise.reject(new Error('bad promise')) as never });
  const events = told(query);
  expect(query.listenerCounts).toEqual({
    onData: 3,
    onError: 1,
    onStateChange: 1,
    onDiff: 0,
    settingsWillUpdate: 0,
    closed: 1,
  });
  await settle();
  expect(events.at(-1)).toBe('data one,two');
  expect(uncaught.map(String)).toEqual(['Error: bad listener', 'Error: bad promise']);
  remove();
  remove();
  expect(query.listenerCounts.onData).toBe(2);
});

test('a custom query is run in its own way, whenever what its SQL reads has changed', async () => {
  const { clock, database, live } = setUp();
  let runs = 0;
  const custom = {
    compile: () => ({ sql: 'SELECT title FROM tasks WHERE id = ?', parameters: ['a'] }),
    execute: ({ parameters }: { readonly parameters: readonly unknown[] }) => {
      runs += 1;
      return Promise.resolve([`${String(parameters[0])}${runs}`]);
    },
  };
  const query = live.customQuery(custom).watch();
  await clock.advance(1000);
  expect(query.state.data).toEqual(['a1']);
  database.write(`INSERT INTO tasks (id, title) VALUES ('c', 'three')`);
  await clock.advance(1000);
  expect(runs).toBe(1);
  database.write(`DELETE FROM tasks WHERE id = 'a'`);
  await clock.advance(1000);
  expect(query.state.data).toEqual(['a2']);
});

/** Differences as texts: `+one -two ~old>new =same`. */
function differences<Query>(query: WatchedQuery<Task, Query>): string[] {
  const texts: string[] = [];
  query.registerListener({
    onDiff: ({ added, removed, updated, unchanged, all }: RowDifference<Task>) => {
      const parts = [
        ...added.map(({ title }) => `+${title}`),
        ...removed.map(({ title }) => `-${title}`),
        ...updated.map(({ previous, current }) => `~${previous.title}>${current.title}`),
        ...unchanged.map(({ title }) => `=${title}`),
      ];
      texts.push(`${parts.join(' ')} [${all.map(({ title }) => title).join()}]`);
    },
  });
  return texts;
}

test('a differential watch tells what came, went, changed and stayed, and unchanged rows are the same objects', async () => {
  const { clock, database, live } = setUp();
  const query = live.query<Task>(TASKS).differentialWatch();
  const texts = differences(query);
  await settle();
  const [one] = query.state.data;
  database.write(`INSERT INTO tasks (id, title) VALUES ('c', 'three')`);
  database.write(`UPDATE tasks SET title = 'zwei' WHERE id = 'b'`);
  await clock.advance(30);
  expect(query.state.data[0]).toBe(one);
  database.write(`DELETE FROM tasks WHERE id = 'c'`);
  await clock.advance(30);
  expect(texts).toEqual([
    '+one +two [one,two]',
    '+three ~two>zwei =one [one,three,zwei]',
    '-three =one =zwei [one,zwei]',
  ]);
  expect(query.state.data[0]).toBe(one);
});

test('a result without differences is not told; one with another order is', async () => {
  const { clock, database, live } = setUp();
  const sql = 'SELECT id, title FROM tasks ORDER BY done';
  database.write(`UPDATE tasks SET done = CASE id WHEN 'a' THEN 1 ELSE 2 END`);
  const query = live.query<Task>({ sql }).differentialWatch();
  const texts = differences(query);
  const events = told(query);
  await settle();
  const { data } = query.state;
  database.write('UPDATE tasks SET done = done + 10');
  await clock.advance(30);
  expect(query.state.data).toBe(data);
  database.write('UPDATE tasks SET done = -done');
  await clock.advance(30);
  expect(texts).toEqual([
    '+one +two [one,two]',
    '=one =two [two,one]'.replace('=one =two', '=two =one'),
  ]);
  expect(events.filter((event) => event.startsWith('data'))).toEqual([
    'data one,two',
    'data two,one',
  ]);
});

test('differences begin at the placeholder, and after new settings at what was shown', async () => {
  const { live } = setUp();
  const placeholderData = [{ id: 'a', title: 'one' }];
  const query = live.query<Task>(TASKS).differentialWatch({ placeholderData });
  const texts = differences(query);
  await settle();
  expect(query.state.data[0]).toBe(placeholderData[0]);
  query.updateSettings({ query: { sql: `${TASKS.sql} DESC` } });
  await settle();
  expect(texts).toEqual(['+two =one [one,two]', '=two =one [two,one]']);
});

test('rows with the same key: the last one counts, and in development that is an error', async () => {
  const sql = `SELECT 'k' AS id, title FROM tasks ORDER BY title`;
  const quiet = setUp().live.query<Task>({ sql }).differentialWatch();
  const query = setUp(true).live.query<Task>({ sql }).differentialWatch();
  const events = told(query);
  await settle();
  expect([stateText(quiet.state), quiet.state.data[0]?.title]).toEqual(['quiet 1', 'two']);
  expect(query.state.data).toEqual(quiet.state.data);
  expect(query.state.error).toMatchObject({ code: 'DUPLICATE_ROW_KEY' });
  expect(events[1]).toContain('1 rows of a differential watch have the key of another row');
});

test('rows without an id are the same if all their values are, bigints and bytes among them', async () => {
  const { clock, database, live } = setUp();
  const sql = `SELECT title, 9007199254740993 AS big, x'01' AS bytes, 9e999 AS much FROM tasks`;
  const query = live.query({ sql }).differentialWatch();
  await settle();
  const [first] = query.state.data;
  database.write(`UPDATE tasks SET title = 'zwei' WHERE id = 'b'`);
  await clock.advance(30);
  expect(query.state.data[0]).toBe(first);
  expect(query.state.data[1]).toMatchObject({ title: 'zwei', big: 9007199254740993n });
});

test('what a comparator throws is the query’s error', async () => {
  const { live } = setUp();
  const keyBy = () => {
    throw new Error('no key');
  };
  const rowComparator = { keyBy, compareBy: keyBy };
  const query = live.query<Task>(TASKS).differentialWatch({ rowComparator });
  await settle();
  expect(query.state).toMatchObject({ isLoading: false, error: new Error('no key') });
});

test('a refresh runs it without a change, and resolves when a run that began after it has ended', async () => {
  const { clock, database, live } = setUp();
  const query = live.query<Task>(TASKS).watch();
  const other = live.query<Task>(TASKS).watch();
  await settle();
  const gate = database.slow();
  const done: string[] = [];
  const [first, second] = [query.refresh(), query.refresh()];
  void first.then(() => done.push('first'));
  await clock.advance(30);
  expect([database.runs.length, gate.waiting]).toEqual([2, 1]);
  const third = other.refresh().then(() => done.push('third'));
  gate.open();
  await second;
  expect(done).toEqual(['first']);
  await clock.advance(30);
  await third;
  expect(database.runs).toHaveLength(3);
  query.close();
  other.close();
  await query.refresh();
});

test('a refresh does not outlast its query', async () => {
  const { database, live } = setUp();
  const query = live.query<Task>(TASKS).watch();
  await settle();
  database.slow();
  const refresh = query.refresh();
  query.close();
  await refresh;
  expect(database.runs).toHaveLength(1);
});
