import type { BucketStorage } from '@sluice/storage';
import { compileSyncConfig, writeCheckpointKey } from '@sluice/sync-config';
import { MemoryStorage } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { faultyStorage } from './testing/faulty-storage.ts';
import { MarkingApp, markingConfig, USER_KEYS } from './testing/marking-app.ts';
import { SampleConfig } from './testing/sample-streams.ts';
import { running, until, World } from './testing/world.ts';

/** Tiny batches and short times, so that everything happens, cut into many pieces. */
const LIMITS = {
  batchBytes: 300,
  queuedRows: 10,
  idleCheckpointMs: 0,
  tablePollMs: 5,
  compactPauseMs: 1,
  compactEveryMs: 5,
  fillRetryMs: 5,
};

const CONFIG = markingConfig();
/** The same write checkpoints beside other streams. */
const MORE_STREAMS = markingConfig({
  streams: '  tags:\n    auto_subscribe: true\n    query: SELECT id, kind FROM tags\n',
});
/** Other write checkpoints, with the same numbers: they have to be filled. */
const OTHER = markingConfig({ where: "WHERE user_id != ''" });
/** The service manages write checkpoints. */
const MANAGED = SampleConfig.of(0).text;

/** `SLUICE_TEST_SEEDS=100,101` runs others. */
const SEEDS = process.env.SLUICE_TEST_SEEDS?.split(',').map(Number) ?? [1, 2, 3, 4];

type Numbers = Readonly<Record<string, string | undefined>>;

/** The write checkpoints of the serving config at a checkpoint; undefined where it has none. */
async function shownNumbers(
  storage: BucketStorage,
  id: number,
  opId: bigint,
): Promise<Numbers | undefined> {
  const active = (await storage.generations()).find(({ state }) => state === 'active');
  if (active?.id !== id) return undefined;
  const { text, prefixes } = active.configs.serving;
  const part = compileSyncConfig(text, { defaultSchema: 'public' }).plan?.writeCheckpoints;
  const prefix = part && prefixes[part.hash];
  if (prefix === undefined) return undefined;
  await using reader = await storage.openReader(id);
  const keys = USER_KEYS.map((user) => writeCheckpointKey(prefix, user));
  const found = await reader.lookup(keys, opId);
  return Object.fromEntries(USER_KEYS.map((user, i) => [user, found.get(keys[i] ?? '')?.join()]));
}

/** Runs an app and replication through crashes; every checkpoint has to show the greatest numbers. */
async function runThrough(
  seed: number,
  options: { readonly onlyRises: boolean; readonly configs: readonly string[] },
): Promise<void> {
  const world = new World(seed);
  const { random } = world;
  const app = new MarkingApp(world.database, random);
  const { onlyRises, configs } = options;
  for (let i = 0; i < 20; i += 1) app.write({ onlyRises: true });
  const problems: unknown[] = [];
  let seen = 0;
  const compare = (position: string, shown: Numbers) => {
    seen += 1;
    const greatest = app.greatestAt(position);
    const expected = Object.fromEntries(USER_KEYS.map((u) => [u, greatest.get(u)?.toString()]));
    if (JSON.stringify(shown) !== JSON.stringify(expected)) {
      problems.push({ position, shown, expected });
    }
  };
  for (let round = 0; round < 6; round += 1) {
    await using memory = new MemoryStorage(world.disk);
    const crashRate = random.chance(0.6) ? 0.04 : 0;
    const storage = faultyStorage(memory, {
      fault: () => (random.chance(crashRate) ? random.pick(['before', 'after']) : undefined),
      onWrite: () => {},
      onCheckpoint: async ({ opId, position }, id) => {
        const shown = await shownNumbers(memory, id, opId);
        if (shown !== undefined) compare(position, shown);
      },
    });
    if (onlyRises && random.chance(0.2)) world.source.loseAllHandles();
    const limits = { ...LIMITS, rollbackKeepMs: random.pick([0, 20, 1e6]) };
    const run = running(world, { configText: CONFIG, storage, limits }, async (replication) => {
      for (let step = 0; step < 12; step += 1) {
        const isServed = seen > 0;
        app.write({ onlyRises: onlyRises || !isServed });
        await world.pause();
        if (!isServed || configs.length === 0 || random.chance(0.7)) continue;
        const roll = random.next();
        const outcome =
          roll < 0.8 ? replication.deploy(random.pick(configs)) : replication.rollBack();
        await outcome.catch((error: { code?: string }) => {
          expect(error.code).toMatch(/^(REPLICATION_STOPPED|CONFIG_NO_PREVIOUS)$/);
        });
      }
    });
    await run.catch((error: { code?: string }) => {
      if (error.code !== 'STORAGE_UNAVAILABLE') throw error;
    });
  }
  await running(world, { configText: undefined, limits: LIMITS }, async (replication, storage) => {
    await replication.deploy(CONFIG);
    await until('everything is replicated', async () => {
      const active = (await storage.generations()).find(({ state }) => state === 'active');
      if (active?.configs.serving.text !== CONFIG) return false;
      await using reader = await storage.openReader(active.id);
      const checkpoint = reader.checkpoint();
      if (checkpoint === undefined || checkpoint.position < world.database.head) return false;
      const shown = await shownNumbers(storage, active.id, checkpoint.opId);
      if (shown !== undefined) compare(checkpoint.position, shown);
      return true;
    });
  });
  expect(problems).toEqual([]);
  expect(seen).toBeGreaterThan(5);
}

describe('every checkpoint shows the greatest number whose row was committed by then', () => {
  test.each(SEEDS)(
    'through crashes, deletions and numbers that fall (seed %i)',
    (seed) => runThrough(seed, { onlyRises: false, configs: [] }),
    60_000,
  );

  test.each(SEEDS)(
    'through deploys that add, change and remove the event (seed %i)',
    (seed) =>
      runThrough(100 + seed, {
        onlyRises: true,
        configs: [CONFIG, MORE_STREAMS, OTHER, MANAGED],
      }),
    60_000,
  );
});

/** The event's table as it was read, by how many rows. */
const rowsRead = (world: World) =>
  (world.source.rowsRead.get('marks') ?? 0) + (world.source.rowsRead.get('mark_log') ?? 0);

describe('a deploy', () => {
  test('reads the tables of an event that is new or changed, and of no other', async () => {
    const world = new World(5);
    const app = new MarkingApp(world.database, world.random);
    for (let i = 0; i < 30; i += 1) app.write({ onlyRises: true });
    await running(world, { configText: MANAGED, limits: LIMITS }, async (replication, storage) => {
      const rows = world.database.rows('marks').length + world.database.rows('mark_log').length;
      const deploy = async (text: string) => {
        const outcome = await replication.deploy(text);
        await until('it serves', async () =>
          (await storage.generations()).some(
            ({ state, configs }) => state === 'active' && configs.serving.text === text,
          ),
        );
        return outcome;
      };
      await until('the first one serves', async () =>
        (await storage.generations()).some(({ state }) => state === 'active'),
      );
      expect(rowsRead(world)).toBe(0);
      expect(await deploy(CONFIG)).toMatchObject({ filled: ['notes', 'write checkpoints'] });
      expect(rowsRead(world)).toBe(rows);
      expect(await deploy(MORE_STREAMS)).toMatchObject({
        kept: ['notes', 'write checkpoints'],
        filled: ['tags'],
      });
      expect(rowsRead(world)).toBe(rows);
      expect(await deploy(OTHER)).toMatchObject({
        kept: ['notes'],
        filled: ['write checkpoints'],
        dropped: ['tags'],
      });
      expect(rowsRead(world)).toBe(2 * rows);
    });
  });
});
