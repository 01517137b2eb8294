import type { OpId } from '@sluice/model';
import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import type { RowChange } from '../contract.ts';
import { put, Session, until, withSession } from './session.ts';
import type { StorageTarget } from './target.ts';

const MAX = 2n ** 63n - 1n;

function raise(key: string, value: number | bigint): RowChange {
  return { kind: 'raise', key, value: BigInt(value) };
}

async function numberAt({ reader }: Session, key: string, at?: OpId): Promise<string | undefined> {
  const opId = at ?? reader.checkpoint()?.opId ?? 0n;
  const values = (await reader.lookup([key], opId)).get(key) ?? [];
  expect(values.length).toBeLessThanOrEqual(1);
  return values[0];
}

export function describeRaisedNumbers(target: StorageTarget): void {
  describe('numbers that rise', () => {
    test('never fall, and keep every digit', () =>
      withSession(target, async (session) => {
        const steps: readonly [bigint, string][] = [
          [5n, '5'],
          [3n, '5'],
          [5n, '5'],
          [2n ** 53n + 1n, '9007199254740993'],
          [2n ** 53n, '9007199254740993'],
          [MAX, String(MAX)],
        ];
        for (const [value, expected] of steps) {
          await session.commit([raise('n', value)]);
          expect(await numberAt(session, 'n')).toBe(expected);
        }
        expect(await numberAt(session, 'other')).toBeUndefined();
      }));

    test('of one batch: the greatest counts, in whatever order', () =>
      withSession(target, async (session) => {
        await session.commit([raise('a', 2), raise('b', 9), raise('a', 7), raise('a', 4)]);
        expect(await numberAt(session, 'a')).toBe('7');
        expect(await numberAt(session, 'b')).toBe('9');
      }));

    test('show with the checkpoint that publishes them, and belong to it for ever', () =>
      withSession(target, async (session) => {
        const first = await session.commit([raise('n', 1), put('a', '1', 'b')]);
        await session.write([raise('n', 2), put('a', '2', 'b')]);
        await session.write([raise('n', 3)]);
        expect(await numberAt(session, 'n')).toBe('1');
        const second = await session.commit([]);
        expect(await numberAt(session, 'n')).toBe('3');
        expect(await numberAt(session, 'n', first.opId)).toBe('1');
        expect(second.opId).toBeGreaterThan(first.opId);
      }));

    test('are told with the delta of their checkpoint, and only when they rose', () =>
      withSession(target, async (session) => {
        await session.commit([raise('n', 5)]);
        const stop = new AbortController();
        const seen: string[] = [];
        const deltas = session.reader.watch(stop.signal);
        const watching = (async () => {
          for await (const { checkpoint, lookups } of deltas) {
            const keys = lookups === 'all' ? ['all'] : [...lookups].toSorted();
            seen.push(`${checkpoint.position} ${keys.join(' ')}`);
          }
        })();
        const commit = async (changes: readonly RowChange[], position: string) => {
          await session.commit(changes, { checkpoint: position });
          await until(() => seen.at(-1)?.startsWith(position) === true);
        };
        await commit([raise('n', 4), raise('m', 1)], 'q1');
        await commit([raise('n', 6), raise('m', 1)], 'q2');
        await session.write([raise('n', 7)]);
        await session.write([raise('n', 8)]);
        await commit([], 'q3');
        stop.abort();
        await watching;
        expect(seen).toEqual(['q1 m', 'q2 n', 'q3 n']);
      }));

    test('stay whatever becomes of rows and tables', () =>
      withSession(target, async (session) => {
        await session.commit([raise('n', 5), put('a', '1', 'b')]);
        await session.commit([
          { kind: 'delete', tableId: 1, key: 'a' },
          { kind: 'truncate', tableId: 1 },
          { kind: 'drop-tombstones', tableId: 1 },
        ]);
        await session.compact();
        await session.discard({ tables: [1] });
        expect(await numberAt(session, 'n')).toBe('5');
      }));

    test('go with their prefix, and begin anew', () =>
      withSession(target, async (session) => {
        await session.commit([raise('a.1#n', 5), raise('a.10#n', 5)]);
        await session.discard({ prefixes: ['a.1#'] });
        expect(await numberAt(session, 'a.1#n')).toBeUndefined();
        await session.commit([raise('a.1#n', 2)]);
        expect(await numberAt(session, 'a.1#n')).toBe('2');
        expect(await numberAt(session, 'a.10#n')).toBe('5');
      }));

    test('are of one generation', () =>
      withSession(target, async (session) => {
        const other = await Session.on(session.storage);
        await session.commit([raise('n', 5)]);
        await other.commit([raise('n', 3)]);
        expect(await numberAt(other, 'n')).toBe('3');
        await other.writer[Symbol.asyncDispose]();
        await other.reader[Symbol.asyncDispose]();
      }));

    test.each([1, 2, 3, 4])(
      'at every checkpoint so far are the greatest of the batches up to it (seed %i)',
      (seed) =>
        withSession(target, async (session) => {
          const random = new SeededRandom(seed);
          const keys = ['k0', 'k1', 'k2'];
          const greatest = new Map<string, bigint>();
          const shown: { readonly opId: OpId; readonly numbers: ReadonlyMap<string, bigint> }[] =
            [];
          for (let round = 0; round < 30; round += 1) {
            const changes = Array.from({ length: random.int(6) }, () => {
              const [key, value] = [random.pick(keys), BigInt(1 + random.int(round + 5))];
              if (random.chance(0.2)) return put(key, String(value), 'b');
              if (value > (greatest.get(key) ?? 0n)) greatest.set(key, value);
              return raise(key, value);
            });
            if (random.chance(0.4)) await session.write(changes);
            else {
              const { opId } = await session.commit(changes);
              shown.push({ opId, numbers: new Map(greatest) });
            }
            if (random.chance(0.2)) await session.compact();
          }
          for (const { opId, numbers } of shown) {
            for (const key of keys) {
              expect(await numberAt(session, key, opId)).toBe(numbers.get(key)?.toString());
            }
          }
        }),
    );
  });
}
