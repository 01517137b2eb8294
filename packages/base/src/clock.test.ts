import { expect, test } from 'vitest';
import { pause, systemClock } from './clock.ts';

const LONG_MS = 60_000;

test('a sleep rejects with the reason of its signal, before and during it', async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(LONG_MS, stop.signal);
  const reason = new Error('enough');
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(systemClock.sleep(LONG_MS, stop.signal)).rejects.toBe(reason);
});

test('a pause ends with its signal, without an error', async () => {
  const stop = new AbortController();
  const pausing = pause(systemClock, LONG_MS, stop.signal);
  stop.abort();
  await pausing;
  await pause(systemClock, LONG_MS, stop.signal);
});

test('a pause does not hide the failure of a clock', async () => {
  const broken = { ...systemClock, sleep: () => Promise.reject(new Error('stopped clock')) };
  await expect(pause(broken, 1, new AbortController().signal)).rejects.toThrow('stopped clock');
});
