import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { LocalPostgres } from '@sluice/local-postgres';
import { silentLogger } from '@sluice/base';
import { ScratchPostgres } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresSourceOptions } from '../options.ts';
import { createPostgresSource } from '../postgres-source.ts';
import { QueryPool } from './query-pool.ts';
import { connectionSettings } from './settings.ts';
import { type TestServer } from '../testing/test-source.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  server = scratch.server;
  await createTester(server);
});

async function createTester(at: TestServer): Promise<void> {
  const client = new pg.Client(at.url());
  await client.connect();
  await client.query(`CREATE ROLE tester SUPERUSER LOGIN PASSWORD 'not-to-be-told'`);
  await client.end();
}

afterAll(() => scratch?.[Symbol.asyncDispose]());

const basics = () => ({
  hostname: '127.0.0.1',
  port: server.port,
  username: 'tester',
  password: 'not-to-be-told',
  database: 'postgres',
  sslmode: 'disable' as const,
});

/** The error of the first use, which must not repeat the password anywhere. */
async function failure(options: PostgresSourceOptions): Promise<unknown> {
  await using source = createPostgresSource(options);
  const error = await source.head().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const { message, details, remedy } = error as Record<string, unknown>;
  const [check] = await source.check([]);
  const told = JSON.stringify([message, details, remedy, check]);
  expect(told).not.toContain(options.password);
  expect(check).toMatchObject({ name: 'connection', status: 'problem' });
  return error;
}

test('names a wrong password', async () => {
  expect(await failure({ ...basics(), password: 'guessed' })).toMatchObject({
    code: 'SOURCE_AUTH_FAILED',
    details: { sqlState: '28P01', user: 'tester' },
  });
});

test('names a database that does not exist', async () => {
  expect(await failure({ ...basics(), database: 'absent' })).toMatchObject({
    code: 'SOURCE_DATABASE_MISSING',
    details: { sqlState: '3D000' },
  });
});

test('names a server that is not there', async () => {
  const port = await unusedPort();
  expect(await failure({ ...basics(), port })).toMatchObject({
    code: 'SOURCE_UNREACHABLE',
    details: { host: '127.0.0.1', port },
    retryable: true,
  });
  expect(await failure({ ...basics(), hostname: 'host.invalid' })).toMatchObject({
    code: 'SOURCE_UNREACHABLE',
  });
});

test('gives up on a server that accepts the connection and says nothing', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  expect(await failure({ ...basics(), port, connectTimeoutMs: 200 })).toMatchObject({
    code: 'SOURCE_UNREACHABLE',
  });
  silent.close();
});

test('names a server that does not encrypt', async () => {
  expect(await failure({ ...basics(), sslmode: 'verify-full' })).toMatchObject({
    code: 'SOURCE_TLS',
  });
});

test('a slow query ends with the time limit', async () => {
  await using source = createPostgresSource({ ...basics(), queryTimeoutMs: 100 });
  const locked = new pg.Client(server.url());
  await locked.connect();
  await locked.query('BEGIN; LOCK TABLE pg_catalog.pg_publication IN ACCESS EXCLUSIVE MODE');
  const opening = source.openReplication({ generationId: 1, handle: undefined });
  await expect(opening).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT' });
  await locked.end();
});

async function unusedPort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)('with TLS (needs the openssl command for its certificates)', () => {
  let secure: (TestServer & AsyncDisposable) | undefined;
  let ca = '';
  let otherCa = '';

  beforeAll(async () => {
    const home = `${scratch.folder}/tls`;
    await mkdir(home);
    ca = certificateAuthority(home, 'ca');
    otherCa = certificateAuthority(home, 'other');
    serverCertificate(home, 'db.example');
    const dataDir = `${scratch.folder}/secure`;
    await (await LocalPostgres.start({ dataDir, fast: true })).stop();
    await copyKey(home, dataDir);
    secure = await LocalPostgres.start({
      dataDir,
      fast: true,
      settings: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
    });
    await createTester(secure);
  });

  afterAll(() => secure?.[Symbol.asyncDispose]());

  const secured = (options: Partial<PostgresSourceOptions>): PostgresSourceOptions => ({
    ...basics(),
    port: secure?.port,
    ...options,
  });

  test.each<[string, () => Partial<PostgresSourceOptions>]>([
    [
      'verify-full with the name in the certificate',
      () => ({ sslmode: 'verify-full', cacert: ca, tlsServername: 'db.example' }),
    ],
    ['verify-ca, whatever the name', () => ({ sslmode: 'verify-ca', cacert: ca })],
    [
      'verify-full by default',
      () => ({ sslmode: undefined, cacert: ca, tlsServername: 'db.example' }),
    ],
  ])('connects for queries and streams: %s', async (_title, options) => {
    await using source = createPostgresSource(secured(options()));
    expect(await source.head()).toMatch(/^[0-9A-F]{8}\//);
    await expect(
      source.openReplication({ generationId: 1, handle: undefined }),
    ).rejects.toMatchObject({ code: 'SOURCE_PUBLICATION_MISSING' });
  });

  test.each<[string, () => Partial<PostgresSourceOptions>]>([
    ['another name', () => ({ sslmode: 'verify-full', cacert: ca })],
    ['another authority', () => ({ sslmode: 'verify-ca', cacert: otherCa })],
    [
      'an authority that nobody knows',
      () => ({ sslmode: 'verify-full', tlsServername: 'db.example' }),
    ],
  ])('refuses a certificate of %s', async (_title, options) => {
    expect(await failure(secured(options()))).toMatchObject({ code: 'SOURCE_TLS' });
  });

  test('streams and reads snapshots over TLS', async () => {
    await using source = createPostgresSource(secured({ sslmode: 'verify-ca', cacert: ca }));
    const client = new pg.Client(secure?.url());
    await client.connect();
    await client.query('CREATE PUBLICATION powersync FOR ALL TABLES');
    await client.query('CREATE TABLE item (id int PRIMARY KEY, body text)');
    await using replication = await source.openReplication({ generationId: 1, handle: undefined });
    await client.query(
      `INSERT INTO item SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i`,
    );
    const signal = AbortSignal.timeout(20_000);
    let streamed = 0;
    for await (const batch of replication.stream({ after: '', isWanted: () => true, signal })) {
      streamed += batch.filter(({ kind }) => kind === 'insert').length;
      if (batch.some(({ kind }) => kind === 'commit') && streamed > 0) break;
    }
    expect(streamed).toBe(20_000);
    const [table] = await replication.listTables([
      { schema: 'public', name: 'item', nameIsPrefix: false, schemaIsPrefix: false },
    ]);
    if (!table) throw new Error('No table');
    let read = 0;
    const { chunks } = await replication.snapshot(table, { progress: undefined, signal });
    for await (const { rows } of chunks) read += rows.length;
    expect(read).toBe(20_000);
    await client.end();
    await source.dropReplication(replication.handle);
  });
});

function openssl(cwd: string, args: string): void {
  execFileSync('openssl', args.split(' '), { cwd, stdio: 'pipe' });
}

function certificateAuthority(home: string, name: string): string {
  const out = `-keyout ${name}.key -out ${name}.crt`;
  openssl(home, `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${name} ${out}`);
  return readFileSync(`${home}/${name}.crt`, 'utf8');
}

function serverCertificate(home: string, host: string): void {
  const out = '-keyout server.key -out server.csr';
  const name = `-subj /CN=${host} -addext subjectAltName=DNS:${host}`;
  openssl(home, `req -newkey rsa:2048 -nodes ${name} ${out}`);
  const authority = '-CA ca.crt -CAkey ca.key -CAcreateserial -copy_extensions copy';
  openssl(home, `x509 -req -in server.csr ${authority} -days 2 -out server.crt`);
}

/** The server insists that its key belongs to its own user. */
async function copyKey(home: string, dataDir: string): Promise<void> {
  const { uid, gid } = await stat(`${dataDir}/PG_VERSION`);
  for (const name of ['server.crt', 'server.key']) {
    await writeFile(`${dataDir}/${name}`, readFileSync(`${home}/${name}`));
    await chown(`${dataDir}/${name}`, uid, gid);
    await chmod(`${dataDir}/${name}`, 0o600);
  }
}

test('a connection that is lost between two statements fails the next one, and nothing else', async () => {
  await using pool = new QueryPool({
    settings: connectionSettings(basics()),
    maxConnections: 1,
    queryTimeoutMs: 10_000,
    logger: silentLogger,
  });
  const killer = new pg.Client(server.url());
  await killer.connect();

  const work = pool.withConnection('Reading twice', async (client) => {
    const lost = new Promise<void>((resolve) => client.once('end', resolve)); // `once` would listen to errors
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await killer.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await lost;
    await client.query('SELECT 1');
  });

  await expect(work).rejects.toMatchObject({ code: 'SOURCE_CONNECTION_LOST' });
  await killer.end();
  expect(await pool.query('Reading again', 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});
