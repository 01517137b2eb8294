import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
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
