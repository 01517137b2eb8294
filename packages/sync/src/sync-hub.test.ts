import { silentLogger } from '@sluice/base';
import { parseStreamRequest } from '@sluice/protocol';
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
import { afterEach, describe, expect, test } from 'vitest';
import { SyncHub, type OpenSession, type SyncHubOptions } from './sync-hub.ts';

const hubs: SyncHub[] = [];
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub[Symbol.asyncDispose]();
});

const OWN: ScriptedStream = { name: 'own', buckets: (request) => [`of_${subjectOf(request)}`] };
const SHARED: ScriptedStream = { name: 'shared', buckets: () => ['all'] };

function start(streams: readonly ScriptedStream[], options: Partial<SyncHubOptions> = {}) {
  const storage = new ScriptedStorage();
  storage.addActiveGeneration(7, scriptedConfig(scriptedPlan(streams), '7#'));
  return { storage, ...serve(storage, streams, options) };
}

function serve(
  storage: ScriptedStorage,
  streams: readonly ScriptedStream[],
  options: Partial<SyncHubOptions> = {},
) {
  const hub = new SyncHub({
    storage,
    planFor: () => scriptedPlan(streams),
    clock: new FakeClock(),
    logger: silentLogger,
    random: () => 0.5,
    ...options,
  });
  hubs.push(hub);
  const open = (sub: string, more: Partial<OpenSession> = {}) =>
    hub.open({
      request: parseStreamRequest({ raw_data: true }),
      claims: { sub },
      userKey: sub,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      format: 'bson',
      signal: new AbortController().signal,
      ...more,
    });
  const connect = (sub: string, more: Partial<OpenSession> = {}) =>
    new ScriptedConnection(open(sub, more), 'bson');
  return { hub, open, connect };
}

const row = (bucket: string) => ({ bucket, objectId: '1', checksum: 1, data: '{}' });

describe('generations', () => {
  test('without an active one a session is refused', async () => {
    const { connect } = serve(new ScriptedStorage(), [SHARED]);
    await expect(connect('u1').take()).rejects.toMatchObject({ code: 'SYNC_NO_ACTIVE_CONFIG' });
  });

  test('a plan that does not compile is the cause of the refusal', async () => {
    const broken = new Error('no such table');
    const { connect } = start([], { planFor: () => Promise.reject(broken) });
    await settle();
    await expect(connect('u1').take()).rejects.toMatchObject({
      code: 'SYNC_NO_ACTIVE_CONFIG',
      cause: { cause: broken },
    });
  });

  test('when another becomes active, streams end normally and the next gets its buckets', async () => {
    const { storage, hub, connect } = start([SHARED]);
    storage.commit(7, { rows: [row('7#all')] });
    const old = connect('u1');
    await old.drain();
    storage.addActiveGeneration(8, scriptedConfig(scriptedPlan([SHARED]), '8#'));
    storage.commit(8, { rows: [row('8#all')] });
    expect(await old.story()).toEqual([]);
    expect(old.ended).toBe(true);
    expect(await connect('u1').story()).toEqual([
      'checkpoint 2 8#all',
      'data 8#all PUT:2',
      'complete 2',
    ]);
    expect(hub.stats().connections).toBe(1);
  });
});

describe('failures of storage', () => {
  test('while following checkpoints are retried, and nothing is missed', async () => {
    const clock = new FakeClock();
    const { storage, connect } = start([SHARED], { clock });
    const connection = connect('u1');
    await connection.drain();
    storage.beforeStates = () => Promise.reject(new Error('disk'));
    storage.commit(7, { rows: [row('7#all')] });
    expect(await connection.story()).toEqual([]);
    await clock.advance(1000);
    storage.beforeStates = () => {};
    await clock.advance(10_000);
    expect(await connection.story()).toEqual(['diff 1 7#all', 'data 7#all PUT:1', 'complete 1']);
    storage.commit(7, { rows: [row('7#all')] });
    expect((await connection.story()).at(-1)).toBe('complete 2');
  });

  test('before the first line are told to the client that asked, and to it alone', async () => {
    const { storage, hub, connect } = start([OWN]);
    storage.beforeStates = () => Promise.reject(new Error('disk'));
    await expect(connect('u1').take()).rejects.toThrow('disk');
    expect(hub.stats().connections).toBe(0);
    storage.beforeStates = () => {};
    expect(await connect('u1').story()).toEqual(['checkpoint 0 7#of_u1', 'complete 0']);
  });
});

describe('joining while a checkpoint comes', () => {
  test('a bucket joined while its states are on their way is not shown a mixed state', async () => {
    const { storage, connect } = start([OWN, SHARED], { limits: { minCheckpointIntervalMs: 0 } });
    const early = connect('u1');
    await early.drain();
    // The feed is held while it loads the states of the new checkpoint; meanwhile u2 connects.
    let release = () => {};
    storage.beforeStates = () => new Promise<void>((resolve) => (release = resolve));
    storage.commit(7, { rows: [row('7#all'), row('7#of_u2')] });
    await settle();
    const releaseFeed = release;
    storage.beforeStates = () => {};
    const late = connect('u2');
    expect(await late.story()).toEqual(['checkpoint 0 7#of_u2 7#all', 'complete 0']);
    releaseFeed();
    expect(await late.story()).toEqual([
      'diff 2 7#of_u2 7#all',
      'data 7#all PUT:1',
      'data 7#of_u2 PUT:2',
      'complete 2',
    ]);
  });
});

describe('limits', () => {
  test('too many buckets are refused before the first line, with counts by definition', async () => {
    const many: ScriptedStream = {
      name: 'many',
      buckets: () => Array.from({ length: 9 }, (_, i) => `b${i}`),
    };
    const { hub, connect } = start([OWN, many], {
      limits: { maxBucketsPerConnection: 9 },
    });
    await expect(connect('u1').take()).rejects.toMatchObject({
      code: 'SYNC_TOO_MANY_BUCKETS',
      message: expect.stringContaining('many: 9, own: 1'),
    });
    expect(hub.stats().connections).toBe(0);
  });

  test('so are too many results of parameter queries; later ones end the stream', async () => {
    const found: ScriptedStream = { name: 'found', lookupKey: () => 'k' };
    const { storage, connect } = start([found], { limits: { maxParameterQueryResults: 2 } });
    const connection = connect('u1');
    await connection.drain();
    storage.commit(7, { lookups: { '7#k': ['a', 'b', 'c'] } });
    await expect(connection.take()).rejects.toMatchObject({
      code: 'SYNC_TOO_MANY_PARAMETER_RESULTS',
    });
    await expect(connect('u1').take()).rejects.toMatchObject({
      code: 'SYNC_TOO_MANY_PARAMETER_RESULTS',
    });
  });
});

describe('the end of a session', () => {
  test('drain ends all normally and refuses new ones', async () => {
    const { hub, connect } = start([SHARED]);
    const connection = connect('u1');
    await connection.drain();
    const waiting = connection.take();
    hub.drain();
    expect(await waiting).toBeUndefined();
    expect(hub.stats().connections).toBe(0);
    await expect(connect('u1').take()).rejects.toMatchObject({ code: 'SYNC_SHUTTING_DOWN' });
  });

  test('a signal ends a session that waits, and one that was never asked', async () => {
    const { hub, open } = start([SHARED]);
    const stop = new AbortController();
    const session = open('u1', { signal: stop.signal });
    await session.next();
    const waiting = session.next();
    const unasked = open('u1', { signal: stop.signal });
    stop.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await unasked.next()).toEqual({ done: true, value: undefined });
    expect(hub.stats().connections).toBe(0);
  });

  test('one that ends while its buckets are being found leaves nothing behind', async () => {
    const found: ScriptedStream = { name: 'found', lookupKey: () => 'k' };
    const { storage, hub, open } = start([found, SHARED]);
    storage.commit(7, { lookups: { '7#k': ['b'] } });
    const stop = new AbortController();
    const first = open('u1', { signal: stop.signal }).next();
    while (storage.calls.lookup === 0) await Promise.resolve();
    stop.abort();
    expect(await first).toEqual({ done: true, value: undefined });
    Object.assign(storage.calls, { bucketStates: 0, readOps: 0, lookup: 0, reached: 0 });
    storage.commit(7, { rows: [row('7#b'), row('7#all')], lookups: { '7#k': ['c'] } });
    await settle();
    expect(storage.calls).toEqual({ bucketStates: 0, readOps: 0, lookup: 0, reached: 0 });
    expect(hub.stats().connections).toBe(0);
  });

  test('a consumer that stops iterating is forgotten', async () => {
    const { hub, open } = start([SHARED]);
    for await (const batch of open('u1')) {
      expect(batch.length).toBeGreaterThan(0);
      expect(hub.stats().connections).toBe(1);
      break;
    }
    expect(hub.stats().connections).toBe(0);
  });
});

describe('many sessions', () => {
  test('a change wakes those it concerns, and costs nothing for the others', async () => {
    const count = 3000;
    const { storage, hub, open } = start([OWN, SHARED], {
      limits: { minCheckpointIntervalMs: 0 },
    });
    storage.commit(7, { rows: [row('7#all')] });
    const sessions = Array.from({ length: count }, (_, i) => open(`u${i}`));
    await Promise.all(sessions.map((session) => session.next()));
    const woken: number[] = [];
    const waiting = sessions.map((session, i) => session.next().then(() => woken.push(i)));
    await settle();
    Object.assign(storage.calls, { bucketStates: 0, readOps: 0, lookup: 0, reached: 0 });

    storage.commit(7, { rows: [row('7#of_u17')] });
    await waiting[17];
    await settle();
    expect(woken).toEqual([17]);
    expect(storage.calls).toEqual({ bucketStates: 1, readOps: 1, lookup: 0, reached: 0 });

    const again = sessions[17]?.next();
    await settle();
    storage.commit(7, { rows: [row('7#all')] });
    await Promise.all([...waiting, again]);
    expect(storage.calls).toEqual({ bucketStates: 2, readOps: 2, lookup: 0, reached: 0 });
    expect(hub.stats().connections).toBe(count);
  });

  test('lines that are equal for many are the same buffers', async () => {
    const { storage, open } = start([SHARED], { limits: { minCheckpointIntervalMs: 0 } });
    const sessions = Array.from({ length: 10 }, (_, i) => open(`u${i}`));
    await Promise.all(sessions.map((session) => session.next()));
    const waiting = sessions.map((session) => session.next());
    await settle();
    storage.commit(7, { rows: [row('7#all')] });
    const batches = (await Promise.all(waiting)).map(({ value }) => value ?? []);
    expect(batches[0]).toHaveLength(3);
    for (const batch of batches) batch.forEach((part, i) => expect(part).toBe(batches[0]?.[i]));
  });
});
