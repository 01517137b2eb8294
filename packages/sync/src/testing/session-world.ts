import { silentLogger } from '@sluice/base';
import { parseStreamRequest } from '@sluice/protocol';
import {
  FakeClock,
  scriptedConfig,
  scriptedPlan,
  ScriptedConnection,
  ScriptedStorage,
  type ScriptedRow,
  type ScriptedStream,
  type ScriptedSyncClient,
} from '@sluice/testing';
import { onTestFinished } from 'vitest';
import { SyncHub, type OpenSession } from '../sync-hub.ts';
import type { SyncLimits } from '../sync-limits.ts';

interface ConnectOptions extends Partial<Omit<OpenSession, 'request'>> {
  readonly request?: object;
  readonly client?: ScriptedSyncClient;
}

/** A hub over storage that the test commits to; closed when the test ends. */
export function start(streams: readonly ScriptedStream[], limits: Partial<SyncLimits> = {}) {
  const storage = new ScriptedStorage();
  const plan = scriptedPlan(streams);
  storage.addActiveGeneration(7, scriptedConfig(plan, '7#'));
  const clock = new FakeClock();
  const hub = new SyncHub({
    storage,
    planFor: () => plan,
    limits: { minCheckpointIntervalMs: 0, ...limits },
    clock,
    logger: silentLogger,
    random: () => 0.5,
  });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  const connect = ({ request, client, format = 'bson', ...rest }: ConnectOptions = {}) => {
    const session = hub.open({
      request: parseStreamRequest({
        raw_data: true,
        buckets: client?.heldBuckets().map(({ name, after }) => ({ name, after: `${after}` })),
        ...request,
      }),
      claims: { sub: 'u1' },
      userKey: 'u1',
      expiresAtMs: clock.now() + 3_600_000,
      format,
      signal: new AbortController().signal,
      ...rest,
    });
    return new ScriptedConnection(session, format, client);
  };
  const commit = (rows: readonly ScriptedRow[], position?: string) =>
    storage.commit(7, { rows, position });
  return { storage, clock, hub, connect, commit };
}

let nextChecksum = 1;
export function put(bucket: string, objectId: string, data = `{"id":"${objectId}"}`): ScriptedRow {
  nextChecksum = (nextChecksum * 69_069 + 1) >>> 0;
  return { bucket: `7#${bucket}`, objectId, checksum: nextChecksum, data };
}
export function remove(bucket: string, objectId: string): ScriptedRow {
  return { ...put(bucket, objectId), data: undefined };
}

export const A: ScriptedStream = { name: 'a', priority: 1, buckets: () => ['a'] };
export const B: ScriptedStream = { name: 'b', buckets: () => ['b'] };
