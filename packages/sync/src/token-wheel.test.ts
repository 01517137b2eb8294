import { FakeClock } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { nextTokenLineMs, secondsLeft, TokenWheel } from './token-wheel.ts';

describe('token lines', () => {
  test.each([
    [0, 18_000],
    [0.5, 20_000],
    [1, 22_000],
  ])('a keepalive is due after 20 s, spread by 10 %% (random %d)', (random, expected) => {
    expect(nextTokenLineMs(1_000_000, 0, random)).toBe(expected);
  });

  test('one line is due exactly 20 s before expiry, and one at expiry', () => {
    expect(nextTokenLineMs(60_000, 35_000, 0.5)).toBe(40_000);
    expect(nextTokenLineMs(60_000, 40_000, 0.5)).toBe(60_000);
    expect(nextTokenLineMs(60_000, 55_000, 0.5)).toBe(60_000);
  });

  test('seconds are rounded up and never negative', () => {
    expect([40_000, 40_001, 60_000, 99_000].map((now) => secondsLeft(60_000, now))).toEqual([
      20, 20, 0, 0,
    ]);
  });
});

describe('TokenWheel', () => {
  test('rings what is due once, and what was cleared never', async () => {
    const clock = new FakeClock(1_000_400);
    const stop = new AbortController();
    const wheel = new TokenWheel();
    const turning = wheel.turn(clock, stop.signal).catch(() => {});
    const rung: string[] = [];
    const alarm = (name: string) => ({ ring: () => rung.push(`${name} ${clock.now()}`) });
    const cleared = alarm('cleared');
    wheel.set(alarm('a'), 1_003_000);
    wheel.set(alarm('b'), 1_001_500);
    wheel.set(alarm('late'), 990_000);
    wheel.clear(cleared, wheel.set(cleared, 1_002_000));
    await clock.advance(10_000);
    expect(rung).toEqual(['late 1001000', 'b 1002000', 'a 1003000']);
    stop.abort();
    await turning;
  });
});
