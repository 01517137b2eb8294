import { must, silentLogger, StorageError } from '@sluice/base';
import { parseStreamRequest } from '@sluice/protocol';
import type { BucketStorage, GenerationReader, RowChange } from '@sluice/storage';
import { writeCheckpointKey } from '@sluice/sync-config';
import {
  FakeClock,
  MemoryStorage,
  scriptedConfig,
  scriptedPlan,
  ScriptedConnection,
  SeededRandom,
  settle,
} from '@sluice/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SyncHub } from './sync-hub.ts';

const PLAN = scriptedPlan([{ name: 'all', buckets: () => ['a'] }], { writeCheckpoints: 'numbers' });
const MANAGED = scriptedPlan([{ name: 'all', buckets: () => ['a'] }]);
const PREFIX = '1#';

const raise = (user: string, value: number): RowChange => ({
  kind: 'raise',
  key: writeCheckpointKey(PREFIX, user),
  value: BigInt(value),
});
const put = (data: string): RowChange => {
  const outputs = [{ objectType: 't', objectId: '1', data, buckets: [`${PREFIX}a`] }];
  return { kind: 'put', tableId: 1, key: '1', row: { outputs, lookups: [] } };
};

/** What readers were asked for. */
interface Watch {
  readonly asked: string[];
  /** Called before the answer to a lookup. */
  beforeLookup: () => Promise<void>;
}

function watched(storage: BucketStorage, watch: Watch): BucketStorage {
  const reader = (inner: GenerationReader) =>
    new Proxy(inner, {
      get(target, name) {
        if (name === 'lookup') {
          return async (keys: readonly string[], at: bigint) => {
            watch.asked.push(...keys);
            const found = await target.lookup(keys, at);
            await watch.beforeLookup();
            return found;
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  return new Proxy(storage, {
    get(target, name) {
      if (name === 'openReader') return async (id: number) => reader(await target.openReader(id));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

async function start(plan = PLAN) {
  const storage = new MemoryStorage();
  const serving = scriptedConfig(plan, PREFIX);
  const { id } = await storage.createGeneration({ configs: { serving }, createdAtMs: 0 });
  const writer = await storage.openWriter(id);
  let commits = 0;
  const commit = async (...changes: RowChange[]) => {
    commits += 1;
    const checkpoint = `p${String(commits).padStart(6, '0')}`;
    const activate = commits === 1;
    return must(await writer.write({ changes, resume: '', checkpoint, activate }));
  };
  const write = (...changes: RowChange[]) => writer.write({ changes, resume: '' });
  await commit(put('"0"'));
  const watch: Watch = { asked: [], beforeLookup: () => Promise.resolve() };
  const hub = new SyncHub({
    storage: watched(storage, watch),
    planFor: () => plan,
    limits: { minCheckpointIntervalMs: 0 },
    clock: new FakeClock(),
    logger: silentLogger,
    random: () => 0.5,
  });
  onTestFinished(async () => {
    await hub[Symbol.asyncDispose]();
    await storage[Symbol.asyncDispose]();
  });
  const connect = (userKey: string) => {
    const session = hub.open({
      request: parseStreamRequest({ raw_data: true }),
      claims: { sub: userKey },
      userKey,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
      format: 'bson',
      signal: new AbortController().signal,
    });
    return new ScriptedConnection(session, 'bson');
  };
  return { storage, hub, watch, commit, write, connect };
}

type Started = Awaited<ReturnType<typeof start>>;

/** `<last op id>: <write checkpoint>` of the checkpoint lines that a client gets now. */
async function lines(connection: ScriptedConnection): Promise<string[]> {
  return (await connection.drain()).flatMap((line) =>
    line.kind === 'checkpoint' || line.kind === 'checkpoint_diff'
      ? [`${line.lastOpId}: ${line.writeCheckpoint ?? ''}`]
      : [],
  );
}

describe('write checkpoints from rows', () => {
  test('come with the checkpoint that publishes the rows, and not before', async () => {
    const { commit, write, connect } = await start();
    const first = await commit(raise('u1/c1', 3), put('"1"'));
    const connection = connect('u1/c1');
    expect(await lines(connection)).toEqual([`${first.opId}: 3`]);
    await write(raise('u1/c1', 4), put('"2"'));
    expect(await lines(connection)).toEqual([]);
    const second = await commit(raise('u1/c1', 5));
    expect(await lines(connection)).toEqual([`${second.opId}: 5`]);
    const third = await commit(raise('u1/c1', 6));
    expect(await lines(connection)).toEqual([`${third.opId}: 6`]);
  });

  test('are of one user and client, and nobody else is asked about or told', async () => {
    const { commit, connect, watch } = await start();
    const mine = connect('u1/c1');
    const others = ['u1/c2', 'u1', 'u2/c1'].map(connect);
    for (const one of [mine, ...others]) await lines(one);
    watch.asked.length = 0;
    const { opId } = await commit(raise('u1/c1', 1));
    expect(await lines(mine)).toEqual([`${opId}: 1`]);
    for (const other of others) expect(await lines(other)).toEqual([]);
    expect(watch.asked).toEqual([writeCheckpointKey(PREFIX, 'u1/c1')]);
  });

  test('ignore those that the service gave out before', async () => {
    const { storage, hub, commit, connect } = await start();
    await storage.writeCheckpoints.create('u1/c1', '');
    const connection = connect('u1/c1');
    expect(await lines(connection)).toEqual([expect.stringMatching(/: $/)]);
    await storage.writeCheckpoints.create('u1/c1', '');
    await settle();
    expect(await lines(connection)).toEqual([]);
    expect(await hub.takesWriteCheckpointsFromRows()).toBe(true);
    const { opId } = await commit(raise('u1/c1', 1));
    expect(await lines(connection)).toEqual([`${opId}: 1`]);
  });

  test('are not what a config without the event takes', async () => {
    const { hub } = await start(MANAGED);
    expect(await hub.takesWriteCheckpointsFromRows()).toBe(false);
  });

  test('are not missed by whoever comes while a checkpoint is being read', async () => {
    const { commit, connect, watch } = await start();
    const first = connect('u1/c1');
    await lines(first);
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let holds = true;
    watch.beforeLookup = () => (holds ? ((holds = false), held) : Promise.resolve());
    // The checkpoint waits for the number of u1/c1; u2/c2 comes at the one before.
    const { opId } = await commit(raise('u1/c1', 1), raise('u2/c2', 7));
    await settle();
    const late = connect('u2/c2');
    const early = await lines(late);
    expect(early).toEqual([expect.stringMatching(/: $/)]);
    release();
    await settle();
    expect(await lines(first)).toEqual([`${opId}: 1`]);
    expect(await lines(late)).toEqual([`${opId}: 7`]);
  });

  test('are there for whoever comes later, and after storage has failed', async () => {
    const { commit, connect, watch } = await start();
    await commit(raise('u1/c1', 9));
    const failure = new StorageError('STORAGE_UNAVAILABLE', 'Simulated');
    watch.beforeLookup = () => Promise.reject(failure);
    await expect(connect('u1/c1').take()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    watch.beforeLookup = () => Promise.resolve();
    expect(await lines(connect('u1/c1'))).toEqual([expect.stringMatching(/: 9$/)]);
  });

  test.each([1, 2, 3])('are at every line the greatest so far (seed %i)', async (seed) => {
    const world: Started = await start();
    const random = new SeededRandom(seed);
    const users = ['a/1', 'a/2', 'b/1'];
    const greatest = new Map<string, number>();
    const published = new Map<number, ReadonlyMap<string, number>>();
    const connections = new Map<string, ScriptedConnection>();
    let lineCount = 0;
    for (let step = 0; step < 150; step += 1) {
      const user = random.pick(users);
      const dice = random.next();
      if (dice < 0.5) {
        const changes = Array.from({ length: random.int(4) }, () => {
          const [whose, value] = [random.pick(users), 1 + random.int(step + 3)];
          greatest.set(whose, Math.max(value, greatest.get(whose) ?? 0));
          return raise(whose, value);
        });
        if (random.chance(0.3)) await world.write(...changes);
        else {
          const { opId } = await world.commit(...changes, put(`"${step}"`));
          published.set(Number(opId), new Map(greatest));
        }
      } else if (dice < 0.6) {
        connections.get(user)?.close();
        connections.delete(user);
      } else {
        const connection = connections.get(user) ?? world.connect(user);
        connections.set(user, connection);
        // Who comes while a checkpoint is read may be told in a line of its own.
        const got = (await lines(connection)).map((line) => line.split(': ').map(Number));
        for (const [at, [opId = 0, value = 0]] of got.entries()) {
          const expected = published.get(opId)?.get(user) ?? 0;
          lineCount += 1;
          const isLast = at === got.length - 1;
          if (isLast) expect(value, `${user} at ${opId}`).toBe(expected);
          else expect(value, `${user} at ${opId}`).toBeLessThanOrEqual(expected);
        }
      }
    }
    expect(lineCount).toBeGreaterThan(10);
  });
});
