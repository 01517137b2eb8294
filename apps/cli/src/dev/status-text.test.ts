import type { ServiceStatus } from '@sluice/server';
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { isServing, StatusNews } from './follow-status.ts';
import { statusText } from './status-text.ts';

const plain = pc.createColors(false);
const STREAMING: ServiceStatus = {
  replication: {
    state: 'streaming',
    generations: [],
    lagMs: 3,
    lagBytes: 120,
    rowsTotal: 5,
    touchedAtMs: 0,
  },
  checkpointOpId: '3724',
  opsPerSecond: 12.4,
  problems: [],
  clients: 2,
};
const WAITING: ServiceStatus = {
  ...STREAMING,
  replication: {
    ...STREAMING.replication,
    state: 'waiting',
    lastError: { code: 'SOURCE_UNREACHABLE', message: 'No answer', remedy: 'Start it', sinceMs: 0 },
  },
};

test('says in one line what the service does', () => {
  expect(statusText(STREAMING, plain)).toBe(
    '● streaming  lag 3 ms  checkpoint 3,724  12 ops/s  2 clients',
  );
  const snapshot = { tablesDone: 1, tablesTotal: 4, rowsDone: 3000, rowsEstimated: 12_000 };
  const replication = { ...STREAMING.replication, state: 'snapshotting' as const, snapshot };
  expect(
    statusText({ ...STREAMING, replication, checkpointOpId: undefined, clients: 1 }, plain),
  ).toBe(
    '● snapshotting  table 2 of 4, 3,000 of about 12,000 rows  checkpoint none yet  12 ops/s  1 client',
  );
  const fill = {
    table: 'public.todos',
    tablesDone: 0,
    tablesTotal: 1,
    rowsDone: 200,
    rowsEstimated: 3600,
  };
  expect(
    statusText({ ...STREAMING, replication: { ...STREAMING.replication, fill } }, plain),
  ).toContain('  filling: table 1 of 1, 200 of about 3,600 rows  ');
  expect(statusText(WAITING, plain)).toMatch(/^● waiting .*SOURCE_UNREACHABLE$/);
});

test('a database without rows is served from its first checkpoint on, which is 0', () => {
  const empty = { ...STREAMING, checkpointOpId: '0' };
  expect(isServing(empty)).toBe(true);
  expect(statusText(empty, plain)).toContain('checkpoint 0');
  expect(isServing({ ...empty, checkpointOpId: undefined })).toBe(false);
});

test('a failure is told once, and again after it was gone', () => {
  const news = new StatusNews();
  const told = [STREAMING, WAITING, WAITING, STREAMING, WAITING].map(
    (s) => news.problem(s) !== undefined,
  );
  expect(told).toEqual([false, true, false, false, true]);
});

test('without a terminal the state is a line when it changes, and once a minute', () => {
  const news = new StatusNews();
  const at = (status: ServiceStatus, seconds: number) =>
    news.stateLine(status, seconds * 1000) !== undefined;
  expect([
    at(STREAMING, 0),
    at(STREAMING, 1),
    at(WAITING, 2),
    at(WAITING, 61),
    at(WAITING, 63),
  ]).toEqual([true, false, true, false, true]);
});
