import { setImmediate } from 'node:timers/promises';
import { FakeClock, settle } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { ReadGate } from './read-gate.ts';

const nextTurn = () => setImmediate();

describe('ReadGate', () => {
  test('runs a bounded number at a time, in the order of asking', async () => {
    const gate = new ReadGate({ maxConcurrent: 2, waitMs: 1000, clock: new FakeClock(), nextTurn });
    const started: number[] = [];
    const finish: (() => void)[] = [];
    const reads = [0, 1, 2, 3].map((n) =>
      gate.run(() => {
        started.push(n);
        return new Promise<number>((resolve) => (finish[n] = () => resolve(n)));
      }),
    );
    await settle();
    expect(started).toEqual([0, 1]);
    finish[1]?.();
    await settle();
    expect(started).toEqual([0, 1, 2]);
    finish[0]?.();
    await settle();
    finish[2]?.();
    finish[3]?.();
    expect(await Promise.all(reads)).toEqual([0, 1, 2, 3]);
  });

  test('a failed read gives its place on', async () => {
    const gate = new ReadGate({ maxConcurrent: 1, waitMs: 1000, clock: new FakeClock(), nextTurn });
    const failed = gate.run(() => Promise.reject(new Error('broken')));
    const next = gate.run(() => Promise.resolve('read'));
    await expect(failed).rejects.toThrow('broken');
    expect(await next).toBe('read');
  });

  test('who waits too long is refused, and the others keep their places', async () => {
    const clock = new FakeClock();
    const gate = new ReadGate({ maxConcurrent: 1, waitMs: 1000, clock, nextTurn });
    let finish = () => {};
    const running = gate.run(() => new Promise<void>((resolve) => (finish = resolve)));
    const first = gate.run(() => Promise.resolve('first')).catch((error: unknown) => error);
    await clock.advance(600);
    const second = gate.run(() => Promise.resolve('second'));
    await clock.advance(600);
    expect(await first).toMatchObject({ code: 'SYNC_OVERLOADED' });
    finish();
    await running;
    expect(await second).toBe('second');
  });

  test('a first read waits for a bounded number of those that go on with a download', async () => {
    const gate = new ReadGate({ maxConcurrent: 1, waitMs: 1000, clock: new FakeClock(), nextTurn });
    const order: string[] = [];
    const read = (name: string) => async () => void order.push(name);
    const downloads = Array.from({ length: 50 }, (_, n) => gate.run(read(`more ${n}`), 'more'));
    const single = gate.run(read('single'), 'first');
    await Promise.all([...downloads, single]);
    // One was under way when it came.
    expect(order.indexOf('single')).toBeLessThanOrEqual(1);
  });

  test('a continued download has its turn among any number of first reads', async () => {
    const gate = new ReadGate({ maxConcurrent: 1, waitMs: 1000, clock: new FakeClock(), nextTurn });
    const order: string[] = [];
    const read = (name: string) => async () => void order.push(name);
    const running = gate.run(read('running'));
    const firsts = Array.from({ length: 50 }, (_, n) => gate.run(read(`first ${n}`), 'first'));
    const more = gate.run(read('more'), 'more');
    await Promise.all([running, ...firsts, more]);
    expect(order.indexOf('more')).toBeLessThanOrEqual(4);
  });

  test('reads that take long together let the rest of the event loop in between', async () => {
    let nowMs = 0;
    const clock = { now: () => nowMs, sleep: () => new Promise<void>(() => {}) };
    const turns: (() => void)[] = [];
    const gate = new ReadGate({
      maxConcurrent: 10,
      waitMs: 1000,
      clock,
      nextTurn: () => new Promise((resolve) => turns.push(resolve)),
    });
    let done = 0;
    const reads = Array.from({ length: 9 }, () =>
      gate.run(async () => {
        done += 1;
        nowMs += 2; // what a read costs
      }),
    );
    await settle();
    const doneByTurn = [done];
    while (turns.length > 0) {
      turns.shift()?.();
      await settle();
      doneByTurn.push(done);
    }
    await Promise.all(reads);
    expect(doneByTurn.slice(0, 5)).toEqual([2, 4, 6, 8, 9]);
  });
});
