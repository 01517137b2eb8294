import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { until } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSluice } from './support/run-sluice.ts';
import { ServiceProcess, freePort } from './support/service-process.ts';
import { EVERYTHING, SmallWorld } from './support/small-world.ts';
import { StreamClient } from './support/stream-client.ts';
import { TokenIssuer } from './support/tokens.ts';

let dir: string;
let postgres: LocalPostgres;

/** The same server on the same port, after a stop. */
async function restart(): Promise<void> {
  await postgres.stop();
  postgres = await LocalPostgres.start({
    dataDir: path.join(dir, 'postgres'),
    fast: true,
    port: postgres.port,
  });
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-failures-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
});

afterAll(async () => {
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

const STACK = /^ +at .*:\d+:\d+\)?$/m;

describe('a start that cannot work ends with code 1 and says why', () => {
  const config = (lines: string) => `storage: { type: sqlite, path: storage.db }\n${lines}`;

  test.each<[string, Record<string, string>, RegExp[]]>([
    ['no file', {}, [/There is no file service\.yaml \(CONFIG_FILE_MISSING\)/, /Correct the path/]],
    [
      'several mistakes',
      {
        'service.yaml': config(
          'prot: 8080\nport: many\nreplication:\n  connections:\n    - { type: postgresql, uri: !env PS_NOT_SET_ANYWHERE }',
        ),
      },
      [
        /service\.yaml has 3 problems/,
        /service\.yaml:2:1 CONFIG_UNKNOWN_KEY prot: .*did you mean "port"/,
        /service\.yaml:3:7 CONFIG_INVALID_VALUE port: expected a number/,
        /service\.yaml:6:\d+ CONFIG_ENV_MISSING .*PS_NOT_SET_ANYWHERE is not set/,
        /Correct the lines listed/,
      ],
    ],
    [
      'no sync config',
      { 'service.yaml': config('sync_config: { path: absent.yaml }') },
      [/There is no sync config file absent\.yaml \(CONFIG_FILE_MISSING\)/, /looked for at \//],
    ],
    [
      'a mistake in the SQL',
      {
        'service.yaml': config('sync_config: { path: sync.yaml }'),
        'sync.yaml':
          'config: { edition: 3 }\nstreams:\n  a:\n    query: SELECT * FROM notes WERE id = 1\n',
      },
      [/1 error \(CONFIG_SYNC_INVALID\)/, /sync\.yaml:4:\d+: error/, /^ +\^+$/m, /sluice validate/],
    ],
    [
      'a URL that is none',
      {
        'service.yaml': config(
          'replication:\n  connections:\n    - { type: postgresql, uri: "mysql://me:secret-word@h/d" }',
        ),
      },
      [/service\.yaml:4:\d+ CONFIG_INVALID_VALUE/],
    ],
  ])('%s', async (title, files, expected) => {
    const cwd = path.join(dir, title.replaceAll(' ', '-'));
    await mkdir(cwd);
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(cwd, name), text);
    const { code, output } = await runSluice(['start', '--config', 'service.yaml'], { cwd });
    for (const pattern of expected) expect(output).toMatch(pattern);
    expect(code).toBe(1);
    expect(output).not.toMatch(STACK);
    expect(output).not.toContain('secret-word');
  });

  test('a port that is taken', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'port_taken' });
    await world.seed();
    await world.start();
    const other = await ServiceProcess.create({
      dir: await mkdtemp(path.join(dir, 'other-')),
      databaseUrl: postgres.url('port_taken'),
      syncConfig: EVERYTHING,
      issuer: world.issuer,
      port: world.service.port,
    });
    other.start();
    await other.untilLogged(/another process listens there \(API_LISTEN_FAILED\)/);
    expect(await other.untilEnded()).toBe(1);
  });
});

describe('the source database', () => {
  test('is not there at the start, comes, goes, and comes again', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'comes' });
    await world.seed();
    await postgres.stop();
    world.service.start();
    await world.service.untilLogged(
      /warn +replication_failed SOURCE_UNREACHABLE: .*ECONNREFUSED.*\(Check that PostgreSQL runs at/,
    );
    expect(await world.service.probe('liveness')).toBe(200);
    expect(await world.service.probe('readiness')).toBe(400);
    const client = world.connect();
    await until('a refusal', () => client.refusals.length > 0);
    expect(client.refusals[0]).toEqual({ status: 500, code: 'PSYNC_S2302' });
    await restart();
    await world.service.untilLogged(/info +replication_recovered/);
    await world.expectSynced(client);

    const before = world.service.log.length;
    await postgres.stop('immediate');
    await world.service.untilLogged(/warn +replication_failed SOURCE_/, { from: before });
    expect(await world.service.probe('readiness')).toBe(200);
    const late = world.connect();
    await until('served from storage', () => late.rows('notes').length === 1);
    await restart();
    await world.note('after the crash');
    await world.expectSynced(client);
    await world.expectSynced(late);
    expect(client.connections, 'its stream was never interrupted').toBe(1);
    expect(world.service.log).not.toMatch(STACK);
  });

  test('refuses the password until it is right, and names no secret', async () => {
    await using world = await SmallWorld.create(postgres, {
      dir,
      database: 'password',
      connection: { username: 'syncer', password: 'new-secret' },
    });
    await world.seed();
    await world.sql(
      `CREATE ROLE syncer LOGIN REPLICATION PASSWORD 'old-secret'`,
      'GRANT SELECT ON ALL TABLES IN SCHEMA public TO syncer',
    );
    world.service.start();
    await world.service.untilLogged(
      /replication_failed SOURCE_AUTH_FAILED: .*\(Correct the password of user syncer/,
    );
    await world.sql(`ALTER ROLE syncer PASSWORD 'new-secret'`);
    await world.service.untilReady();
    await world.expectSynced(world.connect());

    let from = world.service.log.length;
    await world.sql('REVOKE SELECT ON notes FROM syncer', 'ALTER ROLE syncer NOREPLICATION');
    await world.sql(END_STREAMS);
    await world.service.untilLogged(
      /SOURCE_ROLE_NO_REPLICATION: .*ALTER ROLE "syncer" REPLICATION/,
      { from },
    );
    await world.sql('ALTER ROLE syncer REPLICATION', 'GRANT SELECT ON notes TO syncer');
    from = world.service.log.length;
    await world.note('later');
    await world.expectSynced(world.connect());
    expect(world.service.log).not.toMatch(/old-secret|new-secret/);
  });

  test('is created later', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'later' });
    world.service.start();
    await world.service.untilLogged(
      /SOURCE_DATABASE_MISSING: .*\(Create it \(CREATE DATABASE later\)/,
    );
    await world.seed();
    await world.service.untilReady();
    await world.expectSynced(world.connect());
  });

  test('does not write logical records until wal_level is set', async () => {
    const server = { dataDir: path.join(dir, 'replica'), fast: true };
    let replica = await LocalPostgres.start({ ...server, settings: { wal_level: 'replica' } });
    try {
      await using world = await SmallWorld.create(replica, { dir, database: 'wal_level' });
      await world.seed();
      world.service.start();
      await world.service.untilLogged(/SOURCE_WAL_LEVEL: .*wal_level = logical.*restart/i);
      await replica.stop();
      replica = await LocalPostgres.start({ ...server, port: replica.port });
      await world.service.untilReady();
      await world.expectSynced(world.connect());
      expect(world.service.log).not.toMatch(STACK);
    } finally {
      await replica.stop();
    }
  });

  test('ends the connections of the service', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'ended' });
    await world.seed();
    const client = await world.start();
    for (let i = 0; i < 5; i += 1) {
      await world.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`);
      await world.note(`after ${i}`);
      await world.expectSynced(client);
    }
    expect(client.connections).toBe(1);
    expect(world.service.log).toMatch(/SOURCE_CONNECTION_LOST/);
  });
});

const END_STREAMS = `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
  WHERE active AND database = current_database()`;

describe('the publication', () => {
  test('is made after the start', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'no_publication' });
    await world.seed('SELECT 1');
    world.service.start();
    await world.service.untilLogged(
      /SOURCE_PUBLICATION_MISSING: .*CREATE PUBLICATION "powersync" FOR ALL TABLES/,
    );
    await world.sql('CREATE PUBLICATION powersync FOR ALL TABLES');
    await world.service.untilReady();
    await world.expectSynced(world.connect());
  });

  test('is dropped and made again while changes go on: clients keep what they have meanwhile', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'dropped_publication' });
    await world.seed();
    const client = await world.start();
    await world.expectSynced(client);
    const from = world.service.log.length;
    await world.sql('DROP PUBLICATION powersync');
    await world.service.untilLogged(/SOURCE_PUBLICATION_MISSING/, { from });
    expect(client.rows('notes')).toHaveLength(1);
    await world.note('unpublished');
    await world.sql('CREATE PUBLICATION powersync FOR ALL TABLES');
    await world.note('published');
    await world.expectSynced(client);
  });

  test('leaves truncation out at first, and again while the service runs', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'no_truncate' });
    await world.seed(
      `CREATE PUBLICATION powersync FOR ALL TABLES WITH (publish = 'insert, update, delete')`,
    );
    world.service.start();
    const expected =
      /SOURCE_PUBLICATION_INCOMPLETE: .*leaves out truncate \(Run: ALTER PUBLICATION "powersync" SET/;
    await world.service.untilLogged(expected);
    const all = `ALTER PUBLICATION powersync SET (publish = 'insert, update, delete, truncate')`;
    await world.sql(all);
    await world.service.untilReady();
    const client = world.connect();
    await world.expectSynced(client);
    const from = world.service.log.length;
    await world.sql(`ALTER PUBLICATION powersync SET (publish = 'insert')`);
    await world.service.untilLogged(/SOURCE_PUBLICATION_INCOMPLETE/, { from });
    await world.sql('TRUNCATE notes', all);
    await world.note('after the truncation');
    await world.expectSynced(client);
  });
});

test('a token that is not accepted is answered with 401 and its code, and the log says why', async () => {
  await using world = await SmallWorld.create(postgres, { dir, database: 'tokens' });
  await world.seed();
  await world.start();
  const elsewhere = new TokenIssuer();
  const cases = [
    ['', 'PSYNC_S2106', 'SYNC_TOKEN_MISSING'],
    ['nonsense', 'PSYNC_S2101', 'SYNC_TOKEN_INVALID'],
    [elsewhere.token('ann'), 'PSYNC_S2101', 'SYNC_TOKEN_INVALID'],
    [world.issuer.token('ann', -60), 'PSYNC_S2103', 'SYNC_TOKEN_EXPIRED'],
    [world.issuer.token('ann', 100 * 24 * 3600), 'PSYNC_S2104', 'SYNC_TOKEN_LIFETIME'],
    [world.issuer.token('ann', 3600, 'another-audience'), 'PSYNC_S2105', 'SYNC_TOKEN_AUDIENCE'],
  ] as const;
  for (const [token, wireCode, code] of cases) {
    const from = world.service.log.length;
    const response = await fetch(`${world.service.url}/sync/stream`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === '' ? {} : { authorization: `Token ${token}` }),
      },
      body: '{}',
    });
    const body = (await response.json()) as { error: { code: string } };
    expect([response.status, body.error.code], code).toEqual([401, wireCode]);
    await world.service.untilLogged(new RegExp(`info +http_request_refused ${code}: `), { from });
    if (token !== '') expect(world.service.log).not.toContain(token);
  }
  await world.expectSynced(world.connect());
});

describe('bucket storage', () => {
  test('that another process writes to is locked until that one ends', async () => {
    await using first = await SmallWorld.create(postgres, { dir, database: 'locked' });
    await first.seed();
    const client = await first.start();
    const second = await ServiceProcess.create({
      dir: path.join(dir, 'locked'),
      databaseUrl: postgres.url('locked'),
      syncConfig: EVERYTHING,
      issuer: first.issuer,
      port: await freePort(),
    });
    try {
      second.start();
      await second.untilLogged(
        /replication_failed STORAGE_LOCKED: .*\(Run one replicator per storage/,
      );
      await second.untilReady();
      await using other = new StreamClient({
        url: second.url,
        token: () => first.issuer.token('ann'),
      });
      await first.expectSynced(other);
      await first.service.stop('SIGKILL');
      await first.note('written by the second');
      await first.expectSynced(other);
      expect(client.connections).toBe(1);
    } finally {
      await second.stop();
    }
  });

  test('whose path cannot be opened', async () => {
    await using world = await SmallWorld.create(postgres, {
      dir,
      database: 'unopenable',
      config: { storage: { type: 'sqlite', path: 'blocked/storage.db' } },
    });
    await world.seed();
    const blocker = path.join(dir, 'unopenable', 'blocked');
    await writeFile(blocker, 'a file where a folder must be');
    world.service.start();
    await world.service.untilLogged(/STORAGE_UNAVAILABLE: .*blocked.*\(Check the path/);
    await rm(blocker);
    await world.service.untilReady();
    await world.expectSynced(world.connect());
  });
});

describe('the service itself', () => {
  test('ends on SIGTERM within seconds, with its clients connected, and goes on later', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'sigterm' });
    await world.seed();
    const client = await world.start();
    await world.expectSynced(client);
    const startedAtMs = Date.now();
    expect(await world.service.stop('SIGTERM')).toBe(0);
    // After 5 s what is left is cut, so by then the streams have ended by themselves.
    expect(Date.now() - startedAtMs).toBeLessThan(5000);
    const slots = await world.slots();
    await world.note('while it was away');
    world.service.start();
    await world.expectSynced(client);
    expect(await world.slots()).toEqual(slots);

    await world.service.stop('SIGKILL');
    await world.note('while it was dead');
    world.service.start();
    await world.expectSynced(client);
    expect(await world.slots()).toEqual(slots);
    expect(world.service.log).not.toMatch(STACK);
  });

  test('ends on SIGTERM also while it cannot reach the database', async () => {
    await using world = await SmallWorld.create(postgres, { dir, database: 'never_made' });
    world.service.start();
    await world.service.untilLogged(/SOURCE_DATABASE_MISSING/);
    expect(await world.service.stop('SIGTERM')).toBe(0);
  });
});
