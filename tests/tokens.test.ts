import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { column, PowerSyncDatabase, Schema, Table } from '@powersync/node';
import { LocalPostgres } from '@sluice/local-postgres';
import { until } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSluice } from './support/run-sluice.ts';
import { SmallWorld } from './support/small-world.ts';

/** The service gives out its tokens itself: `write_api.tokens`, and no `client_auth`. */
let dir: string;
let postgres: LocalPostgres;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-tokens-'));
  await chmod(dir, 0o755); // as root, the database runs as another user and must get in
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
});

afterAll(async () => {
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function keys(...args: readonly string[]): Promise<void> {
  const { code, output } = await runSluice(['keys', ...args], { cwd: dir });
  expect(code, output).toBe(0);
}

async function startedWorld(
  database: string,
  signIn: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>> = {},
): Promise<SmallWorld & { readonly keyFile: string }> {
  const keyFile = path.join(dir, `${database}-keys.json`);
  await keys('generate', '--out', keyFile);
  const world = await SmallWorld.create(postgres, {
    dir,
    database,
    config: {
      client_auth: undefined,
      write_api: { tokens: { keys: keyFile, lifetime_seconds: 60 }, sign_in: signIn },
      ...config,
    },
  });
  await world.seed();
  world.service.start();
  await world.service.untilReady();
  return Object.assign(world, { keyFile });
}

interface Answer {
  readonly token: string;
  readonly endpoint: string;
  readonly expires_at: string;
}

async function signIn(world: SmallWorld, query = '?user_id=ann', init?: RequestInit) {
  const response = await fetch(`${world.service.url}/token${query}`, init);
  return { status: response.status, body: (await response.json()) as Answer };
}

/** The status with which the service takes a token for the user's write checkpoint. */
async function statusOf(world: SmallWorld, token: string): Promise<number> {
  const response = await fetch(`${world.service.url}/write-checkpoint2.json?client_id=c`, {
    headers: { authorization: `Token ${token}` },
  });
  await response.arrayBuffer();
  return response.status;
}

const kidOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string })
    .kid;

test('the official Node client signs in by GET /token and syncs', async () => {
  await using world = await startedWorld('official', { users: { ann: {}, ben: {} } });
  const schema = new Schema({ notes: new Table({ body: column.text }) });
  const dbFilename = path.join(dir, 'official.sqlite');
  const db = new PowerSyncDatabase({ schema, database: { dbFilename } });
  let fetched = 0;
  try {
    await db.connect({
      fetchCredentials: async () => {
        fetched += 1;
        const { body } = await signIn(world);
        return {
          endpoint: body.endpoint,
          token: body.token,
          expiresAt: new Date(body.expires_at),
        };
      },
      uploadData: async () => {},
    });
    await db.waitForFirstSync();
    await world.note('second');
    const count = async () =>
      (await db.get<{ n: number }>('SELECT count(*) AS n FROM notes')).n === 2;
    await until('both notes are there', count);
    expect(fetched).toBe(1);
  } finally {
    await db.disconnectAndClear();
    await db.close();
  }
});

describe('keys that are rotated while the service runs', () => {
  // With API workers: each process has to take up the file.
  for (const workers of [0, 2]) {
    test(`with ${workers} workers: older tokens stay good, until they are retired`, async () => {
      await using world = await startedWorld(
        `rotation_${workers}`,
        { users: { ann: {} } },
        { api: { workers } },
      );
      const { keyFile } = world;
      const before = (await signIn(world)).body.token;
      await keys('rotate', '--after', '3', keyFile);
      const published = async () => {
        const response = await fetch(`${world.service.url}/.well-known/jwks.json`);
        return ((await response.json()) as { keys: unknown[] }).keys.length === 2;
      };
      await until('the new key is published', published);
      const isNew = async () => {
        const { token } = (await signIn(world)).body;
        expect(await statusOf(world, token)).toBe(200);
        return kidOf(token) !== kidOf(before) && token;
      };
      const after = await until('the new key signs', isNew);
      for (const token of [before, after]) expect(await statusOf(world, token)).toBe(200);

      await keys('rotate', '--retire', keyFile);
      const areRefused = async () => {
        const both = [await statusOf(world, before), await statusOf(world, after)];
        return both.every((status) => status === 401);
      };
      await until('the retired keys are refused', areRefused);
      const isBack = async () => (await statusOf(world, (await signIn(world)).body.token)) === 200;
      await until('a token of the new key is accepted', isBack);
    });
  }
});

test('the app’s session decides who it is', async () => {
  let server: Server | undefined;
  try {
    server = createServer((request, response) => {
      const isKnown = request.headers.cookie === 'session=of-ann';
      response.writeHead(isKnown ? 200 : 401).end(JSON.stringify({ user_id: 'ann' }));
    });
    const app = server;
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/`;
    await using world = await startedWorld('session', { session_check: url });
    const known = await signIn(world, '', { headers: { cookie: 'session=of-ann' } });
    expect(known.status).toBe(200);
    expect(await statusOf(world, known.body.token)).toBe(200);
    expect((await signIn(world, '', { headers: { cookie: 'session=x' } })).status).toBe(401);
    expect((await signIn(world, '')).status).toBe(401);
  } finally {
    server?.close();
  }
});

test('a token by a key that the service does not have is refused', async () => {
  await using world = await startedWorld('strangers', { users: { ann: {} } });
  expect(await statusOf(world, world.issuer.token('ann', 60, 'sluice'))).toBe(401);
  expect(await statusOf(world, (await signIn(world)).body.token)).toBe(200);
});

describe('what keeps the service from starting', () => {
  const table: readonly (readonly [string, () => Record<string, unknown>, RegExp])[] = [
    [
      'keys that are not there',
      () => ({ tokens: { keys: path.join(dir, 'nothing.json') } }),
      /TOKENS_KEYS_MISSING[\s\S]*sluice keys generate --out/,
    ],
    [
      'two ways to sign in',
      () => ({ sign_in: { users: { ann: {} }, function: 'f' } }),
      /expected exactly one of users, session_check, oidc, function/,
    ],
  ];
  for (const [title, writeApi, message] of table) {
    test(title, async () => {
      const database = title.replaceAll(' ', '_');
      const config = { client_auth: undefined, write_api: writeApi() };
      await using world = await SmallWorld.create(postgres, { dir, database, config });
      await world.seed();
      world.service.start();
      expect(await world.service.untilEnded()).not.toBe(0);
      expect(world.service.log).toMatch(message);
    });
  }
});
