import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { BoundedQueue } from './bounded-queue.ts';

/** Whether a promise has settled by the time that everything now due has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open');
  return (
    (await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, open))])) !== open
  );
}

describe('a bounded queue', () => {
  test('lets a producer wait until there is room', async () => {
    const queue = new BoundedQueue<string>(3);
    expect(await queue.push('a', 2)).toBe(true);
    const second = queue.push('b', 2);
    expect(await isSettled(second)).toBe(false);
    expect(await queue.take()).toBe('a');
    expect(await second).toBe(true);
    expect(queue.weight).toBe(2);
  });

  test('takes an item heavier than the bound when it is empty', async () => {
    const queue = new BoundedQueue<string>(3);
    expect(await queue.push('heavy', 10)).toBe(true);
    expect(await isSettled(queue.push('next'))).toBe(false);
  });

  test('delivers what is inside after close, and refuses more', async () => {
    const queue = new BoundedQueue<number>(9);
    await queue.push(1);
    await queue.push(2);
    queue.close();
    expect(await queue.push(3)).toBe(false);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual([1, 2, undefined]);
  });

  test('throws the failure after what is inside', async () => {
    const queue = new BoundedQueue<number>(9);
    await queue.push(1);
    queue.fail(new Error('first'));
    queue.fail(new Error('second'));
    expect(await queue.take()).toBe(1);
    await expect(queue.take()).rejects.toThrow('first');
  });

  test('tells waiting producers that the consumer has gone', async () => {
    const queue = new BoundedQueue<number>(1);
    await queue.push(1);
    const [next, afterNext] = [queue.push(2), queue.push(3)];
    for await (const item of queue) if (item === 1) break;
    expect([await next, await afterNext]).toEqual([true, false]); // taking 1 let 2 in
    expect(queue.weight).toBe(0);
  });

  test('keeps order and bound under random weights and turns', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new SeededRandom(seed);
      const queue = new BoundedQueue<number>(5);
      const items = Array.from({ length: 100 }, (_, index) => index);
      const produced = (async () => {
        for (const item of items) await queue.push(item, 1 + random.int(5));
        queue.close();
      })();
      const taken: number[] = [];
      for await (const item of queue) {
        expect(queue.weight, `seed ${seed}`).toBeLessThanOrEqual(5);
        taken.push(item);
        if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
      }
      await produced;
      expect(taken, `seed ${seed}`).toEqual(items);
    }
  });
});
