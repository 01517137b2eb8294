import { ScratchPostgres, until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TableSteps } from '../pipeline/table-steps.ts';
import { Rejection } from '../rejection.ts';
import { createWriteApi } from '../write-api.ts';
import { ANN, FunctionsFolder } from '../testing/functions-folder.ts';

let scratch: ScratchPostgres;
let pool: pg.Pool;
let folder: FunctionsFolder;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  pool = new pg.Pool({ connectionString: scratch.server.url(), max: 4 });
  pool.on('error', () => {});
});
afterAll(async () => {
  await pool?.end();
  await scratch?.[Symbol.asyncDispose]();
});
beforeEach(() =>
  pool.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS sluice CASCADE;
    CREATE TABLE todos (id text PRIMARY KEY, title text, likes int, list_id text);
    CREATE TABLE log (at serial, line text);
    CREATE TABLE plain (id text PRIMARY KEY, value text)`),
);
afterEach(async () => {
  await until(
    'connections are back',
    () => pool.idleCount === pool.totalCount && pool.waitingCount === 0,
  );
  await folder[Symbol.asyncDispose]();
});

interface Entry {
  readonly op: string;
  readonly id: string;
  readonly data?: object;
  readonly type?: string;
}

/** A write API whose table `todos` has these functions, and a way to upload to it. */
async function writeApi(functions: string, steps?: TableSteps) {
  folder = await FunctionsFolder.create({
    'todos.ts': `export default defineTable({ ${functions} });`,
  });
  const opened = await folder.open({ limits: { hookTimeoutMs: 2_000 } });
  const handle = createWriteApi({
    database: pool,
    authenticate: async () => ANN,
    functions: opened,
    logger: folder.logger,
    stepsOf: () => steps,
  });
  const upload = async (...entries: readonly Entry[]) => {
    const crud = entries.map((entry, at) => ({ type: 'todos', op_id: at, ...entry }));
    const request = new Request('http://localhost/upload', {
      method: 'POST',
      body: JSON.stringify({ crud }),
    });
    const response = await handle(request);
    const body = (await response.json()) as { results?: object[]; error?: object };
    return { status: response.status, results: body.results, error: body.error };
  };
  return { upload, functions: opened };
}

const rows = async (sql: string) => (await pool.query(sql)).rows as unknown[];
const put = (id: string, data: object = {}): Entry => ({ op: 'PUT', id, data });
const lines = async () =>
  (await rows('SELECT line FROM log ORDER BY at')).map((row) => (row as { line: string }).line);

describe('hooks of an upload', () => {
  test('change the write, and use its transaction before and after it', async () => {
    const { upload } = await writeApi(`
      async beforeWrite(write, { caller, transaction }) {
        const { rows } = await transaction.query('SELECT count(*)::int AS n FROM todos WHERE list_id = $1', [write.values.list_id ?? null]);
        write.values.title = [write.op, caller.userId, rows[0].n, write.old?.title].join(' ');
      },
      async afterWrite(write, { transaction }) {
        const { rows } = await transaction.query('SELECT title FROM todos WHERE id = $1', [write.id]);
        await transaction.query('INSERT INTO log (line) VALUES ($1)', [write.op + ':' + (rows[0]?.title ?? 'gone')]);
      }`);
    const entries = [
      put('a', { list_id: 'x' }),
      put('b', { list_id: 'x' }),
      { op: 'PATCH', id: 'a', data: { likes: 1 } },
      { op: 'DELETE', id: 'b' },
    ];
    expect((await upload(...entries)).results).toMatchObject([
      { status: 'ok' },
      { status: 'ok' },
      { status: 'ok' },
      { status: 'ok' },
    ]);
    expect(await rows('SELECT id, title, likes FROM todos')).toEqual([
      { id: 'a', title: 'PATCH ann 0 PUT ann 0 ', likes: 1 },
    ]);
    expect(await lines()).toEqual([
      'PUT:PUT ann 0 ',
      'PUT:PUT ann 1 ',
      'PATCH:PATCH ann 0 PUT ann 0 ',
      'DELETE:gone',
    ]);
  });

  test('refuse one entry with a word of the app; what they did for it is undone, the others are kept', async () => {
    const { upload } = await writeApi(`
      async afterWrite(write, { transaction, afterCommit, log }) {
        await transaction.query('INSERT INTO log (line) VALUES ($1)', [write.id]);
        afterCommit(() => log.info('sent ' + write.id));
        if (write.id === 'bad') throw new Reject('No more', { code: 'LIMIT' });
      }`);
    const { results } = await upload(put('a'), put('bad'), put('c'));
    expect(results).toMatchObject([
      { status: 'ok' },
      { status: 'rejected', code: 'LIMIT', message: 'No more' },
      { status: 'ok' },
    ]);
    expect(await lines()).toEqual(['a', 'c']);
    expect(await rows('SELECT id FROM todos')).toEqual([{ id: 'a' }, { id: 'c' }]);
    const sent = () => folder.logger.of('function_log').map(({ message }) => message);
    await until('both were sent', () => sent().length === 2);
    expect(
      sent()
        .map(String)
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(['sent a', 'sent c']);
  });

  test('leave nothing for after the commit of a write that a rule refused afterwards', async () => {
    const refuseBad: TableSteps = {
      bundles: [
        {
          needsStored: () => false,
          steps: [
            (write) => {
              if (write.id === 'bad') throw new Rejection('UPLOAD_FORBIDDEN', 'no');
              return write;
            },
          ],
        },
      ],
    };
    const hook =
      'beforeWrite(write, { afterCommit, log }) { afterCommit(() => log.info(write.id)); }';
    const { upload } = await writeApi(hook, refuseBad);
    expect((await upload(put('bad'), put('good'))).results).toMatchObject([
      { status: 'rejected' },
      { status: 'ok' },
    ]);
    await until('the good one is told', () => folder.logger.of('function_log').length > 0);
    await upload(put('good2'));
    await until('the next is told', () => folder.logger.of('function_log').length > 1);
    expect(folder.logger.of('function_log').map(({ message }) => message)).toEqual([
      'good',
      'good2',
    ]);
  });

  test('write nothing when they say false', async () => {
    const { upload } = await writeApi(
      "beforeWrite: (write) => write.id === 'skip' ? false : undefined",
    );
    expect((await upload(put('skip'), put('a'))).results).toMatchObject([
      { status: 'ok' },
      { status: 'ok' },
    ]);
    expect(await rows('SELECT id FROM todos')).toEqual([{ id: 'a' }]);
  });

  test.each([
    ['loops', 'for (;;);', 'FUNCTION_STUCK'],
    ['exits', 'process.exit();', 'FUNCTION_ENDED'],
    ['throws', 'missing();', 'FUNCTION_FAILED'],
    [
      'breaks a constraint',
      "await transaction.query('INSERT INTO plain VALUES (1), (1)');",
      'UPLOAD_CONSTRAINT',
    ],
    ['gives a column that is not there', 'write.values.nope = 1;', 'UPLOAD_COLUMN_UNKNOWN'],
    ['ends the transaction', "await transaction.query('ROLLBACK');", 'FUNCTION_FAILED'],
  ])('a hook that %s costs its entry only', async (_, body, code) => {
    const { upload } = await writeApi(
      `async beforeWrite(write, { transaction }) { if (write.id === 'bad') { ${body} } }`,
    );
    const { results } = await upload(put('a'), put('bad'), put('c'));
    expect(results).toMatchObject([
      { status: 'ok' },
      { status: 'rejected', code },
      { status: 'ok' },
    ]);
    expect(await rows('SELECT id FROM todos')).toEqual([{ id: 'a' }, { id: 'c' }]);
    expect((await upload(put('d'))).results).toMatchObject([{ status: 'ok' }]);
  });

  test('a hook that waits too long makes the client try again, and nothing is applied', async () => {
    const { upload } = await writeApi(
      'async beforeWrite(write) { if (write.id === "slow") await new Promise(() => {}); }',
    );
    expect(await upload(put('a'), put('slow'))).toMatchObject({
      status: 504,
      error: { code: 'FUNCTION_TIMEOUT' },
    });
    expect(await rows('SELECT id FROM todos')).toEqual([]);
  });

  test('many uploads at a time share threads and connections', async () => {
    const { upload, functions } = await writeApi(`async beforeWrite(write, { transaction }) {
      await transaction.query('SELECT pg_sleep(0.005)');
      write.values.likes = (write.old?.likes ?? 0) + 1;
    }`);
    await Promise.all(Array.from({ length: 40 }, (_, at) => upload(put(`t${at % 4}`))));
    expect(await rows('SELECT id, likes FROM todos ORDER BY id')).toEqual(
      [0, 1, 2, 3].map((n) => ({ id: `t${n}`, likes: 10 })),
    );
    expect(functions.workerCount).toBeLessThanOrEqual(2);
  });

  test('tables without hooks go the way without steps', async () => {
    const { upload, functions } = await writeApi('beforeWrite() {}');
    expect(functions.tableHooks('plain')).toBeUndefined();
    expect((await upload({ ...put('p', { value: 'v' }), type: 'plain' })).results).toMatchObject([
      { status: 'ok' },
    ]);
  });
});
