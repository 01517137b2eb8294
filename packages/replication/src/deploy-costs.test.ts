import { SourceError } from '@sluice/base';
import { describe, expect, test } from 'vitest';
import type { BucketStorage, Generation } from '@sluice/storage';
import type { ReplicationStatus } from './index.ts';
import { SampleConfig, USERS } from './testing/sample-streams.ts';
import { bucketsOf, visibleRows } from './testing/visible-rows.ts';
import { running, until, World } from './testing/world.ts';

const LIMITS = { idleCheckpointMs: 0, tablePollMs: 5, fillRetryMs: 5 };

async function activeOf(storage: BucketStorage): Promise<Generation | undefined> {
  return (await storage.generations()).find(({ state }) => state === 'active');
}

function serves(storage: BucketStorage, { text }: SampleConfig): Promise<void> {
  return until('the config serves', async () => {
    return (await activeOf(storage))?.configs.serving.text === text;
  });
}

/** The ids of all operations that a user's client has of a definition. */
async function opIds(storage: BucketStorage, definition: string): Promise<string[]> {
  const active = await activeOf(storage);
  if (active === undefined) return [];
  await using reader = await storage.openReader(active.id);
  const ids: string[] = [];
  const upTo = reader.checkpoint()?.opId ?? 0n;
  for (const user of USERS) {
    for (const bucket of await bucketsOf(active, reader, user)) {
      if (bucket.definition !== definition) continue;
      const [state] = await reader.bucketStates([bucket.name], upTo);
      ids.push(`${bucket.name} ${state?.count} ${state?.lastOpId} ${state?.checksum}`);
    }
  }
  return ids;
}

const rowsShown = async (storage: BucketStorage) =>
  Promise.all(USERS.map((user) => visibleRows(storage, user)));
const rowsOf = (world: World, config: SampleConfig) =>
  USERS.map((user) => config.entitled(world.state, user));

const NOTES = SampleConfig.of(0, 2);
const NOTES_AND_TAGS = SampleConfig.of(0, 2, 3);

/** Runs a world of some rows in which a config serves. */
async function serving(
  config: SampleConfig,
  work: (parts: {
    world: World;
    replication: Parameters<Parameters<typeof running>[2]>[0];
    storage: BucketStorage;
    status: () => ReplicationStatus | undefined;
  }) => Promise<void>,
  limits = {},
): Promise<void> {
  const world = new World(7);
  world.write(60);
  let status: ReplicationStatus | undefined;
  const onStatus = (now: ReplicationStatus): void => {
    status = now;
  };
  const options = { configText: config.text, limits: { ...LIMITS, ...limits }, onStatus };
  await running(world, options, async (replication, storage) => {
    await serves(storage, config);
    world.source.rowsRead.clear();
    await work({ world, replication, storage, status: () => status });
  });
}

describe('a deploy', () => {
  test('of one more stream reads the tables of that stream only, and leaves all other buckets alone', () =>
    serving(NOTES, async ({ world, replication, storage }) => {
      const before = await opIds(storage, 'notes');
      const outcome = await replication.deploy(NOTES_AND_TAGS.text);
      expect(outcome).toMatchObject({
        kept: ['notes', 'lines'],
        filled: ['tags'],
        dropped: [],
        serves: false,
      });
      await serves(storage, NOTES_AND_TAGS);
      const tags = world.database.rows('tags').length;
      expect(tags).toBeGreaterThan(0);
      expect([...world.source.rowsRead]).toEqual([['tags', tags]]);
      expect(await opIds(storage, 'notes')).toEqual(before);
      expect(await rowsShown(storage)).toEqual(rowsOf(world, NOTES_AND_TAGS));
    }));

  test('of a stream on a table that is synced already reads that table again, for that stream alone', () =>
    serving(NOTES, async ({ world, replication, storage }) => {
      const withPeers = SampleConfig.of(0, 2, 5);
      const before = await opIds(storage, 'notes');
      await replication.deploy(withPeers.text);
      await serves(storage, withPeers);
      expect([...world.source.rowsRead.keys()].toSorted()).toEqual(['notes', 'peers']);
      expect(await opIds(storage, 'notes')).toEqual(before);
      world.write(20);
      await until('both streams follow the table', async () => {
        const [have, want] = [await rowsShown(storage), rowsOf(world, withPeers)];
        return JSON.stringify(have) === JSON.stringify(want);
      });
    }));

  test('that fills nothing serves at once', () =>
    serving(NOTES_AND_TAGS, async ({ world, replication, storage }) => {
      const outcome = await replication.deploy(NOTES.text);
      expect(outcome).toMatchObject({ kept: ['notes', 'lines'], dropped: ['tags'], serves: true });
      expect((await activeOf(storage))?.configs.serving.text).toBe(NOTES.text);
      expect(await rowsShown(storage)).toEqual(rowsOf(world, NOTES));
      expect(world.source.rowsRead.size).toBe(0);
    }));

  test('of the same in other words keeps buckets and remembers the words', () =>
    serving(NOTES, async ({ replication, storage, world }) => {
      const before = (await activeOf(storage))?.configs.serving;
      const text = `# the same\n${NOTES.text}`;
      expect(await replication.deploy(text)).toMatchObject({ filled: [], serves: true });
      expect((await activeOf(storage))?.configs).toEqual({ serving: { ...before, text } });
      expect(world.source.rowsRead.size).toBe(0);
    }));

  test('with errors changes nothing', () =>
    serving(NOTES, async ({ replication, storage }) => {
      const before = await storage.generations();
      const faulty = NOTES.text.replace('FROM notes', 'FORM notes');
      await expect(replication.deploy(faulty)).rejects.toMatchObject({
        code: 'CONFIG_SYNC_INVALID',
      });
      expect(await storage.generations()).toEqual(before);
    }));

  test('whose table cannot be read is tried again and told of, while the old config goes on', () =>
    serving(NOTES, async ({ world, replication, storage, status }) => {
      let isBroken = true;
      world.source.failSnapshot = ({ name }) =>
        name === 'tags' && isBroken
          ? new SourceError('SOURCE_PERMISSION_DENIED', 'permission denied for table tags')
          : undefined;
      await replication.deploy(NOTES_AND_TAGS.text);
      await until('the failure is told of', async () =>
        Promise.resolve(nextOf(status())?.failures[0]?.code === 'SOURCE_PERMISSION_DENIED'),
      );
      for (let i = 0; i < 3; i += 1) {
        world.write();
        await until('what serves goes on', async () => {
          const [have, want] = [await rowsShown(storage), rowsOf(world, NOTES)];
          return JSON.stringify(have) === JSON.stringify(want);
        });
      }
      expect(nextOf(status())).toMatchObject({ isFilled: false, tablesTotal: 3 });
      isBroken = false;
      await serves(storage, NOTES_AND_TAGS);
      expect(status()?.configs.map(({ role, failures }) => [role, failures])).toEqual([
        ['serving', []],
        ['previous', []],
      ]);
    }));

  test('that names a table which is not there tells so, and serves the rest', () =>
    serving(NOTES, async ({ world, replication, storage, status }) => {
      world.database.dropTable('tags');
      await replication.deploy(NOTES_AND_TAGS.text);
      await serves(storage, NOTES_AND_TAGS);
      await until('it is told of', async () =>
        Promise.resolve(status()?.configs[0]?.missingTables[0] === 'public.tags'),
      );
      expect(await rowsShown(storage)).toEqual(rowsOf(world, NOTES));
    }));

  test('with values decoded otherwise fills a generation beside the old one', () =>
    serving(NOTES, async ({ world, replication, storage }) => {
      const first = await activeOf(storage);
      const other = new SampleConfig(NOTES.streams, '  timestamps_iso8601: false\n');
      const outcome = await replication.deploy(other.text);
      expect(outcome).toMatchObject({ kept: [], filled: ['notes', 'lines'], serves: false });
      expect(outcome.generationId).not.toBe(first?.id);
      await serves(storage, other);
      expect(await rowsShown(storage)).toEqual(rowsOf(world, other));
      await expect(replication.rollBack()).rejects.toMatchObject({ code: 'CONFIG_NO_PREVIOUS' });
    }));
});

function nextOf(status: ReplicationStatus | undefined) {
  return status?.configs.find(({ role }) => role === 'next');
}

describe('going back', () => {
  test('shows the rows of the config before, with all changes since, without reading any', () =>
    serving(NOTES_AND_TAGS, async ({ world, replication, storage }) => {
      const changed = SampleConfig.of(1, 4);
      await replication.deploy(changed.text);
      await serves(storage, changed);
      world.write(20);
      await until('the new config is up to date', async () => {
        const [have, want] = [await rowsShown(storage), rowsOf(world, changed)];
        return JSON.stringify(have) === JSON.stringify(want);
      });
      world.source.rowsRead.clear();
      const outcome = await replication.rollBack();
      expect(outcome).toMatchObject({ kept: ['notes', 'lines', 'tags'], filled: [], serves: true });
      expect(await rowsShown(storage)).toEqual(rowsOf(world, NOTES_AND_TAGS));
      expect(world.source.rowsRead.size).toBe(0);
      expect(await replication.rollBack()).toMatchObject({ kept: ['notes', 'tags'], serves: true });
      expect(world.source.rowsRead.size).toBe(0);
    }));

  test('is possible for a while', () =>
    serving(
      NOTES_AND_TAGS,
      async ({ replication, storage }) => {
        await replication.deploy(NOTES.text);
        await until('the time is over', async () => {
          return (await activeOf(storage))?.configs.previous === undefined;
        });
        await expect(replication.rollBack()).rejects.toMatchObject({ code: 'CONFIG_NO_PREVIOUS' });
      },
      { rollbackKeepMs: 10, compactEveryMs: 2 },
    ));

  test('survives a restart with the file that was deployed before', async () => {
    const world = new World(3);
    world.write(10);
    const file = { configText: NOTES.text, limits: LIMITS };
    await running(world, file, async (replication, storage) => {
      await serves(storage, NOTES);
      await replication.deploy(NOTES_AND_TAGS.text);
      await serves(storage, NOTES_AND_TAGS);
    });
    await running(world, file, async (replication, storage) => {
      await world.pause();
      expect(await replication.rollBack()).toMatchObject({ serves: true });
      await serves(storage, NOTES);
    });
    const other = { configText: NOTES_AND_TAGS.text, limits: LIMITS };
    await running(world, other, (_, storage) => serves(storage, NOTES_AND_TAGS));
  });
});

describe('reprocessing', () => {
  test('reads everything anew beside what serves', () =>
    serving(NOTES, async ({ world, replication, storage }) => {
      const first = await activeOf(storage);
      const outcome = await replication.reprocess();
      expect(outcome.filled).toEqual(['notes', 'lines']);
      await expect(replication.reprocess()).rejects.toMatchObject({
        code: 'API_DEPLOY_IN_PROGRESS',
      });
      await until('the new generation serves', async () => {
        return (await activeOf(storage))?.id === outcome.generationId;
      });
      expect(outcome.generationId).not.toBe(first?.id);
      expect([...world.source.rowsRead.keys()].toSorted()).toEqual(['lines', 'notes']);
      expect(await rowsShown(storage)).toEqual(rowsOf(world, NOTES));
    }));
});

test('requests are refused while replication does not run', async () => {
  const world = new World(1);
  let kept: { deploy(text: string): Promise<unknown> } | undefined;
  await running(world, { configText: NOTES.text, limits: LIMITS }, async (replication, storage) => {
    kept = replication;
    await serves(storage, NOTES);
  });
  await expect(kept?.deploy(NOTES.text)).rejects.toMatchObject({ code: 'REPLICATION_STOPPED' });
});

test('without a config, the first deploy makes the first generation', async () => {
  const world = new World(2);
  world.write(10);
  await running(world, { configText: undefined, limits: LIMITS }, async (replication, storage) => {
    await expect(replication.rollBack()).rejects.toMatchObject({ code: 'CONFIG_NO_PREVIOUS' });
    await expect(replication.reprocess()).rejects.toMatchObject({ code: 'API_NO_ACTIVE_CONFIG' });
    expect(await replication.deploy(NOTES.text)).toMatchObject({ filled: ['notes', 'lines'] });
    await serves(storage, NOTES);
    expect(await rowsShown(storage)).toEqual(rowsOf(world, NOTES));
  });
});
