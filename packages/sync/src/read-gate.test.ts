import { FakeClock, settle } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { ReadGate } from './read-gate.ts';

describe('ReadGate', () => {
  test('runs a bounded number at a time, in the order of asking', async () => {
    const gate = new ReadGate({ maxConcurrent: 2, waitMs: 1000, clock: new FakeClock() });
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
    const gate = new ReadGate({ maxConcurrent: 1, waitMs: 1000, clock: new FakeClock() });
    const failed = gate.run(() => Promise.reject(new Error('broken')));
    const next = gate.run(() => Promise.resolve('read'));
    await expect(failed).rejects.toThrow('broken');
    expect(await next).toBe('read');
  });

  test('who waits too long is refused, and the others keep their places', async () => {
    const clock = new FakeClock();
    const gate = new ReadGate({ maxConcurrent: 1, waitMs: 1000, clock });
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
});
