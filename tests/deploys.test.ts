import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDeployTables, DEPLOY_CONFIG, measureDeploy } from '../bench/workloads/deploy.ts';
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
