import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { FairTurns, PACED_ITEMS, pacedEach } from './pace.ts';

/** Turns of the event loop that the test lets come, with a clock that the work moves. */
function start() {
  let nowMs = 0;
  let come: (() => void)[] = [];
  const turns = new FairTurns({
    clock: { now: () => nowMs, sleep: () => Promise.reject(new Error('nobody sleeps')) },
    nextTurn: () => new Promise((resolve) => come.push(resolve)),
  });
  const work = (ms: number) => (nowMs += ms);
  const nextTurn = async () => {
    const [...now] = come;
    come = [];
    for (const resolve of now) resolve();
    await setImmediate();
  };
  return { turns, work, nextTurn };
}

describe('work in slices', () => {
  test('goes on until 4 ms of a turn of the event loop are over, then waits for the next', async () => {
    const { turns, work, nextTurn } = start();
    const doneBy: number[] = [];
    let turn = 0;
    const all = pacedEach(Array.from({ length: PACED_ITEMS * 12 }), turns, () => {
      work(1 / PACED_ITEMS);
      doneBy[turn] = (doneBy[turn] ?? 0) + 1;
    });
    for (turn = 1; turn < 10; turn += 1) await nextTurn();
    await all;
    // The first question comes after the first 64 items, and is what begins the slice.
    expect(doneBy.map((items) => items / PACED_ITEMS)).toEqual([5, 4, 3]);
  });

  test('is one slice for all, and nobody is left out', async () => {
    const { turns, work, nextTurn } = start();
    const done = Array.from({ length: 40 }, () => 0);
    const works = done.map((_, one) =>
      pacedEach(Array.from({ length: PACED_ITEMS * 10 }), turns, () => {
        work(1 / PACED_ITEMS);
        done[one] = (done[one] ?? 0) + 1;
      }),
    );
    const finished = Promise.all(works).then(() => true);
    let most = 0;
    for (let turn = 0; turn < 200; turn += 1) {
      const before = done.reduce((sum, items) => sum + items);
      await nextTurn();
      most = Math.max(most, done.reduce((sum, items) => sum + items) - before);
      expect(Math.max(...done) - Math.min(...done)).toBeLessThanOrEqual(6 * PACED_ITEMS);
    }
    expect(await finished).toBe(true);
    expect(most).toBeLessThanOrEqual(20 * PACED_ITEMS);
    expect(turns.waiting).toBe(0);
  });

  test('that fails says so and holds up nobody', async () => {
    const { turns, work, nextTurn } = start();
    const items = Array.from({ length: PACED_ITEMS * 9 }, (_, i) => i);
    const failing = pacedEach(items, turns, (item) => {
      work(1);
      if (item === 300) throw new Error('item 300');
    });
    const failed = expect(failing).rejects.toThrow('item 300');
    let seen = 0;
    const other = pacedEach(items, turns, () => (seen += 1));
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    await failed;
    await other;
    expect(seen).toBe(items.length);
  });
});
