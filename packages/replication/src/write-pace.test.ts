import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from './limits.ts';
import { WritePace } from './write-pace.ts';

const IDLE = { isBehind: false, isSnapshot: false };

function after(changes: number, tookMs: number): WritePace {
  const pace = new WritePace({ ...DEFAULT_LIMITS, groupCommitMs: 20, snapshotCommitMs: 2000 });
  pace.written({ startedAtMs: 1000 - tookMs, endedAtMs: 1000, changes });
  return pace;
}

test('a commit to an idle service is written at once', () => {
  expect(after(1, 50).delayMs({ ...IDLE, nowMs: 1001 })).toBe(0);
});

test('while more arrives, commits are grouped', () => {
  expect(after(1, 5).delayMs({ ...IDLE, isBehind: true, nowMs: 1005 })).toBe(15);
});

test('after a write of many changes the next one waits twice as long as it took, up to a bound', () => {
  expect(after(500, 30).delayMs({ ...IDLE, nowMs: 1010 })).toBe(50);
  expect(after(500, 30).delayMs({ ...IDLE, nowMs: 1060 })).toBe(0);
  expect(after(500, 3000).delayMs({ ...IDLE, nowMs: 1000 })).toBe(250);
});

test('during a snapshot only time or a full batch brings a write', () => {
  expect(after(1, 5).delayMs({ isBehind: false, isSnapshot: true, nowMs: 1100 })).toBe(1900);
});
