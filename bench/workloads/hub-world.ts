import type pg from 'pg';
import { withBenchWorld, type BenchWorld } from '../bench-world.ts';

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
export interface HubWorld extends BenchWorld {
  readonly pid: number;
  tokens(count: number, prefix?: string): readonly string[];
}

/** Runs `use` with a database and a service that end with it. */
export function withHubWorld<T>(
  profile: string | undefined,
  use: (world: HubWorld) => Promise<T>,
): Promise<T> {
  const parameters = {
    max_concurrent_connections: 20_000,
    max_buckets_per_connection: 200_000,
    max_parameter_query_results: 200_000,
  };
  const options = { syncConfig: SYNC_CONFIG, config: { api: { parameters } }, profile };
  return withBenchWorld(options, async (world) => {
    await createTables(world.sql);
    world.service.start();
    await world.service.untilReady();
    const tokens = (count: number, prefix = 'user'): readonly string[] =>
      Array.from({ length: count }, (_, i) => world.issuer.token(`${prefix}-${i}`));
    return use({ ...world, pid: world.service.pid ?? 0, tokens });
  });
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
