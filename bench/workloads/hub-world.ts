import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import type pg from 'pg';
import { ServiceProcess } from '../../tests/support/service-process.ts';
import { TokenIssuer } from '../../tests/support/tokens.ts';
import { connect } from '../harness.ts';

/** Every client has the shared bucket, one of its own, and one for each of its memberships. */
const SYNC_CONFIG = `
config:
  edition: 2
bucket_definitions:
  shared:
    data:
      - SELECT * FROM news
  own:
    parameters: SELECT request.user_id() AS owner
    data:
      - SELECT * FROM notes WHERE owner = bucket.owner
  member:
    parameters: SELECT project FROM memberships WHERE user_id = request.user_id()
    data:
      - SELECT * FROM tasks WHERE project = bucket.project
`;

/** A service that clients in great number may connect to, with next to no data. */
export interface HubWorld {
  readonly service: ServiceProcess;
  readonly sql: pg.Client;
  readonly issuer: TokenIssuer;
  readonly dir: string;
  readonly pid: number;
  tokens(count: number, prefix?: string): readonly string[];
}

/** Runs `use` with a database and a service that end with it. */
export async function withHubWorld<T>(
  options: { readonly nodeOptions?: readonly string[]; readonly log?: boolean },
  use: (world: HubWorld) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  const postgres = await LocalPostgres.start({
    dataDir: path.join(dir, 'postgres'),
    settings: { max_wal_size: '8GB', shared_buffers: '512MB' },
  });
  const issuer = new TokenIssuer();
  const service = await ServiceProcess.create({
    dir,
    databaseUrl: postgres.url(),
    syncConfig: SYNC_CONFIG,
    issuer,
    nodeOptions: options.nodeOptions ?? [],
    config: {
      api: {
        parameters: {
          max_concurrent_connections: 20_000,
          max_buckets_per_connection: 200_000,
          max_parameter_query_results: 200_000,
        },
      },
    },
  });
  const sql = await connect(postgres.url());
  try {
    await createTables(sql);
    service.start();
    await service.untilReady();
    const tokens = (count: number, prefix = 'user'): readonly string[] =>
      Array.from({ length: count }, (_, i) => issuer.token(`${prefix}-${i}`));
    return await use({ service, sql, issuer, dir, pid: service.pid ?? 0, tokens });
  } catch (error) {
    console.error(service.log.slice(-4000));
    throw error;
  } finally {
    await sql.end();
    await service.stop();
    await postgres.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function createTables(sql: pg.Client): Promise<void> {
  await sql.query(`
    CREATE TABLE news (id int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY, body text NOT NULL);
    CREATE TABLE notes (
      id int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY, owner text NOT NULL, body text NOT NULL);
    CREATE TABLE memberships (id int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
      user_id text NOT NULL, project int4 NOT NULL);
    CREATE TABLE tasks (
      id int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY, project int4 NOT NULL, body text NOT NULL);
    CREATE PUBLICATION powersync FOR ALL TABLES;
    INSERT INTO news (body) VALUES ('first');
    INSERT INTO notes (owner, body) SELECT 'user-' || i, 'note ' || i FROM generate_series(0, 9999) AS i;
    INSERT INTO memberships (user_id, project) SELECT 'user-' || i, i % 500 FROM generate_series(0, 9999) AS i;
    INSERT INTO memberships (user_id, project) SELECT 'many', i FROM generate_series(0, 499) AS i;
    INSERT INTO tasks (project, body) SELECT i, 'task ' || i FROM generate_series(0, 499) AS i;`);
}
