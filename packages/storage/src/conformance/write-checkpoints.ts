import { describe, expect, test } from 'vitest';
import { until, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

export function describeWriteCheckpoints(target: StorageTarget): void {
  describe('write checkpoints', () => {
    test('count up per user, from one', () =>
      withSession(target, async ({ storage: { writeCheckpoints } }) => {
        expect(await writeCheckpoints.create('u1/c1', 'A')).toBe(1n);
        expect(await writeCheckpoints.create('u1/c1', 'B')).toBe(2n);
        expect(await writeCheckpoints.create('u1/c2', 'B')).toBe(1n);
      }));

    test('are reached at the position of their head, the newest hiding older ones', () =>
      withSession(target, async ({ storage: { writeCheckpoints } }) => {
        await writeCheckpoints.create('u1', '00000000/00000010');
        await writeCheckpoints.create('u2', '00000000/00000020');
        const reached = async (position: string) =>
          Object.fromEntries(await writeCheckpoints.reached(['u1', 'u2', 'u3'], position));
        expect(await reached('00000000/0000000F')).toEqual({});
        expect(await reached('00000000/00000010')).toEqual({ u1: 1n });
        expect(await reached('00000001/00000000')).toEqual({ u1: 1n, u2: 1n });
        await writeCheckpoints.create('u1', '00000000/00000030');
        expect(await reached('00000000/00000020')).toEqual({ u2: 1n });
        expect(await reached('00000000/00000030')).toEqual({ u1: 2n, u2: 1n });
        expect((await writeCheckpoints.reached([], 'z')).size).toBe(0);
      }));

    test('requests of one moment get different values', () =>
      withSession(target, async ({ storage: { writeCheckpoints } }) => {
        const requests = Array.from({ length: 20 }, () => writeCheckpoints.create('u', 'A'));
        const values = (await Promise.all(requests)).map(Number);
        expect(values.toSorted((a, b) => a - b)).toEqual(requests.map((_, at) => at + 1));
      }));

    // spec/protocol.md 11.11, with the head after each call
    test('follow the calls of both routes as the table of the protocol says', () =>
      withSession(target, async ({ storage: { writeCheckpoints: store } }) => {
        const ask = (id: bigint) => (head: string) =>
          store.request('u', { id, head, requestedAtMs: 0 });
        const create = (head: string) => store.create('u', head);
        const calls: readonly [
          call: (head: string) => Promise<bigint>,
          value: bigint,
          head: string,
        ][] = [
          [create, 1n, 'a'],
          [create, 2n, 'b'],
          [ask(42n), 42n, 'c'],
          [ask(42n), 42n, 'c'],
          [ask(1n), 42n, 'c'],
          [create, 43n, 'f'],
        ];
        for (const [at, [call, value, head]] of calls.entries()) {
          expect(await call('abcdef'.charAt(at))).toBe(value);
          const before = String.fromCharCode(head.charCodeAt(0) - 1);
          expect((await store.reached(['u'], before)).size).toBe(0);
          expect((await store.reached(['u'], head)).get('u')).toBe(value);
        }
      }));

    test('keep every digit up to 2^63-1, where the counter stays', () =>
      withSession(target, async ({ storage: { writeCheckpoints: store } }) => {
        const max = 2n ** 63n - 1n;
        for (const id of [2n ** 53n + 1n, max - 1n]) {
          expect(await store.request('u', { id, head: 'a', requestedAtMs: 0 })).toBe(id);
          expect((await store.reached(['u'], 'a')).get('u')).toBe(id);
        }
        expect(await store.create('u', 'b')).toBe(max);
        expect(await store.create('u', 'c')).toBe(max);
        expect((await store.reached(['u'], 'c')).get('u')).toBe(max);
      }));

    test('forget requests of long ago, but never counters, and tell of changes afterwards', () =>
      withSession(target, async ({ storage: { writeCheckpoints: store } }) => {
        const ask = (user: string, id: bigint, requestedAtMs: number) =>
          store.request(user, { id, head: 'a', requestedAtMs });
        await ask('old', 5n, 1000);
        await ask('repeated', 5n, 1000);
        await ask('repeated', 5n, 2000);
        await store.create('counter', 'a');
        await ask('raised', 5n, 1000);
        await store.create('raised', 'a');
        await ask('lower', 5n, 1000);
        await ask('lower', 4n, 2000);
        const users = ['old', 'repeated', 'counter', 'raised', 'lower'];
        expect(await store.expireRequests(1000)).toBe(0);
        const stop = new AbortController();
        const seen = new Set<string>();
        const changes = store.watch(stop.signal);
        const watching = (async () => {
          for await (const changed of changes) for (const user of changed) seen.add(user);
        })();
        expect(await store.expireRequests(2000)).toBe(2);
        expect([...(await store.reached(users, 'a')).keys()].toSorted()).toEqual([
          'counter',
          'raised',
          'repeated',
        ]);
        expect(await ask('old', 1n, 3000)).toBe(1n);
        await until(() => seen.has('old'));
        stop.abort();
        await watching;
      }));

    test('tell watchers whose record changed', () =>
      withSession(target, async ({ storage: { writeCheckpoints } }) => {
        const stop = new AbortController();
        const seen = new Set<string>();
        const changes = writeCheckpoints.watch(stop.signal);
        const watching = (async () => {
          for await (const users of changes) for (const user of users) seen.add(user);
        })();
        await writeCheckpoints.create('u1', 'A');
        await writeCheckpoints.create('u2', 'A');
        await until(() => seen.size === 2);
        stop.abort();
        await watching;
        expect([...seen].toSorted()).toEqual(['u1', 'u2']);
      }));
  });
}
