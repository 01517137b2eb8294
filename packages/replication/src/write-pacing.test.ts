import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from './limits.ts';
import { WritePacing, type WriteSituation } from './write-pacing.ts';

const QUIET: WriteSituation = {
  nowMs: 10_000,
  pendingBytes: 500,
  hasChanges: true,
  inTransaction: false,
  isBehind: false,
  snapshotRuns: false,
  isFilling: false,
};

function pacing(changes: number, writeMs: number): WritePacing {
  const paced = new WritePacing(DEFAULT_LIMITS);
  paced.noteWrite({ startedAtMs: 10_000 - writeMs, endedAtMs: 10_000, changes });
  return paced;
}

test.each([
  { title: 'a lone commit is written at once', last: [1, 3], now: {}, delayMs: 0 },
  { title: 'without changes there is nothing to write', last: [1, 3], now: { hasChanges: false } },
  {
    title: 'a transaction is not cut while it is small',
    last: [1, 3],
    now: { inTransaction: true },
  },
  {
    title: 'a full batch is written in the middle of a transaction',
    last: [1, 3],
    now: { inTransaction: true, pendingBytes: DEFAULT_LIMITS.batchBytes },
    delayMs: 0,
  },
  {
    title: 'batches are smaller while a config is filled beside the one that serves',
    last: [1, 3],
    now: { inTransaction: true, isFilling: true, pendingBytes: DEFAULT_LIMITS.fillBatchBytes },
    delayMs: 0,
  },
  {
    title: 'commits are grouped while more work waits',
    last: [1, 3],
    now: { isBehind: true },
    delayMs: DEFAULT_LIMITS.groupCommitMs,
  },
  {
    title: 'after a large write the next one waits twice as long',
    last: [5000, 40],
    now: {},
    delayMs: 80,
  },
  {
    title: 'a slow disk holds clients up for a bounded time',
    last: [5000, 4000],
    now: {},
    delayMs: 250,
  },
  {
    title: 'a snapshot waits for full batches',
    last: [5000, 40],
    now: { snapshotRuns: true },
    delayMs: DEFAULT_LIMITS.snapshotCommitMs,
  },
  { title: 'the wait ends', last: [5000, 40], now: { nowMs: 10_100 }, delayMs: 0 },
])('$title', ({ last: [changes = 0, writeMs = 0], now, delayMs }) => {
  expect(pacing(changes, writeMs).delayMs({ ...QUIET, ...now })).toBe(delayMs);
});
