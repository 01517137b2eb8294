import { FakeClock, settle } from '@sluice/testing';
import { expect, test } from 'vitest';
import type { ChangeSet } from '../changes/change-set.ts';
import { WatchedDatabase } from '../testing/watched-database.ts';
import { LiveQueries } from './live-queries.ts';

function setUp() {
  const clock = new FakeClock();
  const database = new WatchedDatabase();
  const uncaught: unknown[] = [];
  const onListenerError = (error: unknown) => uncaught.push(error);
  const live = new LiveQueries(database, { clock, onListenerError });
  const change = (...names: readonly string[]) => database.commit(changesOf(names));
  return { clock, database, live, uncaught, change };
}

function changesOf(names: readonly string[]): ChangeSet {
  return new Map(names.map((name) => [name, { columns: 'all', rows: 'many' }]));
}

test('tables that change within the window come in one event, after it', async () => {
  const { clock, live, change } = setUp();
  const seen: string[] = [];
  live.onChange({ onChange: ({ changedTables }) => seen.push(changedTables.join()) });
  change('tasks');
  change('lists', 'tasks');
  await clock.advance(29);
  expect(seen).toEqual([]);
  await clock.advance(1);
  expect(seen).toEqual(['tasks,lists']);
});

test('what changes while a slow handler runs is merged, never lost (spec/client.md 7.3, 24)', async () => {
  const { clock, live, change } = setUp();
  const seen: string[] = [];
  const ready: (() => void)[] = [];
  live.onChange({
    onChange: ({ changedTables }) => {
      seen.push(changedTables.join());
      return new Promise<void>((resolve) => ready.push(resolve));
    },
  });
  change('a');
  await clock.advance(30);
  for (const name of ['b', 'c', 'b', 'd']) {
    change(name);
    await clock.advance(100);
  }
  expect(seen).toEqual(['a']);
  ready.shift()?.();
  await clock.advance(30);
  expect(seen).toEqual(['a', 'b,c,d']);
  ready.shift()?.();
  await clock.advance(1000);
  change('e');
  await clock.advance(30);
  expect(seen).toEqual(['a', 'b,c,d', 'e']);
});

test('only tables that were asked for are told, however they are written', async () => {
  const { clock, live, change } = setUp();
  const seen: string[] = [];
  const onChange = ({ changedTables }: { readonly changedTables: readonly string[] }) =>
    seen.push(changedTables.join());
  live.onChange({ onChange }, { tables: ['Tasks'], triggerImmediate: true });
  await settle();
  change('lists');
  await clock.advance(1000);
  change('lists', 'tasks');
  await clock.advance(1000);
  expect(seen).toEqual(['', 'tasks']);
});

test('a handler that throws is an error of its own, and is called again', async () => {
  const { clock, live, change, uncaught } = setUp();
  const errors: string[] = [];
  const fail = () => Promise.reject(new Error('no'));
  live.onChange({ onChange: fail, onError: (error) => errors.push(String(error)) });
  live.onChange({ onChange: fail });
  change('a');
  await clock.advance(30);
  change('b');
  await clock.advance(30);
  expect(errors).toEqual(['Error: no', 'Error: no']);
  expect(uncaught.map(String)).toEqual(errors);
});

test.each(['disposer', 'signal'])('the %s also drops an event that is due', async (how) => {
  const { clock, database, live, change } = setUp();
  const seen: unknown[] = [];
  const stop = new AbortController();
  const onChange = (event: unknown) => seen.push(event);
  const dispose = live.onChange({ onChange }, { signal: stop.signal, triggerImmediate: true });
  change('tasks');
  for (const _ of [1, 2]) {
    if (how === 'signal') stop.abort();
    else dispose();
  }
  await clock.advance(1000);
  expect([seen, database.listenerCount]).toEqual([[], 0]);
  live.onChange({ onChange }, { signal: AbortSignal.abort(), triggerImmediate: true });
  await clock.advance(1000);
  expect([seen, database.listenerCount]).toEqual([[], 0]);
});

test('an iteration gets merged events when it asks late, and ends with the database', async () => {
  const { clock, database, live, change } = setUp();
  const events = live.onChange({ triggerImmediate: true });
  expect((await events.next()).value).toEqual({ changedTables: [] });
  for (const name of ['a', 'b', 'a']) {
    change(name);
    await clock.advance(100);
  }
  expect((await events.next()).value).toEqual({ changedTables: ['a', 'b'] });
  database.tell({ kind: 'closed' });
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect(database.listenerCount).toBe(0);
});
