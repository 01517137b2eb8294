/**
 * What the sync hub itself costs, without storage and sockets:
 * - one client, then a second one, downloading 500,000 operations of 534 bytes;
 * - a change that concerns 1 of 3,000 clients, and one that concerns all of them;
 * - memory of an idle session.
 *
 * Run: node -C @sluice/source --expose-gc --import tsx bench/sync-hub.ts
 */
import { silentLogger, systemClock } from '@sluice/base';
import { encodeOpElement, parseStreamRequest, type StreamFormat } from '@sluice/protocol';
import type { BucketStorage, GenerationReader, OpsChunk } from '@sluice/storage';
import { SyncHub, type SyncSession } from '@sluice/sync';
import { scriptedConfig, scriptedPlan, ScriptedStorage, subjectOf } from '@sluice/testing';

const OPS = 500_000;
const OPS_PER_CHUNK = 500;
const CLIENTS = 3000;

const PLAN = scriptedPlan([
  { name: 'own', buckets: (request) => [`of_${subjectOf(request)}`] },
  { name: 'shared', priority: 1, buckets: () => ['shared'] },
]);

function openHub(storage: BucketStorage): SyncHub {
  return new SyncHub({
    storage,
    planFor: () => PLAN,
    limits: { minCheckpointIntervalMs: 0 },
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
  });
}

function openSession(hub: SyncHub, sub: string, format: StreamFormat): SyncSession {
  return hub.open({
    request: parseStreamRequest({ raw_data: true, client_id: `client of ${sub}` }),
    claims: { sub },
    userKey: sub,
    expiresAtMs: Date.now() + 3_600_000,
    format,
    signal: new AbortController().signal,
  });
}

/** Chunks made beforehand, handed out as a cache of segments would. */
function preparedChunks(): OpsChunk[] {
  const text = 'lorem ipsum "dolor" sit amet '.repeat(12);
  return Array.from({ length: OPS / OPS_PER_CHUNK }, (_, at) => {
    const elements = Array.from({ length: OPS_PER_CHUNK }, (_unused, i) => {
      const opId = BigInt(at * OPS_PER_CHUNK + i + 1);
      const data = JSON.stringify({ id: `row${opId}`, text, n: i });
      return encodeOpElement({
        kind: 'PUT',
        opId,
        objectType: 'items',
        objectId: `row${opId}`,
        subkey: `1/${opId}`,
        checksum: 0xfedcba98,
        data,
      });
    });
    const part = Buffer.concat(elements);
    return {
      parts: [part],
      opCount: OPS_PER_CHUNK,
      byteLength: part.length,
      lastOpId: BigInt((at + 1) * OPS_PER_CHUNK),
      hasMore: (at + 1) * OPS_PER_CHUNK < OPS,
      requiresCheckpoint: 0n,
      epoch: 0,
      identity: part,
    };
  });
}

function storageOf(chunks: readonly OpsChunk[]): BucketStorage {
  const storage = new ScriptedStorage();
  storage.addActiveGeneration(7, scriptedConfig(PLAN, '7#'));
  const openReader = async (id: number): Promise<GenerationReader> => {
    const reader = await ScriptedStorage.prototype.openReader.call(storage, id);
    const checkpoint = { opId: BigInt(OPS), position: 'p' };
    return {
      ...reader,
      checkpoint: () => checkpoint,
      bucketStates: async (names) =>
        names.map((name) => ({
          checksum: 1,
          count: OPS,
          lastOpId: name === '7#shared' ? BigInt(OPS) : 0n,
          requiresCheckpoint: 0n,
        })),
      readOps: async ({ after }) => chunks[Number(after) / OPS_PER_CHUNK],
    };
  };
  return Object.assign(storage, { openReader });
}

async function download(hub: SyncHub, sub: string, format: StreamFormat): Promise<string> {
  const start = performance.now();
  const before = hub.stats();
  const session = openSession(hub, sub, format);
  while (hub.stats().opsSent - before.opsSent < OPS) await session.next();
  session.end();
  const seconds = (performance.now() - start) / 1000;
  const megabytes = (hub.stats().bytesSent - before.bytesSent) / 1e6;
  return `${Math.round(OPS / seconds)} ops/s, ${Math.round(megabytes / seconds)} MB/s`;
}

async function benchDownloads(): Promise<void> {
  const chunks = preparedChunks();
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  console.log(`download of ${OPS} ops of ${Math.round(bytes / OPS)} bytes`);
  const hub = openHub(storageOf(chunks));
  for (const format of ['bson', 'ndjson'] as const) {
    console.log(`  ${format}, first client:  ${await download(hub, 'u1', format)}`);
    console.log(`  ${format}, second client: ${await download(hub, 'u2', format)}`);
  }
  await hub[Symbol.asyncDispose]();
}

async function benchIdleClients(): Promise<void> {
  const storage = new ScriptedStorage();
  storage.addActiveGeneration(7, scriptedConfig(PLAN, '7#'));
  const hub = openHub(storage);
  await new Promise(setImmediate);
  const heapBefore = heapBytes();
  const sessions = Array.from({ length: CLIENTS }, (_, i) => openSession(hub, `u${i}`, 'bson'));
  await Promise.all(sessions.map((session) => session.next()));
  let served = 0;
  const serve = async (session: SyncSession): Promise<void> => {
    while ((await session.next()).done !== true) served += 1;
  };
  const serving = sessions.map(serve);
  await new Promise(setImmediate);
  const perSession = Math.round((heapBytes() - heapBefore) / CLIENTS);
  console.log(`${CLIENTS} idle clients: ${perSession} bytes each (two buckets)`);

  for (const [what, bucket, expected] of [
    ['1 client', '7#of_u17', 1],
    ['all clients', '7#shared', CLIENTS],
  ] as const) {
    const times: number[] = [];
    for (let round = 0; round < 200; round += 1) {
      const row = { bucket, objectId: `${round % 10}`, checksum: round, data: '{"id":"1"}' };
      const target = served + expected;
      const start = performance.now();
      storage.commit(7, { rows: [row] });
      while (served < target) await Promise.resolve();
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    const [p50, p99] = [times[100] ?? 0, times[198] ?? 0];
    console.log(`  change for ${what}: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`);
  }
  await hub[Symbol.asyncDispose]();
  await Promise.all(serving);
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

console.log(`node ${process.version}`);
await benchDownloads();
await benchIdleClients();
