import { inspect } from 'node:util';
import { MemoryStorage } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import type { ReplicationStatus } from './index.ts';
import { faultyStorage } from './testing/faulty-storage.ts';
import { SampleConfig, USERS } from './testing/sample-streams.ts';
import { rowsIn, visibleRows } from './testing/visible-rows.ts';
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

const FIRST = SampleConfig.of(0, 2);

/** `SLUICE_TEST_SEEDS=100,101` runs others. */
const SEEDS = process.env.SLUICE_TEST_SEEDS?.split(',').map(Number) ?? [1, 2, 3, 4, 5, 6, 7, 8];

describe('deploys while everything else happens', () => {
  test.each(SEEDS)(
    'every checkpoint shows what the serving config means at that commit (seed %i)',
    async (seed) => {
      const world = new World(seed);
      const { random } = world;
      const configs = new Map([[FIRST.text, FIRST]]);
      let checkpoints = 0;
      let wanted = FIRST;
      world.write(20);
      const problems: unknown[] = [];
      const observe = async (
        storage: MemoryStorage,
        checkpoint: { opId: bigint; position: string },
        id: number,
      ) => {
        const active = (await storage.generations()).find(({ state }) => state === 'active');
        if (active?.id !== id) return;
        const serving = configs.get(active.configs.serving.text);
        checkpoints += 1;
        for (const user of USERS) {
          const rows = await rowsIn(storage, active, user);
          const entitled = serving?.entitled(world.stateAt(checkpoint), user);
          if (JSON.stringify(rows) !== JSON.stringify(entitled)) {
            const { position } = checkpoint;
            problems.push({ user, position, ...differences(entitled ?? [], rows) });
          }
        }
      };
      for (let round = 0; round < 8; round += 1) {
        await using memory = new MemoryStorage(world.disk);
        const crashRate = random.chance(0.5) ? 0.03 : 0;
        const storage = faultyStorage(memory, {
          fault: () => (random.chance(crashRate) ? random.pick(['before', 'after']) : undefined),
          onWrite: (id, batch) => {
            const stored = world.disk.generations.get(id);
            const name = stored && unknownName(stored);
            if (name !== undefined) problems.push({ name, batch: inspect(batch, { depth: 6 }) });
          },
          onCheckpoint: (checkpoint, id) => observe(memory, checkpoint, id),
        });
        const limits = { ...LIMITS, rollbackKeepMs: random.pick([0, 20, 1e6]) };
        if (random.chance(0.1)) world.source.loseAllHandles();
        const run = running(
          world,
          { configText: FIRST.text, storage, limits },
          async (replication) => {
            for (let step = 0; step < 12; step += 1) {
              world.write();
              await world.pause();
              const roll = random.next();
              let outcome: Promise<unknown> = Promise.resolve();
              if (roll < 0.3) {
                const config = SampleConfig.random(random);
                configs.set(config.text, config);
                wanted = config;
                outcome = replication.deploy(config.text);
              } else if (roll < 0.4) outcome = replication.rollBack();
              else if (roll < 0.43) outcome = replication.reprocess();
              const refused = outcome.catch((error: { code?: string }) => {
                expect(error.code).toMatch(
                  /^(REPLICATION_STOPPED|CONFIG_NO_PREVIOUS|API_DEPLOY_IN_PROGRESS|API_NO_ACTIVE_CONFIG)$/,
                );
              });
              if (random.chance(0.5)) await refused;
            }
          },
        );
        await run.catch((error: { code?: string }) => {
          if (error.code !== 'STORAGE_UNAVAILABLE') throw error;
        });
      }
      expect(problems).toEqual([]);
      expect(checkpoints).toBeGreaterThan(10);
      // What is wanted in the end serves in the end, and nothing else is left lying about. The steps
      // of a round that crashed may still go on, and want something else.
      const last = wanted;
      const limits = { ...LIMITS, rollbackKeepMs: 0 };
      let status: ReplicationStatus | undefined;
      const onStatus = (now: ReplicationStatus): void => {
        status = now;
      };
      const settled = running(
        world,
        { configText: undefined, limits, onStatus },
        async (replication, storage) => {
          await replication.deploy(last.text);
          await until('the wanted config serves, with the rows of the source', async () => {
            const active = (await storage.generations()).find(({ state }) => state === 'active');
            if (active?.configs.serving.text !== last.text) return false;
            for (const user of USERS) {
              const have = await visibleRows(storage, user);
              if (JSON.stringify(have) !== JSON.stringify(last.entitled(world.state, user))) {
                return false;
              }
            }
            return true;
          });
          await until('the previous config has been given up', async () => {
            const generations = await storage.generations();
            return (
              generations.every(
                ({ state, configs: { previous, next } }) =>
                  state !== 'active' || (previous === undefined && next === undefined),
              ) && leftOver(world) === undefined
            );
          });
        },
      );
      await settled.catch(async (cause: unknown) => {
        const generations = [...world.disk.generations.values()].map(({ generation, content }) => ({
          ...generation,
          resume: content.resume,
          tables: [...content.tables.values()],
        }));
        await using storage = new MemoryStorage(world.disk);
        const rows = [];
        for (const user of USERS) {
          const entitled = last.entitled(world.state, user);
          rows.push(differences(entitled, await visibleRows(storage, user)));
        }
        const facts = {
          rows,
          status,
          generations,
          head: world.database.head,
          left: leftOver(world),
        };
        const text = inspect(facts, { depth: 9 });
        throw new Error(`Did not settle: ${text}`, { cause });
      });
      expect(leftOver(world)).toBeUndefined();
    },
    90_000,
  );
});

/** A bucket or lookup that belongs to no config and is not to be discarded either. */
function unknownName({ content, generation }: StoredGeneration): string | undefined {
  const { serving, next, previous } = generation.configs;
  const { discard } = JSON.parse(content.resume ?? '') as { discard: { prefixes: string[] } };
  const known = [serving, next, previous].flatMap((config) =>
    Object.values(config?.prefixes ?? {}),
  );
  known.push(...discard.prefixes);
  const names = [...content.buckets.keys(), ...content.lookups.map(({ key }) => key)];
  return names.find((one) => !known.some((prefix) => one.startsWith(prefix)));
}

/** A bucket, lookup or row of the active generation that belongs to no config, if there is one. */
function differences(entitled: readonly string[], rows: readonly string[]) {
  return {
    missing: entitled.filter((row) => !rows.includes(row)),
    surplus: rows.filter((row) => !entitled.includes(row)),
  };
}

type StoredGeneration = NonNullable<ReturnType<World['disk']['generations']['get']>>;

function leftOver(world: World): string | undefined {
  const stored = [...world.disk.generations.values()].find(
    ({ generation }) => generation.state === 'active',
  );
  if (stored === undefined) return 'everything';
  const { content, generation } = stored;
  const prefixes = Object.values(generation.configs.serving.prefixes);
  const names = [...content.buckets.keys(), ...content.lookups.map(({ key }) => key)];
  const name = names.find((one) => !prefixes.some((prefix) => one.startsWith(prefix)));
  const tables = [...content.tables.keys()];
  const row = [...content.rows.keys()].find(
    (one) => !tables.some((id) => one.startsWith(`${id}/`)),
  );
  const foreign = [...content.tables.values()].find(
    ({ state }) =>
      !prefixes.some((prefix) =>
        prefix.endsWith(`.${(JSON.parse(state) as { fill: number }).fill}#`),
      ),
  );
  return name ?? row ?? foreign?.state;
}
