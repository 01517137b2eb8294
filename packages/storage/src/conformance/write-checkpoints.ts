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
