import { silentLogger, systemClock } from '@sluice/base';
import { BucketReplica, decodeOpElements } from '@sluice/protocol';
import type { BucketStorage } from '@sluice/storage';
import {
  MemoryDisk,
  MemoryStorage,
  SeededRandom,
  SimulatedDatabase,
  SimulatedSource,
} from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { runReplication, type ReplicationOptions } from './index.ts';

const CONFIG = `
config:
  edition: 2
bucket_definitions:
  by_owner:
    parameters: SELECT request.user_id() AS owner
    data:
      - SELECT id, owner, text FROM notes WHERE owner = bucket.owner
      - SELECT line AS id, owner FROM lines WHERE owner = bucket.owner
`;

const OWNERS = ['ann', 'bob'] as const;

function world(seed: number) {
  const random = new SeededRandom(seed);
  const database = new SimulatedDatabase();
  database.createTable('notes', ['id', 'owner', 'text']);
  database.createTable('lines', ['line', 'owner'], true);
  const source = new SimulatedSource(database, { random, chunkRows: 3 });
  return { random, database, source };
}

/** One random transaction over both tables. */
function write(database: SimulatedDatabase, random: SeededRandom): void {
  database.transaction((writer) => {
    const changes = 1 + random.int(6);
    for (let i = 0; i < changes; i += 1) {
      const table = random.chance(0.6) ? 'notes' : 'lines';
      const rows = database.rows(table);
      const at = random.int(Math.max(1, rows.length));
      const owner = random.pick(OWNERS);
      const roll = random.next();
      if (rows.length === 0 || roll < 0.4) {
        const id = table === 'notes' ? random.uuid() : `line ${random.int(6)}`;
        writer.insert(table, table === 'notes' ? [id, owner, 'new'] : [id, owner]);
      } else if (roll < 0.65) {
        const old = rows[at] ?? [];
        writer.update(
          table,
          at,
          table === 'notes'
            ? [random.chance(0.2) ? random.uuid() : (old[0] ?? null), owner, `v${random.int(1e6)}`]
            : [old[0] ?? null, owner],
        );
      } else if (roll < 0.97) writer.delete(table, at);
      else writer.truncate(table);
    }
  });
}

/** What clients of the active generation would hold, from a download from nothing. */
async function clientRows(storage: BucketStorage): Promise<string[]> {
  const active = (await storage.generations()).find(({ state }) => state === 'active');
  if (active === undefined) return [];
  await using reader = await storage.openReader(active.id);
  const upTo = reader.checkpoint()?.opId ?? 0n;
  const rows = new Set<string>();
  for (const owner of OWNERS) {
    const bucket = `${active.id}#by_owner["${owner}"]`;
    const replica = new BucketReplica();
    for (;;) {
      const chunk = await reader.readOps({ bucket, after: replica.lastOpId, upTo, maxBytes: 1e6 });
      if (chunk === undefined) break;
      replica.apply(chunk.parts.flatMap((part) => decodeOpElements(part)));
    }
    const [state] = await reader.bucketStates([bucket], upTo);
    expect(replica.checksum).toBe(state?.checksum ?? 0);
    for (const put of replica.rows()) rows.add(`${put.objectType} ${put.data}`);
  }
  return [...rows].toSorted();
}

function entitledRows(database: SimulatedDatabase): string[] {
  const rows = new Set<string>();
  for (const [id, owner, text] of database.rows('notes')) {
    rows.add(`notes ${JSON.stringify({ id, owner, text })}`);
  }
  for (const [id, owner] of database.rows('lines'))
    rows.add(`lines ${JSON.stringify({ id, owner })}`);
  return [...rows].toSorted();
}

async function until(check: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`Timed out: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Runs replication while \`work\` does, and stops it as a crash between two batches would. */
async function running(
  options: Omit<ReplicationOptions, 'clock' | 'logger'>,
  work: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const run = runReplication({ ...options, clock: systemClock, logger: silentLogger }, stop.signal);
  try {
    await Promise.race([work(), run]);
  } finally {
    stop.abort();
    await run;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('replication of a simulated source', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'ends in the state of the source, through snapshots, restarts and cut transactions (seed %i)',
    async (seed) => {
      const { random, database, source } = world(seed);
      const disk = new MemoryDisk();
      for (let i = 0; i < 20; i += 1) write(database, random);
      // Tiny batches, so that transactions and snapshots are cut into many.
      const limits = { batchBytes: 300, idleCheckpointMs: 0, tablePollMs: 5, queuedRows: 10 };
      for (let round = 0; round < 6; round += 1) {
        await using storage = new MemoryStorage(disk);
        await running({ source, storage, configText: CONFIG, limits }, async () => {
          for (let i = 0; i < 10; i += 1) {
            write(database, random);
            for (let turns = random.int(30); turns > 0; turns -= 1) await turn();
          }
        });
      }
      await using storage = new MemoryStorage(disk);
      await running({ source, storage, configText: CONFIG, limits }, () =>
        until(async () => {
          const [have, want] = [await clientRows(storage), entitledRows(database)];
          return JSON.stringify(have) === JSON.stringify(want);
        }, 'clients have the rows of the source'),
      );
      expect(await clientRows(storage)).toEqual(entitledRows(database));
    },
  );

  test('publishes only states that the source had', async () => {
    const { random, database, source } = world(77);
    await using storage = new MemoryStorage(new MemoryDisk());
    const states = new Set<string>([JSON.stringify(entitledRows(database))]);
    const seen: string[] = [];
    await running(
      { source, storage, configText: CONFIG, limits: { batchBytes: 200 } },
      async () => {
        for (let i = 0; i < 150; i += 1) {
          write(database, random);
          states.add(JSON.stringify(entitledRows(database)));
          for (let turns = random.int(20); turns > 0; turns -= 1) await turn();
          seen.push(JSON.stringify(await clientRows(storage)));
        }
      },
    );
    expect(new Set(seen).size).toBeGreaterThan(20);
    expect(seen.filter((state) => !states.has(state))).toEqual([]);
  });

  test('a changed config is filled beside the active one and takes over in one step', async () => {
    const { random, database, source } = world(5);
    const disk = new MemoryDisk();
    for (let i = 0; i < 30; i += 1) write(database, random);
    await using storage = new MemoryStorage(disk);
    const settled = () =>
      until(async () => {
        const rows = await clientRows(storage);
        return rows.length > 0 && JSON.stringify(rows) === JSON.stringify(entitledRows(database));
      }, 'the generation is complete');
    await running({ source, storage, configText: CONFIG }, settled);
    const [first] = await storage.generations();
    const changed = CONFIG.replace(
      'SELECT id, owner, text FROM notes',
      'SELECT *, 1 AS n FROM notes',
    );
    await running({ source, storage, configText: changed }, () =>
      until(async () => {
        const active = (await storage.generations()).find(({ state }) => state === 'active');
        expect(active).toBeDefined(); // clients are served without a gap
        return active?.id !== first?.id;
      }, 'the new generation is active'),
    );
    const notes = (await clientRows(storage)).filter((row) => row.startsWith('notes'));
    expect(notes.length).toBe(database.rows('notes').length);
    expect(notes.every((row) => row.includes('"n":1'))).toBe(true);
  });

  test('fills a new generation when its place in the change log is lost', async () => {
    const { random, database, source } = world(6);
    const disk = new MemoryDisk();
    await using storage = new MemoryStorage(disk);
    const settled = () =>
      until(async () => {
        const rows = await clientRows(storage);
        return rows.length > 0 && JSON.stringify(rows) === JSON.stringify(entitledRows(database));
      }, 'clients have the rows of the source');
    for (let i = 0; i < 10; i += 1) write(database, random);
    await running({ source, storage, configText: CONFIG }, settled);
    source.loseAllHandles();
    for (let i = 0; i < 10; i += 1) write(database, random);
    await running({ source, storage, configText: CONFIG }, settled);
  });

  test('refuses a config with errors while nothing is active, and goes on with the active one later', async () => {
    const { random, database, source } = world(8);
    const faulty = CONFIG.replace('FROM notes', 'FORM notes');
    await using storage = new MemoryStorage(new MemoryDisk());
    await expect(
      running({ source, storage, configText: faulty }, () => new Promise(() => {})),
    ).rejects.toMatchObject({ code: 'CONFIG_SYNC_INVALID' });
    const settled = () =>
      until(async () => {
        const rows = await clientRows(storage);
        return rows.length > 0 && JSON.stringify(rows) === JSON.stringify(entitledRows(database));
      }, 'clients have the rows of the source');
    write(database, random);
    await running({ source, storage, configText: CONFIG }, settled);
    write(database, random);
    await running({ source, storage, configText: faulty }, settled);
  });
});
