import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

const delays = (backoff: Backoff, count: number) =>
  Array.from({ length: count }, () => backoff.nextDelayMs());

test('delays double up to the longest, and begin anew after a success', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1000, jitter: 0, random: () => 0 });
  expect(delays(backoff, 6)).toEqual([100, 200, 400, 800, 1000, 1000]);
  backoff.reset();
  expect(delays(backoff, 2)).toEqual([100, 200]);
});

test('delays stay at the longest however many attempts there were', () => {
  const backoff = new Backoff({ firstMs: 1, maxMs: 5000, jitter: 0, random: () => 0 });
  expect(delays(backoff, 2000).at(-1)).toBe(5000);
});

test.each([
  [0, 80],
  [0.5, 100],
  [1, 120],
])('jitter spreads a delay both ways: %d', (random, delay) => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 100, jitter: 0.2, random: () => random });
  expect(backoff.nextDelayMs()).toBe(delay);
});
