import { ScratchPostgres, until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '@sluice/base';
import type { AppFunctions, FunctionsOptions } from './app-functions.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import { storeOn } from '../testing/store-on.ts';
import { ANN, FunctionsFolder } from '../testing/functions-folder.ts';

let scratch: ScratchPostgres;
let pool: pg.Pool;
let folder: FunctionsFolder;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  pool = new pg.Pool({ connectionString: scratch.server.url(), max: 3 });
  pool.on('error', () => {}); // connections are ended on purpose
});
afterAll(async () => {
  await pool?.end();
  await scratch?.[Symbol.asyncDispose]();
});
beforeEach(() =>
  pool.query(`DROP TABLE IF EXISTS notes; CREATE TABLE notes (id int PRIMARY KEY, text text)`),
);
afterEach(() => folder[Symbol.asyncDispose]());

type Ask = (request?: RequestInit, path?: string) => Promise<{ status: number; body: unknown }>;

/** A folder with one endpoint, and a way to call it as the write API does. */
async function endpoint(
  definition: string,
  limits: FunctionsOptions['limits'] = {},
): Promise<{ readonly ask: Ask; readonly functions: AppFunctions }> {
  folder = await FunctionsFolder.create({
    'note.ts': `export default defineEndpoint({ ${definition} });`,
  });
  const functions = await folder.open({ limits });
  const authenticate = async (request: Request) => {
    if (request.headers.has('authorization')) return ANN;
    throw new AppError('SYNC_TOKEN_MISSING', 'no token');
  };
  const routes = endpointRoutes({
    functions,
    store: storeOn(pool),
    authenticate,
    maxBodyBytes: 10_000,
  });
  const ask: Ask = async (init = {}, path = 'note') => {
    const segments = path.split('/');
    const request = new Request(`http://localhost/functions/${path}?q=1`, {
      method: 'POST',
      headers: { authorization: 'Bearer t' },
      ...init,
    });
    const route = routes.find(
      (candidate) =>
        candidate.method === request.method &&
        candidate.path.split(':').length === segments.length + 1,
    );
    const response = await route?.handle(request, Object.fromEntries(segments.entries()));
    const text = (await response?.text()) ?? '';
    return { status: response?.status ?? 0, body: text === '' ? undefined : JSON.parse(text) };
  };
  return { ask, functions };
}

/** Every connection is back, and none of them is inside a transaction. */
async function expectNoLeak(): Promise<void> {
  await until(
    'connections are back',
    () => pool.idleCount === pool.totalCount && pool.waitingCount === 0,
  );
  const { rows } = await pool.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
  );
  expect(rows).toEqual([{ n: 0 }]);
}

const insert = "await t.query('INSERT INTO notes VALUES ($1, $2)', [1, 'a'])";
const notes = async () => (await pool.query('SELECT id, text FROM notes ORDER BY id')).rows;

describe('an endpoint', () => {
  test('gets request, parameters and caller, and answers a value as JSON', async () => {
    const { ask } = await endpoint(`path: 'orders/:id/:part', method: 'PUT',
      async handler(request, { params, caller }) {
        const url = new URL(request.url);
        return { method: request.method, query: url.search, type: request.headers.get('x-type'),
          body: await request.json(), params, user: caller.userId, role: caller.claims.role, big: 5n };
      }`);
    const request = {
      method: 'PUT',
      headers: { authorization: 'x', 'x-type': 'odd' },
      body: '{"a":1}',
    };
    expect(await ask(request, 'orders/7/x%20y')).toEqual({
      status: 200,
      body: {
        method: 'PUT',
        query: '?q=1',
        type: 'odd',
        body: { a: 1 },
        params: { id: '7', part: 'x%20y' },
        user: 'ann',
        role: 'admin',
        big: 5,
      },
    });
  });

  test.each([
    ['undefined', 'return undefined;', 204, undefined],
    ['a Response', 'return Response.json({ a: 1 }, { status: 201 });', 201, { a: 1 }],
    [
      'a Reject',
      "throw new Reject('no', { code: 'MINE', status: 409 });",
      409,
      { error: { code: 'MINE', status: 409, description: 'no' } },
    ],
    [
      'a Reject of a status that is none',
      "throw new Reject('no', { status: 20 });",
      422,
      { error: { code: 'FUNCTION_REJECTED', status: 422, description: 'no' } },
    ],
  ])('answers %s', async (_, body, status, expected) => {
    const { ask } = await endpoint(`handler() { ${body} }`);
    expect(await ask()).toEqual({ status, body: expected });
  });

  test('needs a token, unless it is public', async () => {
    const { ask } = await endpoint('handler: () => 1');
    await expect(ask({ headers: {} })).rejects.toMatchObject({ code: 'SYNC_TOKEN_MISSING' });
    await folder[Symbol.asyncDispose]();
    const open = await endpoint(
      'public: true, handler: (request, { caller }) => [caller === undefined]',
    );
    expect(await open.ask({ headers: {} })).toEqual({ status: 200, body: [true] });
  });

  test.each([
    ['an unknown path', 'nothing', {}, 'API_ROUTE_MISSING'],
    ['another method', 'note', { method: 'DELETE' }, 'API_ROUTE_MISSING'],
    ['too large a body', 'note', { body: 'x'.repeat(10_001) }, 'API_BODY_TOO_LARGE'],
  ])('is not reached by %s', async (_, path, request, code) => {
    const { ask } = await endpoint('handler: () => 1');
    await expect(ask(request, path)).rejects.toMatchObject({ code });
  });
});

describe('a transaction of an endpoint', () => {
  test('commits, and gives rows and counts', async () => {
    const { ask } = await endpoint(`async handler(request, { transaction }) {
      const count = await transaction(async (t) => { ${insert}; return (await t.query('SELECT id, text FROM notes')).rows; });
      return { count, again: await transaction(async (t) => (await t.query('DELETE FROM notes WHERE id > 5')).rowCount) };
    }`);
    expect(await ask()).toEqual({ status: 200, body: { count: [{ id: 1, text: 'a' }], again: 0 } });
    expect(await notes()).toEqual([{ id: 1, text: 'a' }]);
    await expectNoLeak();
  });

  test('knows the caller as triggers and policies see it', async () => {
    const { ask } = await endpoint(`async handler(request, { transaction }) {
      return transaction(async (t) => (await t.query(
        "SELECT current_setting('sluice.user_id') AS u, current_setting('request.jwt.claims')::json->>'role' AS r")).rows);
    }`);
    expect((await ask()).body).toEqual([{ u: 'ann', r: 'admin' }]);
  });

  test('takes bytes, times, objects and lists, and gives values as the write API reads them', async () => {
    const { ask } = await endpoint(`async handler(request, { transaction }) {
      const { rows } = await transaction((t) => t.query(
        'SELECT $1::bytea AS b, $2::timestamptz AS t, $3::jsonb AS j, $4::text[] AS l, $5::text AS n, $6::int8 AS big, true AS yes',
        [new Uint8Array([1, 2]), new Date(0), { a: [1] }, ['a', 'b"\\\\', null], null, 9007199254740993n]));
      const [{ b, big, ...rest }] = rows;
      return { ...rest, b: b instanceof Uint8Array && [...b], big: String(big) };
    }`);
    expect((await ask()).body).toEqual({
      b: [1, 2],
      t: '1970-01-01 00:00:00+00',
      j: { a: [1] },
      l: '{a,"b\\"\\\\",NULL}',
      n: null,
      big: '9007199254740993',
      yes: true,
    });
  });

  test.each([
    ['throws', `${insert}; throw new Error('x');`, {}, 'FUNCTION_FAILED'],
    ['breaks a constraint', `${insert}; ${insert};`, {}, 'FUNCTION_FAILED'],
    ['commits by SQL', `${insert}; await t.query(' /* x */ COMMIT');`, {}, 'FUNCTION_FAILED'],
    ['loops', `${insert}; for (;;);`, {}, 'FUNCTION_STUCK'],
    ['exits', `${insert}; process.exit(0);`, {}, 'FUNCTION_ENDED'],
    ['waits for ever', `${insert}; await new Promise(() => {});`, {}, 'FUNCTION_TIMEOUT'],
    [
      'sleeps in the database',
      `${insert}; await t.query('SELECT pg_sleep(4)');`,
      {},
      'FUNCTION_TIMEOUT',
    ],
    [
      'passes what cannot be sent',
      `${insert}; await t.query('SELECT $1', [() => 1]);`,
      {},
      'FUNCTION_FAILED',
    ],
    [
      'opens another one inside',
      `${insert}; await transaction(async () => {});`,
      {},
      'FUNCTION_FAILED',
    ],
    [
      'has caught what the database refused',
      `${insert}; await t.query('SELECT 1/0').catch(() => {});`,
      {},
      'FUNCTION_FAILED',
    ],
  ])(
    'is undone when the function %s, and its connection comes back',
    async (_, body, limits, code) => {
      const { ask } = await endpoint(
        `async handler(request, { transaction }) {
        if (request.headers.has('x-good')) return transaction(async (t) => (await t.query('SELECT 1 AS one')).rows);
        await transaction(async (t) => { ${body} });
      }`,
        { endpointTimeoutMs: code === 'FUNCTION_FAILED' ? 20_000 : 1_000, ...limits },
      );
      await expect(ask()).rejects.toMatchObject({ code });
      expect(await notes()).toEqual([]);
      await expectNoLeak();
      const good = { headers: { authorization: 'x', 'x-good': '1' } };
      expect((await ask(good)).body).toEqual([{ one: 1 }]);
    },
  );

  test('a function may catch what the database says and go on in another one', async () => {
    const { ask } = await endpoint(`async handler(request, { transaction }) {
      try { await transaction((t) => t.query('INSERT INTO notes VALUES (1, 2), (1, 3)')); }
      catch (error) { return { is: error instanceof SqlError, code: error.code, constraint: error.constraint }; }
    }`);
    expect((await ask()).body).toEqual({ is: true, code: '23505', constraint: 'notes_pkey' });
    await expectNoLeak();
  });

  test('statements that the function did not wait for are part of it or fail', async () => {
    const { ask } = await endpoint(`async handler(request, { transaction }) {
      let kept;
      await transaction(async (t) => { kept = t; void t.query('INSERT INTO notes VALUES (1)'); });
      return kept.query('INSERT INTO notes VALUES (2)').then(() => 'late', (error) => error.message);
    }`);
    expect((await ask()).body).toBe('The transaction has ended');
    expect(await notes()).toEqual([{ id: 1, text: null }]);
    await expectNoLeak();
  });

  test('many at a time share the connections, whatever becomes of them', async () => {
    const { ask } = await endpoint(
      `async handler(request, { transaction }) {
        const n = Number(request.headers.get('x-n'));
        return transaction(async (t) => {
          await t.query('INSERT INTO notes VALUES ($1)', [n]);
          if (n % 3 === 1) throw new Reject('no');
          if (n % 3 === 2) process.exit();
          return n;
        });
      }`,
      { endpointWorkers: 4 },
    );
    const calls = Array.from({ length: 30 }, (_, n) =>
      ask({ headers: { authorization: 'x', 'x-n': String(n) } }).then(
        ({ status }) => status,
        (error: AppError) => error.code,
      ),
    );
    const outcomes = await Promise.all(calls);
    expect(outcomes).toEqual(outcomes.map((_, n) => [200, 422, 'FUNCTION_ENDED'][n % 3]));
    expect((await notes()).map(({ id }: { id: number }) => id % 3)).toEqual(Array(10).fill(0));
    await expectNoLeak();
  });
});

test('a caller that goes away ends the call', async () => {
  const { ask, functions } = await endpoint(`async handler(request, { signal, log, transaction }) {
    await transaction(async (t) => {
      log.info('begun');
      await new Promise((resolve, reject) => signal.addEventListener('abort', () => { log.info('heard'); reject(signal.reason); }));
    });
  }`);
  const leaving = new AbortController();
  const asked = ask({ signal: leaving.signal }).catch((error: AppError) => error.code);
  const logged = () => folder.logger.of('function_log').map(({ message }) => message);
  await until('the call began', () => logged().includes('begun'));
  leaving.abort();
  expect(await asked).toBe('FUNCTION_TIMEOUT');
  expect(logged()).toContain('heard');
  expect(functions.workerCount).toBe(2);
  await expectNoLeak();
});

test('a sign-in says who it is from headers and parameters, or nobody', async () => {
  folder = await FunctionsFolder.create({
    'login.ts': `export default defineSignIn({ async handler(request, { transaction }) {
      const { pin } = await request.json();
      if (pin === 'bad') throw new Reject('wrong pin');
      const { rows } = await transaction((t) => t.query('SELECT text FROM notes WHERE id = $1', [pin]));
      return rows[0] && { userId: rows[0].text + request.headers.get('x-tenant'), claims: { pin } };
    } });`,
  });
  await pool.query("INSERT INTO notes VALUES (7, 'ann')");
  const functions = await folder.open();
  const signIn = (pin: unknown) =>
    functions.signIn(
      'login',
      {
        url: new URL('http://localhost/token'),
        headers: new Headers({ 'x-tenant': '@t' }),
        parameters: { pin },
      },
      storeOn(pool),
    );
  expect(await signIn(7)).toEqual({ userId: 'ann@t', claims: { pin: 7 } });
  expect(await signIn(8)).toBeUndefined();
  await expect(signIn('bad')).rejects.toMatchObject({
    code: 'FUNCTION_REJECTED',
    message: 'wrong pin',
  });
  await expect(signIn('x')).rejects.toThrow();
  await expectNoLeak();
});
