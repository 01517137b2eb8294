import { ScratchPostgres } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TableSteps } from '../pipeline/table-steps.ts';
import { Rejection } from '../rejection.ts';
import { dataApiOn, type AskData } from '../testing/data-api-on.ts';

const SCHEMA = `
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE items (id int PRIMARY KEY, name text UNIQUE, done boolean NOT NULL DEFAULT false, tags text[], info jsonb, twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO items (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE TABLE notes (id uuid PRIMARY KEY, owner text, text text);`;

let scratch: ScratchPostgres;
let pool: pg.Pool;
let ask: AskData;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  pool = new pg.Pool({ connectionString: scratch.server.url(), max: 4 });
});
afterAll(async () => {
  await pool?.end();
  await scratch?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await pool.query(SCHEMA);
  ask = dataApiOn(pool);
});

const items = async (columns = 'id, name, done') =>
  (await pool.query(`SELECT ${columns} FROM items ORDER BY id`)).rows as unknown[];

describe('an insert', () => {
  test('makes a row, converts values, and refuses an id that is there', async () => {
    const body = { id: 4, name: 'four', done: true, tags: ['a', 'b'], info: { x: [1] } };
    expect(await ask('POST', '/data/items', { body })).toEqual({
      status: 201,
      body: { id: '4', status: 'ok' },
    });
    expect((await items('*')).at(-1)).toMatchObject({ ...body, twice: 8 });
    expect(await ask('POST', '/data/items', { body })).toMatchObject({
      status: 422,
      body: { error: { code: 'UPLOAD_CONSTRAINT' } },
    });
  });

  test.each([
    ['update', 'ok', 'new'],
    ['ignore', 'ok', 'one'],
    ['error', 'rejected', 'one'],
  ])('with on_conflict=%s', async (mode, status, name) => {
    const body = [{ id: 1, name: 'new' }];
    const answer = await ask('POST', `/data/items?on_conflict=${mode}`, { body });
    expect(answer.body['results']).toMatchObject([{ id: '1', status }]);
    expect((await items())[0]).toMatchObject({ name });
  });

  test('of several rows does those that can be done, or with atomic=true all or none', async () => {
    const body = [
      { id: 7, name: 'seven' },
      { id: 8, name: 'one' },
      { id: 9, name: 'nine' },
    ];
    const atomic = await ask('POST', '/data/items?atomic=true', { body });
    expect(atomic.body['results']).toMatchObject([
      { status: 'rejected' },
      { code: 'UPLOAD_CONSTRAINT', sqlstate: '23505' },
      { status: 'rejected' },
    ]);
    expect(await items()).toHaveLength(3);
    const {
      body: { results },
    } = await ask('POST', '/data/items', { body });
    expect(results).toMatchObject([
      { id: '7', status: 'ok' },
      { id: '8', status: 'rejected' },
      { id: '9', status: 'ok' },
    ]);
    expect(await items('id')).toEqual([1, 2, 3, 7, 9].map((id) => ({ id })));
  });

  test('with an idempotency key is done once, with the same generated id', async () => {
    const request = {
      body: [{ text: 'a' }, { text: 'b' }],
      headers: { 'idempotency-key': 'job-1' },
    };
    const first = await ask('POST', '/data/notes', request);
    const again = await ask('POST', '/data/notes', request);
    const status = (answer: typeof first) =>
      (answer.body['results'] as { id: string; status: string }[]).map((each) => each.status);
    const id = (answer: typeof first) =>
      (answer.body['results'] as { id: string }[]).map((each) => each.id);
    expect([status(first), status(again)]).toEqual([
      ['ok', 'ok'],
      ['duplicate', 'duplicate'],
    ]);
    expect(id(again)).toEqual(id(first));
    const other = await ask('POST', '/data/notes', { ...request, as: 'ben' });
    expect(id(other)).not.toEqual(id(first));
    expect((await pool.query('SELECT FROM notes')).rowCount).toBe(4);
  });
});

describe('an update or a deletion', () => {
  test('of one row', async () => {
    expect(await ask('PATCH', '/data/items/2', { body: { done: true, name: null } })).toEqual({
      status: 200,
      body: { id: '2', status: 'ok' },
    });
    expect(await ask('DELETE', '/data/items/1')).toEqual({
      status: 200,
      body: { id: '1', status: 'ok' },
    });
    expect(await items()).toMatchObject([{ id: 2, name: null, done: true }, { id: 3 }]);
    expect((await ask('PATCH', '/data/items/9', { body: {} })).status).toBe(404);
    expect((await ask('DELETE', '/data/items/9')).status).toBe(404);
  });

  test('of the rows that fit a condition, which there must be', async () => {
    const changed = await ask('PATCH', '/data/items?id=gte.2', { body: { done: true } });
    expect(changed.body['results']).toEqual([
      { id: '2', status: 'ok' },
      { id: '3', status: 'ok' },
    ]);
    expect((await ask('DELETE', '/data/items?done=eq.true')).body['results']).toHaveLength(2);
    expect((await ask('DELETE', '/data/items')).status).toBe(400);
    expect((await ask('PATCH', '/data/items?atomic=true', { body: {} })).status).toBe(400);
    expect(await items('id')).toEqual([{ id: 1 }]);
  });

  test('of more rows than one request may change is refused as a whole', async () => {
    await pool.query('INSERT INTO items (id) SELECT generate_series(10, 1100)');
    expect((await ask('DELETE', '/data/items?id=gte.0')).status).toBe(400);
    expect(await items()).toHaveLength(1094);
  });

  test.each<[string, string, unknown, number]>([
    ['POST', '/data/items', [1], 400],
    ['POST', '/data/items', { id: {} }, 400],
    ['POST', '/data/items', { id: 'x' }, 422],
    ['POST', '/data/items', { id: 5, nme: 1 }, 422],
    ['POST', '/data/items', { id: 5, twice: 1 }, 422],
    ['POST', '/data/items?on_conflict=maybe', { id: 5 }, 400],
    ['POST', '/data/nothing', { id: 5 }, 422],
    ['PATCH', '/data/items/1', [1], 400],
    ['PATCH', '/data/items/1', { done: 'maybe' }, 422],
    ['PATCH', '/data/items/x', { done: true }, 400],
    ['PATCH', '/data/items?atomic=yes&id=eq.1', { done: true }, 400],
  ])('%s %s %j is refused', async (method, path, body, status) => {
    const before = await items('*');
    const answer = await ask(method, path, { body });
    expect([answer.status, answer.body]).toMatchObject([status, { error: { status } }]);
    expect(await items('*')).toEqual(before);
  });
});

test('writes go through the steps of the table, those of the service through its own', async () => {
  const steps: TableSteps = {
    bundles: [
      {
        needsStored: () => false,
        steps: [
          (write, _, caller) => {
            if (caller.userId !== 'ann') throw new Rejection('UPLOAD_FORBIDDEN', 'Only Ann');
            return { ...write, values: new Map([...write.values, ['done', 1n]]) };
          },
        ],
      },
    ],
  };
  ask = dataApiOn(pool, {
    stepsOf: () => steps,
    isWritable: (table) => table === 'items',
    serviceTokens: [{ token: 'cron', as: { kind: 'service', name: 'cron' } }],
  });
  expect((await ask('PATCH', '/data/items/1', { body: { name: 'x' } })).status).toBe(200);
  expect((await ask('PATCH', '/data/items/2', { body: { name: 'y' }, as: 'ben' })).status).toBe(
    422,
  );
  expect((await ask('DELETE', '/data/items/2', { as: 'ben' })).status).toBe(422);
  expect((await ask('PATCH', '/data/items/3', { body: { name: 'z' }, as: 'cron' })).status).toBe(
    200,
  );
  expect((await ask('POST', '/data/notes', { body: {} })).status).toBe(422);
  expect((await ask('POST', '/data/notes', { body: {}, as: 'cron' })).status).toBe(201);
  expect(await items()).toEqual([
    { id: 1, name: 'x', done: true },
    { id: 2, name: 'two', done: false },
    { id: 3, name: 'z', done: false },
  ]);
});
