import { MemoryStorage } from '@sluice/testing';
import type { BucketStorage } from '@sluice/storage';
import { describe, expect, test } from 'vitest';
import { SampleConfig, USERS } from './testing/sample-streams.ts';
import { visibleRows } from './testing/visible-rows.ts';
import { running, until, World } from './testing/world.ts';

const ALL = SampleConfig.of(0, 2, 3, 5);
/** Tiny batches, so that transactions and snapshots are cut into many. */
const LIMITS = { batchBytes: 300, idleCheckpointMs: 0, tablePollMs: 5, queuedRows: 10 };

async function isUpToDate(world: World, storage: BucketStorage, config: SampleConfig) {
  for (const user of USERS) {
    const have = await visibleRows(storage, user);
    const want = config.entitled(world.state, user);
    if (JSON.stringify(have) !== JSON.stringify(want)) return false;
  }
  return (await storage.generations()).some(({ state }) => state === 'active');
}

const settled = (world: World, storage: BucketStorage, config = ALL): Promise<void> =>
  until('clients have the rows of the source', () => isUpToDate(world, storage, config));

describe('replication of a simulated source', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'ends in the state of the source, through snapshots, restarts and cut transactions (seed %i)',
    async (seed) => {
      const world = new World(seed);
      world.write(20);
      const options = { configText: ALL.text, limits: LIMITS };
      for (let round = 0; round < 6; round += 1) {
        await running(world, options, async () => {
          for (let i = 0; i < 10; i += 1) {
            world.write();
            await world.pause();
          }
        });
      }
      await running(world, options, (_, storage) => settled(world, storage));
    },
    60_000,
  );

  test.each([11, 12, 13, 14, 15, 16])(
    'follows tables that come, go and change names, in every fill (seed %i)',
    async (seed) => {
      const world = new World(seed);
      const { random } = world;
      let wanted = ALL;
      world.write(20);
      const options = { configText: ALL.text, limits: LIMITS };
      for (let round = 0; round < 5; round += 1) {
        await running(world, options, async (replication) => {
          for (let i = 0; i < 10; i += 1) {
            world.write();
            if (random.chance(0.3)) world.alterSomeTable();
            await world.pause();
            if (random.chance(0.3)) {
              wanted = SampleConfig.random(random);
              await replication.deploy(wanted.text);
            }
          }
        });
      }
      await running(world, options, async (replication, storage) => {
        await replication.deploy(wanted.text);
        await settled(world, storage, wanted);
      });
    },
    60_000,
  );

  test('publishes only states that the source had', async () => {
    const world = new World(77);
    const states = new Set<string>();
    const seen: string[] = [];
    const limits = { batchBytes: 200 };
    await running(world, { configText: ALL.text, limits }, async (_, storage) => {
      for (let i = 0; i < 100; i += 1) {
        states.add(JSON.stringify(ALL.entitled(world.state, 'ann')));
        world.write();
        await world.pause(20);
        seen.push(JSON.stringify(await visibleRows(storage, 'ann')));
      }
      states.add(JSON.stringify(ALL.entitled(world.state, 'ann')));
    });
    expect(new Set(seen).size).toBeGreaterThan(10);
    expect(seen.filter((state) => state !== '[]' && !states.has(state))).toEqual([]);
  });

  test('fills a new generation when its place in the change log is lost', async () => {
    const world = new World(6);
    const options = { configText: ALL.text };
    world.write(10);
    await running(world, options, (_, storage) => settled(world, storage));
    world.source.loseAllHandles();
    world.write(10);
    await running(world, options, (_, storage) => settled(world, storage));
  });

  test('goes on filling the config that was wanted when its place in the change log is lost', async () => {
    const world = new World(9);
    world.write(10);
    const next = SampleConfig.of(1, 4);
    await running(world, { configText: ALL.text }, async (replication, storage) => {
      await settled(world, storage);
      world.source.failSnapshot = () => new Error('not now');
      await replication.deploy(next.text);
    });
    world.source.failSnapshot = () => undefined;
    world.source.loseAllHandles();
    world.write(10);
    await running(world, { configText: undefined }, (_, storage) => settled(world, storage, next));
  });

  test('refuses a config with errors while nothing is active, and goes on with the active one later', async () => {
    const world = new World(8);
    const faulty = ALL.text.replace('FROM notes', 'FORM notes');
    await expect(
      running(world, { configText: faulty }, () => new Promise(() => {})),
    ).rejects.toMatchObject({ code: 'CONFIG_SYNC_INVALID' });
    world.write();
    await running(world, { configText: ALL.text }, (_, storage) => settled(world, storage));
    world.write();
    await running(world, { configText: faulty }, (_, storage) => settled(world, storage));
  });

  test('makes a new generation of what an earlier version stored without prefixes', async () => {
    const world = new World(10);
    world.write(10);
    await using storage = new MemoryStorage(world.disk);
    const serving = { text: ALL.text, hash: 'of another compiler', prefixes: {}, deployedAtMs: 0 };
    const old = await storage.createGeneration({ configs: { serving }, createdAtMs: 0 });
    {
      await using writer = await storage.openWriter(old.id);
      const resume = '{"position":"1","waitFor":""}';
      await writer.write({ changes: [], resume, checkpoint: '1', activate: true });
    }
    await running(world, { configText: undefined, storage }, async () => {
      await until('another generation serves', async () =>
        (await storage.generations()).some(({ id, state }) => id !== old.id && state === 'active'),
      );
      await settled(world, storage);
    });
  });
});
