import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { must } from '@sluice/base';
import { LocalPostgres } from '@sluice/local-postgres';
import { openSqliteStorage } from '@sluice/storage-sqlite';
import { until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createDeployTables,
  deploy,
  DEPLOY_CONFIG,
  measureDeploy,
} from '../bench/workloads/deploy.ts';
import { OfficialClient } from './support/official-client.ts';
import { SCHEMA_SQL } from './support/sample-world.ts';
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
  work: (parts: {
    service: ServiceProcess;
    sql: pg.Client;
    issuer: TokenIssuer;
    home: string;
  }) => Promise<void>,
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
    await work({ service, sql, issuer, home });
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

  test('is followed by the official client, forth and back', () =>
    withService('official', async ({ service, sql, issuer, home }) => {
      await sql.query(SCHEMA_SQL);
      await sql.query(`INSERT INTO notes (id, owner_id, body, stars)
        SELECT 'note-' || i, 'ann', 'body ' || i, i FROM generate_series(1, 50) AS i`);
      await sql.query(`INSERT INTO log_lines (line, user_id)
        SELECT 'line ' || i, 'ann' FROM generate_series(1, 20) AS i`);
      service.start();
      await until('the service answers', () => service.probe('liveness').catch(() => false));
      await deploy(service, NOTES);
      await service.untilReady();
      await using client = new OfficialClient({
        dir: home,
        name: 'ann',
        endpoint: service.url,
        token: () => issuer.token('ann'),
        upload: () => Promise.resolve(),
      });
      await client.connect();
      const has = (table: string, rows: number) =>
        until(`${rows} ${table}`, async () => (await client.rows(table)).length === rows);
      await has('notes', 50);
      const before = await operations(client);
      await deploy(service, NOTES_AND_LINES);
      await has('log_lines', 20);
      expect(await operations(client)).toEqual(before);
      await sql.query(`UPDATE notes SET body = 'changed' WHERE id = 'note-7'`);
      await until('changes go on', async () =>
        (await client.rows('notes')).some(({ body }) => body === 'changed'),
      );
      await deploy(service, NOTES);
      await has('log_lines', 0);
      await has('notes', 50);
      await deploy(service, NOTES_AND_LINES); // its buckets are still there
      await has('log_lines', 20);
      expect(client.checksumFailures()).toEqual([]);
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

const NOTES = `
config:
  edition: 3
streams:
  notes:
    auto_subscribe: true
    query: SELECT id, owner_id, body, stars FROM notes WHERE owner_id = auth.user_id()
`;
const NOTES_AND_LINES = `${NOTES}
  lines:
    auto_subscribe: true
    query: SELECT line AS id, line, user_id FROM log_lines WHERE user_id = auth.user_id()
`;

/** What the client keeps of the stream's buckets: their names, and the id of each operation. */
function operations(client: OfficialClient) {
  return client.db.getAll<{ name: string; op_id: number }>(
    `SELECT name, op_id FROM ps_oplog JOIN ps_buckets ON ps_buckets.id = ps_oplog.bucket
     WHERE name LIKE '%#notes%' ORDER BY op_id`,
  );
}
