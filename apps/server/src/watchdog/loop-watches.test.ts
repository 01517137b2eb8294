import { StorageError } from '@sluice/base';
import type { HubVitals } from '@sluice/sync';
import { expect, it } from 'vitest';
import { emptyStatus } from '../replicator/status-reducer.ts';
import type { ReplicationStatus } from '../service-status.ts';
import { feedWatch, keepaliveWatch, replicationWatch, replicatorWatch } from './loop-watches.ts';

const streaming = (change: Partial<ReplicationStatus> = {}): ReplicationStatus => ({
  ...emptyStatus(0),
  state: 'streaming',
  position: '00000000/00000001',
  ...change,
});

it('a replicator thread that is silent for 10 s is stalled, unless there is none', () => {
  let status = streaming();
  const watch = replicatorWatch(() => status);
  expect(watch.check(9_999)).toBeUndefined();
  expect(watch.check(10_000)?.code).toBe('HEALTH_LOOP_STALLED');
  status = { ...status, state: 'off' };
  expect(watch.check(10_000)).toBeUndefined();
});

it('replication that is behind and does not move for a minute is stalled, and well once it moves', () => {
  let status = streaming({ lagBytes: 8 });
  const watch = replicationWatch(() => status);
  expect(watch.check(0)).toBeUndefined();
  expect(watch.check(60_000)).toBeUndefined();
  expect(watch.check(60_001)?.code).toBe('HEALTH_LOOP_STALLED');
  status = { ...status, rowsTotal: 1 }; // within a large transaction the position stands
  expect(watch.check(60_002)).toBeUndefined();
  status = { ...status, lagBytes: 0 };
  expect(watch.check(900_000)).toBeUndefined();
});

it('a failure that replication waits out is a problem, which the supervisor has logged', () => {
  const failed = { code: 'SOURCE_UNREACHABLE', message: 'm', remedy: 'r', sinceMs: 0 };
  const watch = replicationWatch(() => streaming({ state: 'waiting', lastError: failed }));
  expect(watch.check(0)).toEqual({
    code: 'SOURCE_UNREACHABLE',
    message: 'm',
    remedy: 'r',
    isLogged: true,
  });
  expect(watch.fails, 'a restart does not bring the source back').toEqual([]);
});

const at = (opId: bigint) => ({ opId, position: `${opId}` });

it('a feed that leaves a stored checkpoint untold for 10 s is stalled, and fails readiness', () => {
  let [served, stored] = [1n, 1n];
  const vitals = (): HubVitals => ({
    wheelTurnedAtMs: 0,
    feed: { served: at(served), stored: () => at(stored) },
  });
  const watch = feedWatch(vitals);
  expect(watch.check(60_000)).toBeUndefined();
  stored = 5n;
  expect(watch.check(69_999)).toBeUndefined();
  expect(watch.check(70_000)?.code).toBe('HEALTH_LOOP_STALLED');
  served = 3n; // behind, but moving
  expect(watch.check(70_001)).toBeUndefined();
  expect(watch.fails).toContain('readiness');
});

it('storage that cannot be read is told with its own code', () => {
  const stored = () => {
    throw new StorageError('STORAGE_CORRUPT', 'bad page');
  };
  const watch = feedWatch(() => ({ wheelTurnedAtMs: 0, feed: { served: at(1n), stored } }));
  expect(watch.check(0)?.code).toBe('STORAGE_CORRUPT');
});

it('keepalives that are not looked at for 10 s are stalled, also when they never were', () => {
  let wheelTurnedAtMs: number | undefined;
  const watch = keepaliveWatch(() => ({ wheelTurnedAtMs, feed: undefined }));
  expect(watch.check(5_000)).toBeUndefined();
  expect(watch.check(15_000)?.code).toBe('HEALTH_LOOP_STALLED');
  wheelTurnedAtMs = 14_000;
  expect(watch.check(15_000)).toBeUndefined();
  expect(keepaliveWatch(() => undefined).check(99_000)).toBeUndefined();
});
