import type { Checkpoint } from '@sluice/model';
import { describe, expect, test } from 'vitest';
import type { CheckpointDelta } from '../contract.ts';
import { put, remove, until, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

export function describeCheckpoints(target: StorageTarget): void {
  describe('progress', () => {
    test('begins with nothing', () =>
      withSession(target, async ({ writer, reader }) => {
        expect(await writer.progress()).toEqual({
          resume: undefined,
          tables: [],
          checkpoint: undefined,
        });
        expect(reader.checkpoint()).toBeUndefined();
      }));

    test('is what the last batch left', () =>
      withSession(target, async (session) => {
        const table = (id: number, state: string) => ({ id, state });
        await session.write([], { resume: 'one', tables: [table(1, 'a'), table(2, 'b')] });
        const checkpoint = await session.commit([put('x', '1', 'b')], { resume: 'two' });
        await session.write([], {
          resume: 'three',
          tables: [table(2, 'c'), table(3, 'd')],
          forgetTables: [1],
        });
        const progress = await session.writer.progress();
        expect(progress).toMatchObject({ resume: 'three', checkpoint });
        expect(progress.tables.toSorted((a, b) => a.id - b.id)).toEqual([
          table(2, 'c'),
          table(3, 'd'),
        ]);
      }));
  });

  describe('checkpoints', () => {
    test('only grow, and may repeat an op id at a later position', () =>
      withSession(target, async (session) => {
        const checkpoints: Checkpoint[] = [];
        for (const data of ['1', '2', '2', '3']) {
          checkpoints.push(await session.commit([put('a', data, 'b')]));
        }
        const ids = checkpoints.map((one) => one.opId);
        expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)));
        expect((ids[1] ?? 0n) > (ids[0] ?? 0n)).toBe(true);
        expect((ids[3] ?? 0n) > (ids[2] ?? 0n)).toBe(true);
      }));

    test('a batch without one publishes none', () =>
      withSession(target, async ({ writer, reader }) => {
        const changes = [put('a', '1', 'b')];
        expect(await writer.write({ changes, resume: 'r' })).toBeUndefined();
        expect(reader.checkpoint()).toBeUndefined();
      }));

    test('tell watchers which buckets and lookups they changed', () =>
      withSession(target, async (session) => {
        const deltas = collect(session.reader.watch.bind(session.reader));
        const entry = { key: 'l["u1"]', values: '["x"]' };
        const a = {
          ...put('a', '1', 'x', 'y'),
          row: { ...put('a', '1', 'x', 'y').row, lookups: [entry] },
        };
        await deltas.expectNext(await session.commit([a, put('c', '1', 'z')]), 'x y z', entry.key);
        await deltas.expectNext(await session.commit([a, put('c', '2', 'z')]), 'z', '');
        await deltas.expectNext(await session.commit([remove('a')]), 'x y', entry.key);
        await deltas.expectNext(await session.commit(), '', '');
        await session.write([put('d', '1', 'x')]);
        await deltas.expectNext(await session.commit([put('d', '1', 'y')]), 'x y', '');
        await deltas.stop();
      }));

    test('that come faster than they are taken are merged; none is missed since the call', () =>
      withSession(target, async (session) => {
        await session.commit([put('before', '1', 'earlier')]);
        const stop = new AbortController();
        const watch = session.reader.watch(stop.signal);
        await session.commit([put('a', '1', 'x')]);
        await session.commit([put('b', '1', 'y')]);
        const last = await session.commit([put('c', '1', 'z')]);
        const buckets = new Set<string>();
        for await (const delta of watch) {
          const changed = delta.buckets === 'all' ? ['x', 'y', 'z'] : delta.buckets;
          for (const bucket of changed) buckets.add(bucket);
          if (delta.checkpoint.position === last.position) stop.abort();
        }
        expect([...buckets].toSorted()).toEqual(['x', 'y', 'z']);
      }));

    test('reach every watcher', () =>
      withSession(target, async (session) => {
        const other = await session.storage.openReader(session.generation.id);
        const watchers = [session.reader, session.reader, other].map((reader) =>
          collect(reader.watch.bind(reader)),
        );
        const checkpoint = await session.commit([put('a', '1', 'x')]);
        for (const watcher of watchers) await watcher.expectNext(checkpoint, 'x', '');
        for (const watcher of watchers) await watcher.stop();
        await other[Symbol.asyncDispose]();
      }));

    test('watching ends with its signal', () =>
      withSession(target, async ({ reader }) => {
        await collect(reader.watch.bind(reader)).stop();
        const over = reader.watch(AbortSignal.abort());
        for await (const delta of over) throw new Error(`Unexpected ${delta.checkpoint.position}`);
      }));
  });

  describe('lookups', () => {
    const lookups = (...entries: (readonly [string, string])[]) =>
      entries.map(([key, values]) => ({ key, values }));
    const withLookups = (key: string, ...entries: (readonly [string, string])[]) =>
      ({
        kind: 'put',
        tableId: 1,
        key,
        row: { outputs: [], lookups: lookups(...entries) },
      }) as const;

    test('are found as of each checkpoint, duplicates included', () =>
      withSession(target, async (session) => {
        const first = await session.commit([
          withLookups('a', ['k1', '["x"]'], ['k2', '["y"]']),
          withLookups('b', ['k1', '["x"]']),
        ]);
        const second = await session.commit([withLookups('a', ['k1', '["z"]'])]);
        const third = await session.commit([remove('a'), remove('b')]);
        const find = async (at: Checkpoint) => {
          const found = await session.reader.lookup(['k1', 'k2', 'nothing'], at.opId);
          return [...found]
            .map(([key, values]) => `${key}: ${values.toSorted().join(' ')}`)
            .toSorted();
        };
        expect(await find(first)).toEqual(['k1: ["x"] ["x"]', 'k2: ["y"]']);
        expect(await find(second)).toEqual(['k1: ["x"] ["z"]']);
        expect(await find(third)).toEqual([]);
        expect(await find(first)).toHaveLength(2);
      }));

    test('are not there before their checkpoint', () =>
      withSession(target, async (session) => {
        const first = await session.commit([put('x', '1', 'b')]);
        await session.write([withLookups('a', ['k', '["v"]'])]);
        expect((await session.reader.lookup(['k'], first.opId)).size).toBe(0);
        const second = await session.commit();
        expect((await session.reader.lookup(['k'], second.opId)).get('k')).toEqual(['["v"]']);
      }));

    test('of many keys are found together', () =>
      withSession(target, async (session) => {
        const keys = Array.from({ length: 3000 }, (_, at) => `k["${at}"]`);
        const { opId } = await session.commit(keys.map((key) => withLookups(key, [key, '[1]'])));
        expect((await session.reader.lookup(keys, opId)).size).toBe(3000);
        expect((await session.reader.lookup([], opId)).size).toBe(0);
      }));

    test('of which one key has thousands are all found, as of their checkpoint', () =>
      withSession(target, async (session) => {
        const values = Array.from({ length: 3000 }, (_, at) => `["${at}"]`);
        const before = await session.commit(
          values.map((value) => withLookups(value, ['few', '[1]'], ['k', value])),
        );
        const rest = values.filter((_, at) => at % 3 > 0);
        const gone = values.filter((_, at) => at % 3 === 0);
        const after = await session.commit(gone.map((value) => remove(value)));
        const find = async (at: Checkpoint) =>
          (await session.reader.lookup(['k', 'few'], at.opId)).get('k')?.toSorted();
        expect(await find(before)).toEqual(values.toSorted());
        expect(await find(after)).toEqual(rest.toSorted());
      }));
  });
}

/** Takes deltas as they come. */
function collect(watch: (signal: AbortSignal) => AsyncIterable<CheckpointDelta>) {
  const stop = new AbortController();
  const deltas: CheckpointDelta[] = [];
  const done = (async () => {
    for await (const delta of watch(stop.signal)) deltas.push(delta);
  })();
  return {
    async expectNext(checkpoint: Checkpoint, buckets: string, lookups: string) {
      await until(() => deltas.some((one) => one.checkpoint.position === checkpoint.position));
      expect(deltas.map((one) => one.checkpoint)).toEqual([checkpoint]);
      const [delta] = deltas.splice(0);
      expectNames(delta?.buckets, buckets);
      expectNames(delta?.lookups, lookups);
    },
    async stop() {
      stop.abort();
      await done;
    },
  };
}

function expectNames(names: ReadonlySet<string> | 'all' | undefined, expected: string): void {
  if (names === 'all') return;
  expect([...(names ?? [])].toSorted().join(' ')).toBe(expected);
}
