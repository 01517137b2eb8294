import { ScratchPostgres } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dataApiOn, type AskData } from '../testing/data-api-on.ts';

const SCHEMA = `
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE items (id int PRIMARY KEY, name text, price numeric, big bigint, done boolean NOT NULL DEFAULT false,
  tags text[], info jsonb, at timestamptz, twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO items (id, name, price, big, done, tags, info, at) VALUES
  (1, 'Apple', 1.5, 9007199254740993, false, '{red,fruit}', '{"a": 1}', '2026-01-01T00:00:00Z'),
  (2, 'bread, white', 2.25, 2, true, '{}', '{"a": 2, "b": [1]}', '2026-01-02T00:00:00Z'),
  (3, 'Cheese', NULL, NULL, false, NULL, NULL, NULL),
  (4, 'apple pie', 4, 4, true, '{fruit}', '"text"', '2026-01-04T12:00:00Z');
CREATE TABLE lists (id text PRIMARY KEY, owner text);
CREATE TABLE members (list_id text, user_id text);
CREATE TABLE "odd "" name" (id text PRIMARY KEY, "select" text, "a.b" text);
INSERT INTO "odd "" name" VALUES ('1', 's', 'dotted');
CREATE TABLE keyless (a int, b int);`;

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

const ids = (rows: unknown) => (rows as { id: unknown }[]).map(({ id }) => id);
const rowsOf = async (sql: string) => (await pool.query(sql)).rows as unknown[];

describe('rows', () => {
  test.each([
    ['', [1, 2, 3, 4]],
    ['done=eq.true', [2, 4]],
    ['done=eq.0', [1, 3]],
    ['id=gt.1&id=lte.3', [2, 3]],
    ['id=ne.2', [1, 3, 4]],
    ['name=eq.Apple', [1]],
    ['name=like.*pple', []],
    ['name=ilike.apple%25', [1, 4]],
    ['name=not.ilike.apple%25', [2, 3]],
    ['price=lt.2', [1]],
    ['price=is.null', [3]],
    ['price=not.is.null', [1, 2, 4]],
    ['id=in.1,3,9', [1, 3]],
    ['name=in.["bread, white","Cheese"]', [2, 3]],
    ['id=in.', []],
    ['id=not.in.1,2', [3, 4]],
    ['tags=contains.["fruit"]', [1, 4]],
    ['info=contains.{"a":2}', [2]],
    ['at=gte.2026-01-02', [2, 4]],
    ['big=eq.9007199254740993', [1]],
    ['twice=eq.6', [3]],
    ['order=name.desc', [3, 2, 4, 1]],
    ['order=done.desc,id.desc', [4, 2, 3, 1]],
    ['order=price', [1, 2, 4, 3]],
    ['limit=2&offset=1', [2, 3]],
    ['limit=0', []],
  ])('GET items?%s', async (query, expected) => {
    const collation = query === 'order=name.desc';
    const { status, body } = await ask('GET', `/data/items?${query}`);
    expect(status).toBe(200);
    if (!collation) expect(ids(body['rows'])).toEqual(expected);
    else {
      const sql = 'SELECT id FROM items ORDER BY name DESC, id DESC';
      expect(body['rows']).toMatchObject(await rowsOf(sql));
    }
  });

  test.each([
    [{ done: true }, [2, 4]],
    [{ price: null }, [3]],
    [{ id: { gte: 2, lt: 4 } }, [2, 3]],
    [{ $or: [{ id: 1 }, { name: { ilike: '%pie' } }] }, [1, 4]],
    [{ $not: { $or: [{ id: 1 }, { id: 2 }] } }, [3, 4]],
    [{ $and: [{ done: false }, { $or: [] }] }, []],
    [{ id: { in: [1, 4] }, done: { ne: true } }, [1]],
    [{ name: { not: { like: 'A%' } } }, [2, 3, 4]],
    [{ price: { ne: null } }, [1, 2, 4]],
    [{ info: { contains: { b: [1] } } }, [2]],
    [{ info: { a: 1 } }, 400],
  ])('POST /data/query where %j', async (where, expected) => {
    const { status, body } = await ask('POST', '/data/query', { body: { from: 'items', where } });
    if (expected === 400) expect(status).toBe(400);
    else expect(ids(body['rows'])).toEqual(expected);
  });

  test('come with the columns asked for, exact values, and a count', async () => {
    const { body } = await ask(
      'GET',
      '/data/items?select=name,big,tags,info,at&id=eq.1&count=exact',
    );
    expect(body).toMatchObject({
      rows: [
        { name: 'Apple', tags: ['red', 'fruit'], info: { a: 1 }, at: '2026-01-01T00:00:00+00:00' },
      ],
      next: null,
      count: 1,
    });
    const text = JSON.stringify((await ask('GET', '/data/items/1')).body);
    expect(text).toContain('"price":1.5');
    expect(await rowsOf("SELECT '9007199254740993' AS big")).toEqual([{ big: '9007199254740993' }]);
  });

  test('one of them by its id', async () => {
    expect(await ask('GET', '/data/items/3?select=id,name')).toEqual({
      status: 200,
      body: { id: 3, name: 'Cheese' },
    });
    expect(await ask('GET', '/data/items/9')).toMatchObject({
      status: 404,
      body: { error: { code: 'DATA_ROW_MISSING' } },
    });
  });

  test('names that need quotes are names', async () => {
    const path = `/data/${encodeURIComponent('odd " name')}`;
    expect(
      (await ask('GET', `${path}?a.b=eq.dotted&order=a.b.desc&select=a.b`)).body['rows'],
    ).toEqual([{ 'a.b': 'dotted' }]);
    const body = { from: 'odd " name', where: { select: 's' } };
    expect(ids((await ask('POST', '/data/query', { body })).body['rows'])).toEqual(['1']);
  });

  test.each([
    ['order=price', 'price NULLS LAST, id'],
    ['order=price.desc', 'price DESC NULLS FIRST, id DESC'],
    ['order=done,at.desc', 'done, at DESC NULLS FIRST, id DESC'],
    ['order=id.desc', 'id DESC'],
  ])('go on where the last answer ended, with %s', async (order, sql) => {
    const found: unknown[] = [];
    let after = '';
    for (let page = 0; page < 9; page += 1) {
      const { body } = await ask('GET', `/data/items?limit=1&${order}${after}`);
      found.push(...ids(body['rows']));
      if (body['next'] === null) break;
      after = `&after=${body['next'] as string}`;
    }
    expect(found).toEqual(ids(await rowsOf(`SELECT id FROM items ORDER BY ${sql}`)));
  });

  test.each([
    ['nme=eq.1', 'nme'],
    ['select=nme', 'select names the column'],
    ['order=nme', 'order names the column'],
    ['name=Apple', 'has no operator'],
    ['name=equals.Apple', 'has no operator'],
    ['id=eq.x', 'invalid input syntax'],
    ['id=in.[1', 'not JSON'],
    ['limit=1001', 'limit is'],
    ['limit=-1', 'limit is'],
    ['limit=1&limit=2', 'more than once'],
    ['offset=x', 'offset is'],
    ['count=all', 'count is'],
    ['after=xyz', 'after is'],
    [`order=${Array(9).fill('id').join(',')}`, 'order names more'],
    [Array(101).fill('id=eq.1').join('&'), 'more than 100 comparisons'],
  ])('GET items?%s is 400', async (query, message) => {
    const { status, body } = await ask('GET', `/data/items?${query}`);
    expect([status, body]).toMatchObject([400, { error: { code: 'DATA_QUERY_INVALID' } }]);
    expect(JSON.stringify(body)).toContain(message);
  });

  test.each<[string, unknown]>([
    ['not an object', [1]],
    ['no table', {}],
    ['an unknown key', { from: 'items', wher: {} }],
    ['an unknown operator', { from: 'items', where: { id: { near: 1 } } }],
    ['null in a list', { from: 'items', where: { id: { in: [null] } } }],
    [
      'nesting without end',
      { from: 'items', where: JSON.parse(`${'{"$not":'.repeat(20)}{}${'}'.repeat(20)}`) },
    ],
  ])('a query in JSON with %s is 400', async (_, body) => {
    expect((await ask('POST', '/data/query', { body })).status).toBe(400);
  });

  test('a table that is not there, or has no key, is said to be so', async () => {
    expect((await ask('GET', '/data/nothing')).status).toBe(404);
    expect((await ask('GET', '/data/keyless')).body).toMatchObject({
      error: { code: 'DATA_QUERY_INVALID' },
    });
    expect((await ask('GET', '/data/items', { as: '' })).status).toBe(401);
  });
});

describe('aggregates', () => {
  test.each([
    ['count', [{ count: 4 }]],
    ['count&done=eq.true', [{ count: 2 }]],
    [
      'count=price&sum=price,id&min=name&max=id',
      [{ count_price: 3, sum_price: 7.75, sum_id: 10, min_name: 'Apple', max_id: 4 }],
    ],
    [
      'group_by=done&count&avg=id',
      [
        { done: false, count: 2, avg_id: 2 },
        { done: true, count: 2, avg_id: 3 },
      ],
    ],
    ['group_by=done&limit=1', [{ done: false }]],
  ])('GET items/aggregate?%s', async (query, expected) => {
    expect((await ask('GET', `/data/items/aggregate?${query}`)).body).toEqual({ rows: expected });
  });

  test('in JSON', async () => {
    const body = {
      from: 'items',
      aggregate: [{ count: '*' }, { sum: 'id' }],
      where: { done: true },
    };
    expect((await ask('POST', '/data/query', { body })).body).toEqual({
      rows: [{ count: 2, sum_id: 6 }],
    });
  });

  test.each(['', 'sum', 'sum=nme', 'sum=name', 'group_by=done&count&count'])(
    'GET items/aggregate?%s is 400',
    async (query) => {
      expect((await ask('GET', `/data/items/aggregate?${query}`)).status).toBe(400);
    },
  );
});

describe('reading', () => {
  const rules: Readonly<Record<string, string>> = {
    lists:
      'owner = auth.user_id() or id in (select list_id from members where user_id = auth.user_id())',
    items: 'false',
    members: "auth.parameter('sub') = 'ann'",
  };
  beforeEach(async () => {
    await pool.query(
      "INSERT INTO lists VALUES ('a', 'ann'), ('b', 'ben'), ('c', 'cleo'); INSERT INTO members VALUES ('b', 'ann')",
    );
    ask = dataApiOn(pool, {
      readRuleOf: (table) => rules[table],
      serviceTokens: [
        { token: 'cron', as: { kind: 'service', name: 'cron' } },
        { token: 'forBen', as: { kind: 'user', userId: 'ben', claims: {} } },
      ],
    });
  });

  test.each([
    ['ann', {}, ['a', 'b']],
    ['ben', {}, ['b']],
    ["o'neill", {}, 401],
    ['forBen', {}, ['b']],
    ['cron', {}, ['a', 'b', 'c']],
    ['cron', { 'x-act-as-user': 'cleo' }, ['c']],
  ])('as %s %j shows the rows of the rule', async (as, headers, expected) => {
    const { status, body } = await ask('GET', '/data/lists', { as, headers });
    if (typeof expected === 'number') expect(status).toBe(expected);
    else expect(ids(body['rows'])).toEqual(expected);
  });

  test('counts, sums and single rows are of the same rows', async () => {
    expect((await ask('GET', '/data/lists?limit=1&count=exact')).body['count']).toBe(2);
    expect((await ask('GET', '/data/lists/aggregate?count')).body).toEqual({
      rows: [{ count: 2 }],
    });
    expect((await ask('GET', '/data/lists/c')).status).toBe(404);
    expect((await ask('PATCH', '/data/lists/c', { body: { owner: 'ann' } })).status).toBe(404);
    expect((await ask('DELETE', '/data/lists?owner=ne.x')).body['results']).toMatchObject([
      { id: 'a' },
      { id: 'b' },
    ]);
  });

  test('is refused where no rule permits it', async () => {
    expect((await ask('GET', '/data/items')).status).toBe(403);
    expect((await ask('GET', '/data/nothing')).status).toBe(404);
    expect((await ask('GET', '/data/keyless')).status).toBe(403);
    expect((await ask('DELETE', '/data/items?id=eq.1')).status).toBe(403);
  });

  test('with row-level security, the database decides', async () => {
    await pool.query(`DROP ROLE IF EXISTS reader; CREATE ROLE reader; GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON lists TO reader;
      ALTER TABLE lists ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON lists USING (owner = current_setting('request.jwt.claims')::json->>'sub')`);
    ask = dataApiOn(pool, {
      role: 'reader',
      serviceTokens: [{ token: 'cron', as: { kind: 'service', name: 'cron' } }],
    });
    expect(ids((await ask('GET', '/data/lists')).body['rows'])).toEqual(['a']);
    expect(ids((await ask('GET', '/data/lists', { as: 'cron' })).body['rows'])).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect((await ask('GET', '/data/items')).status).toBe(403);
    await pool.query('DROP OWNED BY reader; DROP ROLE reader');
  });
});
