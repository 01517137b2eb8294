import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { sameValue } from './same-value.ts';
import { StableRows } from './stable-rows.ts';

describe('rows that have not changed', () => {
  test('are the objects of the result before, wherever they stand', () => {
    const rows = new StableRows<{ id: string; n: number }>(undefined);
    const before = rows.next([
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
      { id: 'c', n: 3 },
    ]);
    const after = rows.next([
      { id: 'c', n: 3 },
      { id: 'a', n: 9 },
      { id: 'b', n: 2 },
    ]);
    expect(after).toEqual([
      { id: 'c', n: 3 },
      { id: 'a', n: 9 },
      { id: 'b', n: 2 },
    ]);
    expect(after.map((row) => before.indexOf(row))).toEqual([2, -1, 1]);
  });

  test('make the same array, if nothing else has changed', () => {
    const rows = new StableRows<{ id: string }>(undefined);
    const before = rows.next([{ id: 'a' }, { id: 'b' }]);
    expect(rows.next([{ id: 'a' }, { id: 'b' }])).toBe(before);
    expect(rows.next([{ id: 'b' }, { id: 'a' }])).not.toBe(before);
    expect(rows.next([{ id: 'b' }])).toHaveLength(1);
  });

  test('are found by the comparator, if there is one', () => {
    const rows = new StableRows<{ key: number; text: string }>({
      keyBy: ({ key }) => String(key),
      compareBy: ({ text }) => text.toLowerCase(),
    });
    const [first] = rows.next([{ key: 1, text: 'a' }]);
    expect(
      rows.next([
        { key: 2, text: 'b' },
        { key: 1, text: 'A' },
      ])[1],
    ).toBe(first);
  });
});

test('random results are given as they come, and share exactly what they can', () => {
  const seed = 20_261_125;
  const random = new SeededRandom(seed);
  const rows = new StableRows<{ id: string | number; n: number }>(undefined);
  let before: readonly { id: string | number; n: number }[] = [];
  for (let round = 0; round < 500; round += 1) {
    const current = Array.from({ length: random.int(7) }, () => ({
      id: random.chance(0.2) ? random.int(3) : `r${random.int(6)}`, // Some come twice, and numbers are no ids.
      n: random.int(2),
    }));
    const given = rows.next(current);
    expect(given, `seed ${seed}, round ${round}`).toEqual(current);
    for (const row of given) {
      const same = (other: { id: string | number }) => other.id === row.id;
      const [known, ...more] = before.filter(same);
      if (typeof row.id === 'number' || more.length > 0 || given.filter(same).length > 1) continue;
      expect(row === known, `seed ${seed}, round ${round}`).toBe(row.n === known?.n);
    }
    const isSame = current.length === before.length && given.every((row, at) => row === before[at]);
    expect(given === before).toBe(isSame && round > 0);
    before = given;
  }
});

test.each([
  [1, 1, true],
  [Number.NaN, Number.NaN, true],
  [0, -0, false],
  [1, 1n, false],
  [1, '1', false],
  [null, undefined, false],
  [{ a: 1, b: null }, { b: null, a: 1 }, true],
  [{ a: undefined }, { b: undefined }, false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [[1, [2]], [1, [2]], true],
  [[1], [1, 2], false],
  [[], {}, false],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2]), true],
  [new Uint8Array([1, 2]), new Uint8Array([1, 3]), false],
  [new Date(5), new Date(5), true],
  [new Date(5), new Date(6), false],
  [new Map([[1, 2]]), new Map([[1, 2]]), false],
  [new Error('a'), new Error('a'), false],
])('whether %o looks the same as %o: %s', (a, b, expected) => {
  expect(sameValue(a, b)).toBe(expected);
  expect(sameValue(b, a)).toBe(expected);
});
