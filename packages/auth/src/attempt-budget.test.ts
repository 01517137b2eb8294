import { expect, it } from 'vitest';
import { FakeClock } from '@sluice/testing';
import { AttemptBudget } from './attempt-budget.ts';

// spec/protocol.md 7.2: a bucket of 10, one more per minute, with a delay that grows quadratically
it('lets 10 attempts through, each after a longer pause, then one a minute', async () => {
  const clock = new FakeClock();
  const budget = new AttemptBudget(clock);
  const startedAtMs = clock.now();
  const taken: number[] = [];
  while (clock.now() - startedAtMs < 59_000) {
    if (budget.take()) taken.push(clock.now() - startedAtMs);
    await clock.advance(100);
  }
  expect(taken).toHaveLength(10);
  const pauses = taken.slice(1).map((at, i) => at - (taken[i] ?? 0));
  expect(pauses).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((used) => used ** 2 * 100));
  let more = 0;
  for (let minute = 0; minute < 3; minute += 1) {
    await clock.advance(60_000);
    if (budget.take()) more += 1;
    if (budget.take()) more += 1;
  }
  expect(more).toBe(3);
});
