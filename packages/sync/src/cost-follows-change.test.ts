import { silentLogger } from '@sluice/base';
import { parseStreamRequest } from '@sluice/protocol';
import type { BucketStorage, GenerationReader } from '@sluice/storage';
import {
  FakeClock,
  scriptedConfig,
  scriptedPlan,
  ScriptedConnection,
  ScriptedStorage,
  settle,
  subjectOf,
  type ScriptedStream,
} from '@sluice/testing';
import { onTestFinished, expect, test } from 'vitest';
import { SyncHub } from './sync-hub.ts';

/** What storage was asked for: bucket names, or `method` for anything else. */
type Asked = string[];

/** Storage that writes down what readers are asked. */
function watched(storage: ScriptedStorage, asked: Asked): BucketStorage {
  const reader = (inner: GenerationReader): GenerationReader => ({
    generation: inner.generation,
    checkpoint: () => inner.checkpoint(),
    watch: (signal) => inner.watch(signal),
    bucketStates: (buckets, at) => {
      asked.push(...buckets.map((name) => `state ${name}`));
      return inner.bucketStates(buckets, at);
    },
    readOps: (request) => {
      asked.push(`ops ${request.bucket}`);
      return inner.readOps(request);
    },
    lookup: (keys, at) => {
      asked.push(...keys.map((key) => `lookup ${key}`));
      return inner.lookup(keys, at);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  });
  return new Proxy<BucketStorage>(storage, {
    get(target, name) {
      if (name === 'openReader') return async (id: number) => reader(await storage.openReader(id));
      if (name === 'writeCheckpoints') {
        const { writeCheckpoints } = storage;
        return {
          create: (user: string, head: string) => writeCheckpoints.create(user, head),
          reached: (users: readonly string[], position: string) => {
            asked.push(...users.map((user) => `write checkpoint ${user}`));
            return writeCheckpoints.reached(users, position);
          },
          watch: (signal: AbortSignal) => writeCheckpoints.watch(signal),
        };
      }
      const value: unknown = Reflect.get(target, name, storage);
      return typeof value === 'function' ? (value.bind(storage) as unknown) : value;
    },
  });
}

function start(streams: readonly ScriptedStream[], maxBuckets = 1000) {
  const storage = new ScriptedStorage();
  const plan = scriptedPlan(streams);
  storage.addActiveGeneration(7, scriptedConfig(plan, '7#'));
  const asked: Asked = [];
  const hub = new SyncHub({
    storage: watched(storage, asked),
    planFor: () => plan,
    limits: { minCheckpointIntervalMs: 0, maxBucketsPerConnection: maxBuckets },
    clock: new FakeClock(),
    logger: silentLogger,
    random: () => 0.5,
  });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  const open = (sub: string) =>
    hub.open({
      request: parseStreamRequest({ raw_data: true }),
      claims: { sub },
      userKey: sub,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      format: 'bson',
      signal: new AbortController().signal,
    });
  return { storage, hub, open, asked };
}

const row = (bucket: string, checksum = 1) => ({
  bucket: `7#${bucket}`,
  objectId: '1',
  checksum,
  data: '{}',
});
const OWN: ScriptedStream = { name: 'own', buckets: (request) => [`of_${subjectOf(request)}`] };

test('a checkpoint that does not concern a connection asks nothing for it and sends it nothing', async () => {
  const { storage, hub, open, asked } = start([OWN]);
  storage.commit(7, { rows: [row('of_u0'), row('of_u1')] });
  const idle = Array.from({ length: 200 }, (_, n) => open(`u${n + 1}`));
  for (const session of idle) await session.next();
  const concerned = new ScriptedConnection(open('u0'), 'bson');
  await concerned.take();
  const waiting = idle.map((session) => session.next());
  await settle();
  let answered = 0;
  for (const next of waiting) void next.then(() => (answered += 1));
  asked.length = 0;
  const { linesSent } = hub.stats();
  for (let n = 2; n < 12; n += 1) {
    storage.commit(7, { rows: [row('of_u0', n)] });
    await concerned.take();
  }
  await settle();
  expect(answered).toBe(0);
  expect(new Set(asked)).toEqual(new Set(['state 7#of_u0', 'ops 7#of_u0']));
  // A diff, the data and the completion each.
  expect(hub.stats().linesSent - linesSent).toBe(30);
  for (const session of idle) session.end();
});

test('a client of 20,000 buckets is asked about and told of the one that changed', async () => {
  const count = 20_000;
  const buckets = Array.from({ length: count }, (_, n) => `b${n}`);
  const { storage, open, asked } = start([{ name: 'many', buckets: () => buckets }], count);
  storage.commit(7, { rows: [row('b7'), row('b19999')] });
  const connection = new ScriptedConnection(open('u0'), 'bson');
  const [first] = (await connection.take()) ?? [];
  expect(first?.kind === 'checkpoint' && first.buckets.length).toBe(count);
  await connection.drain();
  asked.length = 0;
  storage.commit(7, { rows: [row('b19999', 2)] });
  const lines = await connection.drain();
  expect(asked).toEqual(['state 7#b19999', 'ops 7#b19999']);
  const diffs = lines.filter((line) => line.kind === 'checkpoint_diff');
  expect(diffs).toMatchObject([{ updatedBuckets: [{ bucket: '7#b19999' }], removedBuckets: [] }]);
});
