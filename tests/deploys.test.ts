import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { must } from '@sluice/base';
import { LocalPostgres } from '@sluice/local-postgres';
import { openSqliteStorage } from '@sluice/storage-sqlite';
import { until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeployTables, DEPLOY_CONFIG, measureDeploy } from '../bench/workloads/deploy.ts';
import { ServiceProcess } from './support/service-process.ts';
import { EVERYTHING, SmallWorld } from './support/small-world.ts';
import { TokenIssuer } from './support/tokens.ts';

let postgres: LocalPostgres;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-deploys-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
});

afterAll(async () => {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A database of its own and a service over it that waits for its first sync config. */
async function withService(
  name: string,
  work: (parts: { service: ServiceProcess; sql: pg.Client; issuer: TokenIssuer }) => Promise<void>,
): Promise<void> {
  await postgres.ensureDatabase(name);
  const home = await mkdtemp(path.join(dir, `${name}-`));
  const issuer = new TokenIssuer();
  const service = await ServiceProcess.create({
    dir: home,
    databaseUrl: postgres.url(name),
    syncConfig: '',
    issuer,
    config: DEPLOY_CONFIG,
  });
  const sql = new pg.Client({ connectionString: postgres.url(name) });
  await sql.connect();
  try {
    await work({ service, sql, issuer });
  } finally {
    await sql.end();
    await service.stop();
  }
}

describe('a deploy while a client is connected', () => {
  test('of one more stream reads its table only, and sends its rows only', () =>
    withService('costs', async ({ service, sql, issuer }) => {
      await createDeployTables(sql, { rows: 20_000, newRows: 400 });
      service.start();
      const figures = await measureDeploy({ service, sql, issuer });
      expect(figures).toMatchObject({
        opsBefore: 20,
        otherRowsRead: 0,
        newRowsRead: 400,
        otherOpsSent: 0,
        newOpsSent: 40,
        newRowsVisible: 40,
      });
    }));
});

describe('a changed config file', () => {
  // The notes are filled; the table without a key is what `holdUp` holds up.
  const CHANGED = `
config:
  edition: 3
streams:
  all:
    auto_subscribe: true
    query: SELECT id, 'v2' AS body FROM notes
  held:
    auto_subscribe: true
    query: SELECT body AS id FROM zz_held
`;
  const FILLED = /replication_table_snapshot_done .*public\.notes fill=(?!1\b)/;

  async function stopped(database: string) {
    const world = await SmallWorld.create(postgres, { dir, database });
    await world.seed();
    await world.sql(
      'CREATE TABLE zz_held (body text)',
      'ALTER TABLE zz_held REPLICA IDENTITY FULL',
      `INSERT INTO zz_held VALUES ('held')`,
    );
    const versions: string[] = [];
    world.service.start();
    await world.service.untilReady();
    const client = world.connect({
      onCheckpoint: () => {
        const all = client.rows('notes').map(({ body }) => (body === 'v2' ? 'new' : 'old'));
        versions.push([...new Set(all)].join(' and '));
      },
    });
    await world.expectSynced(client);
    await world.service.stop();
    return { world, client, versions };
  }

  test('is filled while the old one serves, and takes over at one checkpoint, in the same slot', async () => {
    const { world, client, versions } = await stopped('file_changed');
    await using _ = world;
    const slots = await world.slots();
    await world.writeSyncConfig(CHANGED);
    await using held = await world.holdUp();
    world.service.start();
    await world.service.untilLogged(FILLED);
    await world.note('while both are there');
    await world.expectSynced(client);
    const { connections } = client;
    await held.release();
    await until('the new stream is there', () => client.rows('zz_held').length === 1);
    const isNew = { body: 'v2' };
    expect(client.rows('notes')).toMatchObject([isNew, isNew]);
    expect(client.connections).toBe(connections + 1);
    expect([...new Set(versions)]).toEqual(['old', 'new']); // at no checkpoint some of each
    await until('only that slot is there', async () => isSame(await world.slots(), slots));
  });

  test('that is taken back, after a crash amid its fill, leaves no trace', async () => {
    const { world, client } = await stopped('file_taken_back');
    await using _ = world;
    const slots = await world.slots();
    await world.writeSyncConfig(CHANGED);
    await using held = await world.holdUp();
    world.service.start();
    await world.service.untilLogged(FILLED);
    await world.note('while both are there');
    await world.expectSynced(client);
    const names = await filledBuckets(world);
    await until('the notes are stored anew', async () => (await stored(world, names)) === 2);
    const { operations } = client;
    await world.service.stop('SIGKILL');

    await world.writeSyncConfig(EVERYTHING);
    world.service.start();
    await world.note('with the old one');
    await world.expectSynced(client);
    expect(client.operations).toBe(operations + 1);
    await until('the new notes are discarded', async () => (await stored(world, names)) === 0);
    await held.release();
    await until('only that slot is there', async () => isSame(await world.slots(), slots));
    await world.note('afterwards');
    await world.expectSynced(client);
    expect(client.operations).toBe(operations + 2);
  });
});

const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** The names that the bucket of all notes has in the config that is being filled. */
async function filledBuckets(world: SmallWorld): Promise<string[]> {
  await using storage = await openSqliteStorage({ path: world.storagePath, mode: 'reader' });
  const [generation] = await storage.generations();
  const { serving, next } = must(generation, 'the generation that serves').configs;
  const old = new Set(Object.values(serving.prefixes));
  const prefixes = Object.values(must(next, 'what is being filled').prefixes);
  return prefixes.filter((prefix) => !old.has(prefix)).map((prefix) => `${prefix}all|0[]`);
}

/** How many operations these buckets hold. */
async function stored(world: SmallWorld, buckets: readonly string[]): Promise<number> {
  await using storage = await openSqliteStorage({ path: world.storagePath, mode: 'reader' });
  const [generation] = await storage.generations();
  await using reader = await storage.openReader(must(generation, 'the generation').id);
  const at = must(reader.checkpoint(), 'a checkpoint').opId;
  const states = await reader.bucketStates(buckets, at);
  return states.reduce((sum, { count }) => sum + count, 0);
}
