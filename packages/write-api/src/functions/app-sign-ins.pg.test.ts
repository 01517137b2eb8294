import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@sluice/base';
import { ScratchPostgres, until } from '@sluice/testing';
import { decodeJwt } from 'jose';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeApiConfig } from '../config/write-api-config.ts';
import { createRouter, type RequestHandler } from '../http/router.ts';
import { FunctionsFolder } from '../testing/functions-folder.ts';
import { writeKeyFile } from '../tokens/keys/key-file.ts';
import { newStoredKey } from '../tokens/keys/rotate-keys.ts';
import { openTokens } from '../tokens/open-tokens.ts';
import { appSignIns } from './app-sign-ins.ts';

/** `sign_in: { function }` as a server of one's own connects it: keys, functions, `GET /token`. */
let scratch: ScratchPostgres;
let pool: pg.Pool;
let home: string;
let folder: FunctionsFolder;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  pool = new pg.Pool({ connectionString: scratch.server.url(), max: 3 });
  await pool.query(`
    CREATE ROLE authenticated;
    CREATE TABLE api_keys (key text PRIMARY KEY, user_id text NOT NULL, uses int NOT NULL DEFAULT 0);
    INSERT INTO api_keys VALUES ('k1', 'ann');`);
  home = await mkdtemp(path.join(tmpdir(), 'sluice-sign-ins-'));
  await writeKeyFile(path.join(home, 'keys.json'), [
    await newStoredKey({ alg: 'EdDSA', nowMs: 0, signsFromMs: 0 }),
  ]);
});
afterAll(async () => {
  await pool?.end();
  await scratch?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});
beforeEach(() => pool.query('UPDATE api_keys SET uses = 0'));
afterEach(async () => {
  await folder[Symbol.asyncDispose]();
  await until('connections are back', () => pool.idleCount === pool.totalCount);
});

const LOOK_UP = `async handler(request, { transaction }) {
  const key = request.headers.get('x-api-key');
  const { rows } = await transaction((t) =>
    t.query('UPDATE api_keys SET uses = uses + 1 WHERE key = $1 RETURNING user_id', [key]));
  return rows[0] && { userId: rows[0].user_id, claims: { role: 'device' } };
}`;

async function tokenRoute(handler: string, name = 'sign-in'): Promise<RequestHandler> {
  folder = await FunctionsFolder.create({
    'sign-in.ts': `export default defineSignIn({ ${handler} });`,
  });
  const { logger } = folder;
  const functions = await folder.open({ limits: { hookTimeoutMs: 1_000 } });
  const config = writeApiConfig({
    sign_in: { function: name },
    row_level_security: { role: 'authenticated' }, // which may read nothing here
  });
  if (config.tokens === undefined) throw new Error('no tokens');
  const { routes } = await openTokens({
    config: config.tokens,
    keys: { kind: 'file', path: path.join(home, 'keys.json') },
    audience: ['app'],
    production: true,
    signInFunction: appSignIns({ functions, database: pool, config, clock: systemClock, logger }),
    clock: systemClock,
    logger,
  });
  return createRouter({ routes, maxConcurrency: 10, logger });
}

async function ask(handle: RequestHandler, headers: Readonly<Record<string, string>> = {}) {
  const response = await handle(new Request('http://localhost/token', { headers }), {
    address: '192.0.2.1',
  });
  const body = (await response.json()) as { token?: string; error?: Record<string, unknown> };
  return { status: response.status, ...body };
}

test('a function looks the user up in a table, and the token has its claims', async () => {
  const handle = await tokenRoute(LOOK_UP);
  const { status, token = '' } = await ask(handle, { 'x-api-key': 'k1' });
  expect(status).toBe(200);
  expect(decodeJwt(token)).toMatchObject({ sub: 'ann', aud: 'app', role: 'device' });
  const { rows } = await pool.query('SELECT uses FROM api_keys');
  expect(rows).toEqual([{ uses: 1 }]);
});

describe('no token', () => {
  test.each([
    ['nobody', LOOK_UP, 401, 'TOKENS_SIGN_IN_REFUSED'],
    ['a Reject', "handler() { throw new Reject('wrong pin'); }", 401, 'TOKENS_SIGN_IN_REFUSED'],
    ['an error', "handler() { throw new Error('inside'); }", 500, 'FUNCTION_FAILED'],
    [
      'a statement that is wrong',
      "handler: (request, { transaction }) => transaction((t) => t.query('SELECT 1/0'))",
      500,
      'FUNCTION_FAILED',
    ],
    ['a loop', 'handler() { for (;;); }', 500, 'FUNCTION_STUCK'],
    ['waiting for ever', 'handler: () => new Promise(() => {})', 504, 'FUNCTION_TIMEOUT'],
  ])('after %s', async (_, handler, status, code) => {
    const answer = await ask(await tokenRoute(handler), { 'x-api-key': 'k2' });
    expect(answer).toMatchObject({ status, error: { code } });
    expect(answer.token).toBeUndefined();
    expect(JSON.stringify(answer)).not.toContain('inside');
  });

  test('a Reject says why, and guessing is limited', async () => {
    const handle = await tokenRoute("handler() { throw new Reject('wrong pin'); }");
    const answers = [];
    for (let i = 0; i < 31; i++) answers.push(await ask(handle));
    expect(answers[0]?.error?.['description']).toBe('wrong pin');
    expect(answers.map(({ status }) => status)).toEqual([...Array<number>(30).fill(401), 429]);
  });
});

test('a name that no function has keeps the server from starting', async () => {
  await expect(tokenRoute(LOOK_UP, 'other')).rejects.toThrow('There is no function other');
});
