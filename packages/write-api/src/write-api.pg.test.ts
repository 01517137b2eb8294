import { AppError } from '@sluice/base';
import { until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RequestHandler } from './http/router.ts';
import type { WriteDatabase } from './postgres/write-database.ts';
import {
  post as postTo,
  results as resultsOf,
  WriteApiWorld,
  type WorldOptions,
} from './testing/write-api-world.ts';

const SCHEMA = `
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE place AS (street text, number int);
CREATE DOMAIN flag AS boolean;
CREATE TABLE lists (id uuid PRIMARY KEY, name text NOT NULL, note text, position int DEFAULT 7);
CREATE TABLE todos (id text PRIMARY KEY, list_id uuid REFERENCES lists DEFERRABLE INITIALLY DEFERRED, done boolean);
CREATE TABLE typed (id text PRIMARY KEY, bool_ boolean, flag_ flag, int_ int, big_ bigint, float_ float8,
  num_ numeric(12,2), short_ varchar(3), char_ char(3), uuid_ uuid, tz_ timestamptz, ts_ timestamp, date_ date, time_ time,
  json_ json, jsonb_ jsonb, ints_ int[], texts_ text[], grid_ int[][], jsonbs_ jsonb[], bytes_ bytea,
  mood_ mood, place_ place, range_ int4range, inet_ inet, interval_ interval, bits_ bit(3));
CREATE TABLE "Odd "" table" (id int PRIMARY KEY, "select" text, "Mixed Case" text);
CREATE TABLE tenant_rows (tenant text, id text, value text, PRIMARY KEY (tenant, id));
CREATE TABLE loose (id text, value text);
CREATE TABLE counted (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, value text, twice text GENERATED ALWAYS AS (value || value) STORED);
CREATE TABLE guarded (id text PRIMARY KEY, owner text);
CREATE FUNCTION set_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.id = 'forbidden' THEN RAISE EXCEPTION 'not allowed'; END IF;
  NEW.owner := current_setting('sluice.user_id'); RETURN NEW; END $$;
CREATE TRIGGER owner BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION set_owner();
`;
const L1 = '11111111-1111-4111-8111-111111111111';
const L2 = '22222222-2222-4222-8222-222222222222';

let world: WriteApiWorld;
let handler: RequestHandler;

beforeAll(async () => {
  world = await WriteApiWorld.start({ deadlock_timeout: '50ms' });
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.reset(SCHEMA);
  handler = world.api();
});

const handlerWith = (options: WorldOptions) => world.api(options);
const post = (body: unknown, to: RequestHandler = handler) => postTo(to, body);
const results = (body: unknown, to: RequestHandler = handler) => resultsOf(to, body);
const rows = (sql: string) => world.rows(sql);

describe('operations', () => {
  test('PUT inserts, a second PUT updates the columns given and keeps the others', async () => {
    await results({
      batch: [{ op: 'PUT', table: 'lists', id: L1, data: { name: 'a', note: 'n' } }],
    });
    await results({ batch: [{ op: 'PUT', table: 'lists', id: L1, data: { name: 'b' } }] });
    expect(await rows('SELECT name, note, position FROM lists')).toEqual([
      { name: 'b', note: 'n', position: 7 },
    ]);
  });

  test('PUT with nothing but the id is repeatable', async () => {
    const entry = { op: 'PUT', type: 'todos', id: 't1', data: {} };
    expect(await results({ crud: [entry, entry] })).toEqual([
      { op_id: null, status: 'ok' },
      { op_id: null, status: 'ok' },
    ]);
  });

  test('PATCH changes only its columns, sets null, and ignores a missing row', async () => {
    await world.pool.query(`INSERT INTO lists VALUES ('${L1}', 'a', 'n', 1)`);
    await results({
      crud: [
        { op_id: 1, op: 'PATCH', type: 'lists', id: L1, data: { note: null, id: 'ignored' } },
        { op_id: 2, op: 'PATCH', type: 'lists', id: L2, data: { name: 'x' } },
        { op_id: 3, op: 'PATCH', type: 'lists', id: L1, data: {} },
      ],
    });
    expect(await rows('SELECT * FROM lists')).toEqual([
      { id: L1, name: 'a', note: null, position: 1 },
    ]);
  });

  test('DELETE removes the row, and a missing row is success', async () => {
    await world.pool.query(`INSERT INTO lists VALUES ('${L1}', 'a')`);
    const entry = { op: 'DELETE', type: 'lists', id: L1 };
    expect((await results({ crud: [entry, entry] })).map((r) => r.status)).toEqual(['ok', 'ok']);
    expect(await rows('SELECT * FROM lists')).toEqual([]);
  });

  test('entries apply in order, and a child may come before its parent', async () => {
    const answer = await results({
      crud: [
        { op_id: 1, op: 'PUT', type: 'todos', id: 't1', data: { list_id: L1, done: 0 } },
        { op_id: 2, op: 'PUT', type: 'lists', id: L1, data: { name: 'a' } },
        { op_id: 3, op: 'PATCH', type: 'lists', id: L1, data: { name: 'b' } },
      ],
    });
    expect(answer.map((r) => r.status)).toEqual(['ok', 'ok', 'ok']);
    expect(await rows('SELECT name FROM lists')).toEqual([{ name: 'b' }]);
  });

  test('quotes every name', async () => {
    await results({
      batch: [
        { op: 'PUT', table: 'Odd " table', id: 5, data: { select: 's', 'Mixed Case': 'm' } },
        { op: 'PATCH', table: 'Odd " table', id: '5', data: { select: "'; DROP TABLE lists; --" } },
      ],
    });
    expect(await rows('SELECT * FROM "Odd "" table"')).toEqual([
      { id: 5, select: "'; DROP TABLE lists; --", 'Mixed Case': 'm' },
    ]);
  });

  test('PUT finds the row by a composite key, or by the id alone where nothing is unique', async () => {
    for (const value of ['a', 'b']) {
      await results({
        batch: [
          { op: 'PUT', table: 'tenant_rows', id: 'r', data: { tenant: 't', value } },
          { op: 'PUT', table: 'loose', id: 'r', data: { value } },
          { op: 'PUT', table: 'loose', id: 'bare', data: {} },
        ],
      });
    }
    expect(await rows('SELECT * FROM tenant_rows')).toEqual([{ tenant: 't', id: 'r', value: 'b' }]);
    expect(await rows('SELECT * FROM loose ORDER BY id')).toEqual([
      { id: 'bare', value: null },
      { id: 'r', value: 'b' },
    ]);
  });

  test('PUT gives the id of an identity column; generated columns cannot be written', async () => {
    const [ok, refused] = await results({
      batch: [
        { op: 'PUT', table: 'counted', id: '9007199254740993', data: { value: 'x' } },
        { op: 'PUT', table: 'counted', id: '1', data: { twice: 'y' } },
      ],
    });
    expect([ok?.status, refused?.code]).toEqual(['ok', 'UPLOAD_COLUMN_UNKNOWN']);
    expect(await rows('SELECT id::text, twice FROM counted')).toEqual([
      { id: '9007199254740993', twice: 'xx' },
    ]);
  });

  test('triggers see who uploads', async () => {
    await results({ batch: [{ op: 'PUT', table: 'guarded', id: 'g', data: {} }] });
    expect(await rows('SELECT owner FROM guarded')).toEqual([{ owner: 'u1' }]);
  });
});

describe('values', () => {
  // column, what the client sends, what PostgreSQL then shows as text
  test.each([
    ['bool_', 1, 'true'],
    ['bool_', 0, 'false'],
    ['bool_', true, 'true'],
    ['flag_', 1, 'true'],
    ['int_', 42, '42'],
    ['int_', '42', '42'],
    ['int_', 3.0, '3'],
    ['big_', '9223372036854775807', '9223372036854775807'],
    ['float_', 0.1, '0.1'],
    ['float_', 1e300, '1e+300'],
    ['num_', '10.50', '10.50'],
    ['num_', 10.5, '10.50'],
    ['short_', 'abc', 'abc'],
    ['char_', 'abc', 'abc'],
    ['uuid_', L1, L1],
    ['tz_', '2031-07-08 09:10:11.25Z', '2031-07-08 09:10:11.25+00'],
    ['tz_', '2031-07-08T09:10:11.250000Z', '2031-07-08 09:10:11.25+00'],
    ['ts_', '2031-07-08T09:10:11', '2031-07-08 09:10:11'],
    ['date_', '2031-07-08', '2031-07-08'],
    ['time_', '18:30:05.4', '18:30:05.4'],
    ['json_', '{"a": 1}', '{"a": 1}'],
    ['jsonb_', '{"a":[1,"x"]}', '{"a": [1, "x"]}'],
    ['jsonb_', { a: 1 }, '{"a": 1}'],
    ['jsonb_', '"text"', '"text"'],
    ['jsonb_', 1, '1'],
    ['ints_', '[1,null,3]', '{1,NULL,3}'],
    ['ints_', [1, 2], '{1,2}'],
    ['ints_', '{1,2}', '{1,2}'],
    ['ints_', '[]', '{}'],
    ['texts_', '["a b","q\\"\\\\","NULL",""]', '{"a b","q\\"\\\\","NULL",""}'],
    ['grid_', '[[1,2],[3,4]]', '{{1,2},{3,4}}'],
    ['jsonbs_', '[{"a":1},[2]]', '{"{\\"a\\": 1}",[2]}'],
    ['bytes_', 'AQL/', '\\x0102ff'],
    ['bytes_', '\\x0102ff', '\\x0102ff'],
    ['mood_', 'happy', 'happy'],
    ['place_', '{"street":"Main","number":5}', '(Main,5)'],
    ['place_', '(Main,5)', '(Main,5)'],
    ['range_', '{"lower":1,"upper":5,"lower_exclusive":0,"upper_exclusive":1}', '[1,5)'],
    ['range_', '{"lower":null,"upper":5,"lower_exclusive":1,"upper_exclusive":1}', '(,5)'],
    ['range_', 'empty', 'empty'],
    ['inet_', '10.0.0.1/8', '10.0.0.1/8'],
    ['interval_', '1 day 02:00:00', '1 day 02:00:00'],
    ['bits_', '101', '101'],
    ['int_', null, null],
  ] as const)('%s takes %j', async (column, value, shown) => {
    const entry = { table: 'typed', id: 'a', data: { [column]: value } };
    expect(
      await results({
        batch: [
          { op: 'PUT', ...entry },
          { op: 'PATCH', ...entry },
        ],
      }),
    ).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
    expect(await rows(`SELECT ${column}::text AS shown FROM typed`)).toEqual([{ shown }]);
  });

  test('an integer beyond 2^53 arrives exactly though JSON numbers are doubles', async () => {
    await results(
      '{"batch":[{"op":"PUT","table":"typed","id":"a","data":{"big_":9223372036854775807}}]}',
    );
    expect(await rows('SELECT big_::text AS shown FROM typed')).toEqual([
      { shown: '9223372036854775807' },
    ]);
  });

  test.each([
    ['int_', 'abc', 'UPLOAD_VALUE_INVALID', '22P02'],
    ['int_', 2.5, 'UPLOAD_VALUE_INVALID', '22P02'],
    ['int_', 3000000000, 'UPLOAD_VALUE_INVALID', '22003'],
    ['bool_', 2, 'UPLOAD_VALUE_INVALID', '22P02'],
    ['short_', 'abcd', 'UPLOAD_VALUE_INVALID', '22001'],
    ['char_', 'abcd', 'UPLOAD_VALUE_INVALID', '22001'],
    ['num_', '12345678901.00', 'UPLOAD_VALUE_INVALID', '22003'],
    ['uuid_', 'not-a-uuid', 'UPLOAD_VALUE_INVALID', '22P02'],
    ['tz_', 'soon', 'UPLOAD_VALUE_INVALID', '22007'],
    ['json_', '{broken', 'UPLOAD_VALUE_INVALID', '22P02'],
    ['jsonb_', 'plain', 'UPLOAD_VALUE_INVALID', '22P02'],
    ['ints_', '[1', 'UPLOAD_VALUE_INVALID', undefined],
    ['bytes_', '***', 'UPLOAD_VALUE_INVALID', undefined],
    ['mood_', 'angry', 'UPLOAD_VALUE_INVALID', '22P02'],
    ['bits_', '10', 'UPLOAD_VALUE_INVALID', '22026'],
    ['texts_', 'a\u0000', 'UPLOAD_VALUE_INVALID', '22021'],
  ] as const)('%s refuses %j', async (column, value, code, sqlstate) => {
    const [answer] = await results({
      batch: [{ op: 'PUT', table: 'typed', id: 'a', data: { [column]: value } }],
    });
    expect([answer?.status, answer?.code, answer?.sqlstate]).toEqual(['rejected', code, sqlstate]);
  });
});

describe('rejections', () => {
  test('a bad entry is answered and does not undo the others', async () => {
    const answer = await results({
      crud: [
        { op_id: 1, op: 'PUT', type: 'lists', id: L1, data: { name: 'a' } },
        { op_id: 2, op: 'PUT', type: 'lists', id: L2, data: {} },
        { op_id: 3, op: 'PUT', type: 'nowhere', id: 'x', data: {} },
        { op_id: 4, op: 'PATCH', type: 'lists', id: L1, data: { nope: 1 } },
        { op_id: 5, op: 'PUT', type: 'lists', id: 'not-a-uuid', data: { name: 'x' } },
        { op_id: 6, op: 'PUT', type: 'guarded', id: 'forbidden', data: {} },
        { op_id: 7, op: 'NOP', type: 'lists', id: L1 },
        { op_id: 8, op: 'PATCH', type: 'lists', id: L1, data: { note: 'last' } },
        { op_id: 9, op: 'PUT', type: 'nul\u0000', id: 'x', data: {} },
      ],
    });
    expect(answer.map((r) => [r.op_id, r.code ?? r.status, r.sqlstate])).toEqual([
      [1, 'ok', undefined],
      [2, 'UPLOAD_CONSTRAINT', '23502'],
      [3, 'UPLOAD_TABLE_UNKNOWN', undefined],
      [4, 'UPLOAD_COLUMN_UNKNOWN', undefined],
      [5, 'UPLOAD_VALUE_INVALID', '22P02'],
      [6, 'UPLOAD_REJECTED', 'P0001'],
      [7, 'UPLOAD_INVALID', undefined],
      [8, 'ok', undefined],
      [9, 'UPLOAD_INVALID', undefined],
    ]);
    expect(await rows('SELECT name, note FROM lists')).toEqual([{ name: 'a', note: 'last' }]);
  });

  test('a deferred foreign key that nothing satisfies rejects its entry only', async () => {
    const answer = await results({
      crud: [
        { op_id: 1, op: 'PUT', type: 'lists', id: L1, data: { name: 'a' } },
        { op_id: 2, op: 'PUT', type: 'todos', id: 't1', data: { list_id: L2 } },
        { op_id: 3, op: 'PUT', type: 'todos', id: 't2', data: { list_id: L1 } },
      ],
    });
    expect(answer.map((r) => r.sqlstate ?? r.status)).toEqual(['ok', '23503', 'ok']);
    expect(await rows('SELECT id FROM todos')).toEqual([{ id: 't2' }]);
  });

  test('system tables are out of reach, and tables that are not listed', async () => {
    const entry = (type: string) => ({ op: 'DELETE', type, id: '1' });
    const answer = await results(
      { crud: ['pg_class', 'pg_catalog.pg_class', 'todos', 'lists'].map(entry) },
      handlerWith({ config: { tables: { todos: null } } }),
    );
    expect(answer.map((r) => r.code ?? r.status)).toEqual([
      'UPLOAD_TABLE_UNKNOWN',
      'UPLOAD_TABLE_UNKNOWN',
      'ok',
      'UPLOAD_TABLE_UNKNOWN',
    ]);
    for (const schema of ['pg_catalog', 'information_schema', 'sluice']) {
      expect(() => handlerWith({ config: { schema } })).toThrow(AppError);
    }
  });

  test('sees columns that were added since the last upload', async () => {
    const entry = { op: 'PUT', type: 'loose', id: 'a', data: { fresh: 'x' } };
    expect((await results({ crud: [entry] }))[0]?.code).toBe('UPLOAD_COLUMN_UNKNOWN');
    await world.pool.query('ALTER TABLE loose ADD COLUMN fresh text');
    expect((await results({ crud: [entry] }))[0]?.status).toBe('ok');
  });
});

describe('faults', () => {
  const entries = { crud: [{ op: 'PUT', type: 'lists', id: L1, data: { name: 'a' } }] };

  test('a lock that is not released in time answers 503 with Retry-After; nothing is applied', async () => {
    await using holder = await heldLock('lists');
    const response = await post(entries, handlerWith({ statementTimeoutMs: 100 }));
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    await holder.release();
    expect(await rows('SELECT * FROM lists')).toEqual([]);
    expect((await post(entries)).status).toBe(200);
  });

  test('a database that cannot be reached answers 503', async () => {
    await using away = await closedPool();
    expect((await post(entries, handlerWith({ database: away.pool }))).status).toBe(503);
  });

  test('an upload that runs into a deadlock is repeated by itself', async () => {
    await world.pool.query(`INSERT INTO loose VALUES ('a', ''), ('b', '')`);
    await using other = await otherWriter();
    await other.query(`UPDATE loose SET value = 'other' WHERE id = 'b'`);
    const answer = post(patches('a', 'b'));
    await until('the upload waits for b', isWaiting);
    // The upload is the one that notices, and so the one that PostgreSQL gives up.
    await other.query(`UPDATE loose SET value = 'other' WHERE id = 'a'`);
    await other.query('COMMIT');
    expect((await answer).status).toBe(200);
    const both = [{ value: 'x' }, { value: 'x' }];
    expect(await rows('SELECT value FROM loose ORDER BY id')).toEqual(both);
  });

  test('uploads that get into each other’s way are all applied, sent again after a 503', async () => {
    await world.pool.query(`INSERT INTO loose VALUES ('a', ''), ('b', '')`);
    const orders = [Array(40).fill(['a', 'b']).flat(), Array(40).fill(['b', 'a']).flat()];
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        for (let left = 5; ; left--) {
          const { status } = await post(patches(...(orders[n % 2] ?? [])));
          if (status !== 503 || left === 0) return status;
        }
      }),
    );
    expect(answers).toEqual(Array(10).fill(200));
  });

  test('an upload that meets deadlocks again and again waits longer each time, then answers 503', async () => {
    const delays: number[] = [];
    const clock = { now: Date.now, sleep: async (ms: number) => void delays.push(ms) };
    const deadlock = Object.assign(new Error('deadlock detected'), {
      code: '40P01',
      severity: 'ERROR',
    });
    const database: WriteDatabase = { connect: (callback) => callback(deadlock, undefined) };
    const answer = await post(entries, handlerWith({ database, clock, random: () => 0.5 }));
    expect(answer.status).toBe(503);
    expect(delays).toEqual([20, 40, 80, 160, 320, 600, 600]);
  });

  test('a refused token answers 401, a large body 413, a wrong body 400, another path 404', async () => {
    const refusing = handlerWith({
      authenticate: () => Promise.reject(new AppError('SYNC_TOKEN_MISSING', 'No token')),
    });
    const refused = await post(entries, refusing);
    expect([refused.status, await refused.json()]).toMatchObject([
      401,
      { error: { code: 'SYNC_TOKEN_MISSING', status: 401 } },
    ]);
    expect((await post('x'.repeat(1024 * 1024 + 1))).status).toBe(413);
    expect((await post('{')).status).toBe(400);
    expect((await post('[]')).status).toBe(400);
    const get = new Request('http://localhost/upload');
    expect((await handler(get)).status).toBe(404);
  });

  test('browsers may call it', async () => {
    const preflight = new Request('http://localhost/upload', { method: 'OPTIONS' });
    const response = await handler(preflight);
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect((await post(entries)).headers.get('access-control-allow-origin')).toBe('*');
  });
});

async function heldLock(table: string) {
  const client = await world.pool.connect();
  await client.query(`BEGIN; LOCK TABLE ${table}`);
  let held = true;
  const release = async () => {
    if (!held) return;
    held = false;
    await client.query('ROLLBACK');
    client.release();
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function closedPool() {
  const unreachable = new pg.Pool({ connectionString: 'postgresql://x:x@127.0.0.1:1/x' });
  return { pool: unreachable, [Symbol.asyncDispose]: () => unreachable.end() };
}

/** A transaction that never looks for deadlocks itself. */
async function otherWriter() {
  const client = new pg.Client({ connectionString: world.scratch.server.url() });
  await client.connect();
  await client.query(`SET deadlock_timeout = '10min'`);
  await client.query('BEGIN');
  return {
    query: (sql: string) => client.query(sql),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

async function isWaiting(): Promise<boolean> {
  const waiting = await rows(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
  return waiting.length > 0;
}

function patches(...ids: readonly string[]) {
  const crud = ids.map((id) => ({ op: 'PATCH', type: 'loose', id, data: { value: 'x' } }));
  return { crud };
}
