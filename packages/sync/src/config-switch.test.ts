import { ConfigError, silentLogger } from '@sluice/base';
import { parseStreamRequest } from '@sluice/protocol';
import type { StoredConfig } from '@sluice/storage';
import {
  FakeClock,
  scriptedConfig,
  scriptedPlan,
  ScriptedConnection,
  ScriptedStorage,
  ScriptedSyncClient,
  settle,
  type ScriptedStream,
} from '@sluice/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SyncHub } from './sync-hub.ts';

const A: ScriptedStream = { name: 'a', hash: 'a1', buckets: () => ['x'] };
const B: ScriptedStream = { name: 'b', hash: 'b1', buckets: () => ['y'] };
const CHANGED_B: ScriptedStream = { ...B, hash: 'b2' };
const C: ScriptedStream = { name: 'c', hash: 'c1', buckets: () => ['z'] };

const PREFIXES: Record<string, string> = { a1: 'a.1#', b1: 'b.1#', b2: 'b.2#', c1: 'c.3#' };

/** A hub over one generation, whose configs are made of streams. */
function start(streams: readonly ScriptedStream[]) {
  const storage = new ScriptedStorage();
  const clock = new FakeClock();
  const plans = new Map([planOf(streams)].map((plan) => [plan.hash, plan]));
  /** Awaited before a plan is there. */
  const compiling = { before: async () => {} };
  storage.addActiveGeneration(7, configOf(streams));
  const hub = new SyncHub({
    storage,
    planFor: async ({ configs }) => {
      await compiling.before();
      const plan = plans.get(configs.serving.hash);
      if (plan === undefined) throw new ConfigError('CONFIG_SYNC_INVALID', 'does not compile');
      return plan;
    },
    limits: { minCheckpointIntervalMs: 0 },
    clock,
    logger: silentLogger,
    random: () => 0.5,
  });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  const connect = (client = new ScriptedSyncClient()) => {
    const buckets = client.heldBuckets().map(({ name, after }) => ({ name, after: `${after}` }));
    const session = hub.open({
      request: parseStreamRequest({ raw_data: true, buckets }),
      claims: { sub: 'u1' },
      userKey: 'u1',
      expiresAtMs: clock.now() + 3_600_000,
      format: 'bson',
      signal: new AbortController().signal,
    });
    return new ScriptedConnection(session, 'bson', client);
  };
  const deploy = (next: readonly ScriptedStream[], serving: StoredConfig = configOf(next)) => {
    plans.set(serving.hash, planOf(next));
    storage.setConfigs(7, { serving });
  };
  const commit = (...names: string[]) => storage.commit(7, { rows: names.map(row) });
  return { storage, clock, hub, plans, compiling, connect, deploy, commit };
}

function planOf(streams: readonly ScriptedStream[]) {
  return scriptedPlan(streams);
}

function configOf(streams: readonly ScriptedStream[]): StoredConfig {
  return scriptedConfig(planOf(streams), ({ hash }) => PREFIXES[hash] ?? '');
}

const row = (bucket: string) => ({ bucket, objectId: bucket, checksum: 1, data: '{}' });

describe('when the serving config changes', () => {
  test('streams end normally, and clients go on in kept buckets and load only new ones', async () => {
    const { hub, connect, deploy, commit } = start([A, B]);
    commit('a.1#x', 'b.1#y', 'b.2#y', 'c.3#z');
    const old = connect();
    await old.drain();
    deploy([A, CHANGED_B, C]);
    expect(await old.story()).toEqual([]);
    expect(old.ended).toBe(true);
    const now = connect(old.client);
    expect(await now.story()).toEqual([
      'checkpoint 5 a.1#x b.2#y c.3#z',
      'data b.2#y PUT:3',
      'data c.3#z PUT:4',
      'complete 5',
    ]);
    commit('a.1#x', 'b.1#y', 'c.3#z');
    expect((await now.story()).slice(0, 2)).toEqual(['diff 8 a.1#x c.3#z', 'data a.1#x PUT:6']);
    expect(hub.stats().connections).toBe(1);
  });

  test('buckets that are filled anew under other names are, too, with the same config', async () => {
    const { connect, deploy, commit } = start([A]);
    commit('a.1#x', 'a.2#x');
    const old = connect();
    await old.drain();
    deploy([A], scriptedConfig(planOf([A]), 'a.2#'));
    await old.drain();
    expect(old.ended).toBe(true);
    const story = await connect(old.client).story();
    expect(story).toEqual(['checkpoint 3 a.2#x', 'data a.2#x PUT:2', 'complete 3']);
  });

  test('back to what it was, clients have what they had', async () => {
    const { connect, deploy, commit } = start([A, B]);
    commit('a.1#x', 'b.1#y');
    const first = connect();
    await first.drain();
    deploy([A]);
    await first.drain();
    const second = connect(first.client);
    await second.drain();
    deploy([A, B]);
    await second.drain();
    expect(await connect(second.client).story()).toEqual([
      'checkpoint 4 a.1#x b.1#y',
      'data b.1#y PUT:2',
      'complete 4',
    ]);
  });

  test('a config that is filled or kept beside it disturbs nobody', async () => {
    const { storage, connect, commit } = start([A]);
    commit('a.1#x');
    const connection = connect();
    await connection.drain();
    const serving = { ...configOf([A]), text: 'with another comment', deployedAtMs: 99 };
    storage.setConfigs(7, { serving, next: configOf([B]), previous: configOf([C]) });
    commit('a.1#x');
    expect(await connection.story()).toEqual(['diff 3 a.1#x', 'data a.1#x PUT:3', 'complete 3']);
    expect(connection.ended).toBe(false);
  });

  test('nobody goes back behind a checkpoint that the old config has shown', async () => {
    const { compiling, connect, deploy, commit } = start([A]);
    commit('a.1#x');
    const old = connect();
    await old.drain();
    let release = () => {};
    compiling.before = () => new Promise((resolve) => (release = resolve));
    deploy([A, B]);
    await settle();
    commit('a.1#x');
    expect(await old.story()).toContain('complete 3');
    commit('a.1#x', 'b.1#y');
    release();
    await old.drain();
    expect(old.ended).toBe(true);
    // The client itself asserts that checkpoints do not go back.
    expect((await connect(old.client).story())[0]).toBe('checkpoint 5 a.1#x b.1#y');
  });
});

describe('a config that cannot be served', () => {
  test('leaves everybody with the one before, until it is put right', async () => {
    const { storage, plans, clock, hub, connect, deploy, commit } = start([A]);
    commit('a.1#x', 'b.1#y');
    const old = connect();
    await old.drain();
    storage.setConfigs(7, { serving: configOf([A, B]) });
    commit('a.1#x');
    expect((await old.story()).at(-1)).toBe('complete 4');
    expect(hub.isServing).toBe(true);
    expect((await connect().story())[0]).toBe('checkpoint 4 a.1#x');
    // The plan compiles after all, as after an update of the program: the hub tries again.
    const right = planOf([A, B]);
    plans.set(right.hash, right);
    await clock.advance(10_000);
    expect(await old.drain()).toEqual([]);
    expect(old.ended).toBe(true);
    const next = connect(old.client);
    expect((await next.story())[0]).toBe('checkpoint 4 a.1#x b.1#y');
    deploy([A]);
    await next.drain();
    expect(next.ended).toBe(true);
  });

  test('is one with a definition that no prefix is stored for', async () => {
    const { clock, connect, deploy, commit } = start([A]);
    commit('a.1#x');
    const old = connect();
    await old.drain();
    deploy([A, B], { ...configOf([A, B]), prefixes: { a1: 'a.1#' } });
    await clock.advance(1000);
    commit('a.1#x');
    expect((await old.story()).at(-1)).toBe('complete 3');
    deploy([A, B]);
    await clock.advance(10_000);
    await old.drain();
    expect(old.ended).toBe(true);
  });

  test('is the cause of the refusal when there is none before', async () => {
    const storage = new ScriptedStorage();
    storage.addActiveGeneration(7, { ...configOf([A, B]), prefixes: { a1: 'a.1#' } });
    await using hub = new SyncHub({
      storage,
      planFor: () => planOf([A, B]),
      clock: new FakeClock(),
      logger: silentLogger,
      random: () => 0.5,
    });
    await settle();
    const session = hub.open({
      request: parseStreamRequest({}),
      claims: {},
      userKey: 'u1',
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      format: 'bson',
      signal: new AbortController().signal,
    });
    await expect(session.next()).rejects.toMatchObject({
      code: 'SYNC_NO_ACTIVE_CONFIG',
      cause: { code: 'SYNC_PREFIX_MISSING', details: { generation: 7, definitions: ['b'] } },
    });
    expect(hub.isServing).toBe(false);
  });
});
