import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runSluice } from './support/run-sluice.ts';
import { SmallWorld } from './support/small-world.ts';

/** The built service with `write_api.functions`: hooks, endpoints, data API and sign-in at once. */
const FUNCTIONS = {
  'notes.ts': `import { defineTable } from '@sluice/write-api/functions';
    export default defineTable({
      beforeWrite(write) {
        if (typeof write.values.body === 'string') write.values.body = write.values.body.trim();
      },
    });`,
  'loops.ts': `import { defineTable } from '@sluice/write-api/functions';
    export default defineTable({
      beforeWrite(write, { log }) {
        log.info('it loops');
        for (;;);
      },
    });`,
  'whoami.ts': `import { defineEndpoint } from '@sluice/write-api/functions';
    export default defineEndpoint({
      method: 'GET',
      async handler(request, { caller, transaction }) {
        const sql = 'SELECT count(*) AS n FROM notes WHERE owner = $1';
        const { rows } = await transaction((t) => t.query(sql, [caller.userId]));
        return { user: caller.userId, team: caller.claims.team, notes: rows[0].n };
      },
    });`,
  'sign-in.ts': `import { defineSignIn } from '@sluice/write-api/functions';
    export default defineSignIn({
      async handler(request, { transaction }) {
        const sql = 'SELECT user_id, team FROM api_keys WHERE key = $1';
        const key = request.headers.get('x-api-key');
        const { rows } = await transaction((t) => t.query(sql, [key]));
        return rows[0] && { userId: rows[0].user_id, claims: { team: rows[0].team } };
      },
    });`,
};

const mine = 'owner = auth.user_id()';

let dir: string;
let postgres: LocalPostgres;
let world: SmallWorld;
let token: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-functions-'));
  await chmod(dir, 0o755); // as root, the database runs as another user and must get in
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
  const keys = path.join(dir, 'keys.json');
  const made = await runSluice(['keys', 'generate', '--out', keys], { cwd: dir });
  expect(made.code, made.output).toBe(0);
  world = await SmallWorld.create(postgres, {
    dir,
    database: 'functions',
    config: {
      client_auth: undefined,
      write_api: {
        functions: 'functions',
        hook_timeout_seconds: 5,
        tables: {
          notes: { insert: mine, update: mine, delete: mine, read: mine },
          loops: {},
        },
        tokens: { keys },
        sign_in: { function: 'sign-in' },
      },
    },
  });
  const folder = path.join(dir, 'functions', 'functions');
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(FUNCTIONS)) {
    await writeFile(path.join(folder, name), text);
  }
  await world.seed();
  await world.sql(
    'ALTER TABLE notes ADD owner text',
    'CREATE TABLE loops (id text PRIMARY KEY)',
    'CREATE TABLE api_keys (key text PRIMARY KEY, user_id text, team text)',
    `INSERT INTO api_keys VALUES ('of-ann', 'ann', 'red')`,
    `UPDATE notes SET owner = 'ben'`,
  );
  world.service.start();
  await world.service.untilReady();
  const signedIn = await call('GET', '/token', undefined, { 'x-api-key': 'of-ann' });
  ({ token } = signedIn.body as { token: string });
}, 180_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function call(
  method: string,
  route: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${token}` },
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${world.service.url}${route}`, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

let sequence = 0;

function upload(table: string, id: string, data: unknown) {
  sequence += 1;
  const entries = [{ seq: sequence, op: 'PUT', table, id, data }];
  return call('POST', '/upload', { clientId: 'c', entries });
}

test('who is nobody to the sign-in function gets no token', async () => {
  const answer = await call('GET', '/token', undefined, { 'x-api-key': 'guessed' });
  expect(answer).toMatchObject({
    status: 401,
    body: { error: { code: 'TOKENS_SIGN_IN_REFUSED' } },
  });
});

test('a hook changes an upload before the rules of the table look at it', async () => {
  const { body } = await upload('notes', 'n1', { body: '  text ', owner: 'ann' });
  expect(body).toMatchObject({ results: [{ status: 'ok' }] });
  const other = await upload('notes', 'n2', { body: 'x', owner: 'ben' });
  expect(other.body).toMatchObject({ results: [{ status: 'rejected' }] });
  expect(await world.sql(`SELECT id, body FROM notes WHERE id LIKE 'n%'`)).toEqual([
    { id: 'n1', body: 'text' },
  ]);
});

test('an endpoint answers with the claims of the caller', async () => {
  const [row] = await world.sql(`SELECT count(*)::int AS notes FROM notes WHERE owner = 'ann'`);
  expect(await call('GET', '/functions/whoami')).toEqual({
    status: 200,
    body: { user: 'ann', team: 'red', ...row },
  });
  expect((await call('GET', '/functions/whoami', undefined, {})).status).toBe(401);
});

test('the data API shows what the read rule lets the caller see', async () => {
  await world.sql(`INSERT INTO notes VALUES ('seen', 'b', 'ann') ON CONFLICT DO NOTHING`);
  const { status, body } = await call('GET', '/data/notes?select=id,owner&id=in.seen,first');
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { rows: [{ id: 'seen', owner: 'ann' }] },
  });
  expect((await call('GET', '/data/notes/first')).status).toBe(404);
});

test('a hook that loops for ever is ended, and holds up no upload to another table', async () => {
  let hasEnded = false;
  const looping = upload('loops', 'l1', {}).finally(() => {
    hasEnded = true;
  });
  await world.service.untilLogged(/it loops/);
  const { body } = await upload('notes', 'meanwhile', { body: 'x', owner: 'ann' });
  expect(body).toMatchObject({ results: [{ status: 'ok' }] });
  expect(hasEnded).toBe(false);
  expect((await looping).body).toMatchObject({
    results: [{ status: 'rejected', code: 'FUNCTION_STUCK' }],
  });
  expect(await world.sql('SELECT FROM loops')).toEqual([]);
});
