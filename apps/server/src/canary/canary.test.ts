import { silentLogger, SourceError } from '@sluice/base';
import { FakeClock } from '@sluice/testing';
import { expect, it, onTestFinished } from 'vitest';
import { Canary, type CanaryOptions } from './canary.ts';

/** A canary every 10 s with a threshold of 1 s, on a clock that the test moves. */
function start(change: Partial<CanaryOptions> = {}) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const seen: number[] = [];
  const canary = new Canary({
    source: { head: async () => 'p1', mark: async () => {} },
    passed: async () => {},
    isFlowing: () => true,
    intervalMs: 10_000,
    thresholdMs: 1000,
    onSeen: (tookMs) => seen.push(tookMs),
    clock,
    logger: silentLogger,
    ...change,
  });
  const ended = canary.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  return { clock, canary, seen, fault: () => canary.watch.check(clock.now())?.code };
}

it('waits for what lies behind the head that it found, and measures', async () => {
  const awaited: string[] = [];
  const { clock, canary, seen, fault } = start({ passed: async (at) => void awaited.push(at) });
  await clock.advance(9_999);
  expect(canary.counts.sent).toBe(0);
  await clock.advance(1);
  expect(awaited).toEqual(['p1']);
  expect(seen).toHaveLength(1);
  expect(canary.counts).toMatchObject({ sent: 1, lost: 0 });
  expect(fault()).toBeUndefined();
});

it('is lost after 15 s, which is told while it is still out, and well with the next that arrives', async () => {
  let isStuck = true;
  const { clock, canary, fault } = start({
    passed: () => (isStuck ? new Promise(() => {}) : Promise.resolve()),
  });
  await clock.advance(24_999);
  expect(fault()).toBeUndefined();
  await clock.advance(1);
  expect(fault()).toBe('HEALTH_CANARY_LOST');
  expect(canary.counts.lost).toBe(1);
  isStuck = false;
  await clock.advance(5000);
  expect(fault()).toBeUndefined();
  expect(canary.counts).toMatchObject({ sent: 2, lost: 1 });
});

it('reports the failure of the source, when that is why it cannot be sent', async () => {
  const mark = () => Promise.reject(new SourceError('SOURCE_UNREACHABLE', 'gone'));
  const { clock, fault } = start({ source: { head: async () => 'p1', mark } });
  await clock.advance(10_000);
  expect(fault()).toBe('SOURCE_UNREACHABLE');
});

it('is not sent while nothing can flow', async () => {
  const { clock, canary } = start({ isFlowing: () => false });
  await clock.advance(60_000);
  expect(canary.counts.sent).toBe(0);
});
