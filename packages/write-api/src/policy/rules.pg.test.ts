import { ScratchPostgres, until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeApiConfig } from '../config/write-api-config.ts';
import type { RawTableRules } from '../config/write-api-schema.ts';
import { createWriteApi } from '../write-api.ts';

const SCHEMA = `
DROP SCHEMA IF EXISTS sluice CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TYPE state AS ENUM ('open', 'done');
CREATE TABLE lists (id uuid PRIMARY KEY, owner_id uuid, name text, likes int, version int,
  is_public boolean, state state, price numeric(8,2), tags text[], updated_at timestamptz);
CREATE TABLE list_members (list_id uuid, user_id uuid, can_write boolean);
CREATE TABLE items (id text PRIMARY KEY, list_id uuid, label text);
`;
const ANN = '11111111-1111-4111-8111-11111111111a';
const BEN = '22222222-2222-4222-8222-22222222222b';
const L1 = '33333333-3333-4333-8333-33333333333c';
const L2 = '44444444-4444-4444-8444-44444444444d';

let scratch: ScratchPostgres;
let pool: pg.Pool;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  pool = new pg.Pool({ connectionString: scratch.server.url(), max: 4 });
});
afterAll(async () => {
  await pool.end();
  await scratch[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await pool.query(SCHEMA);
  await pool.query(
    `INSERT INTO lists VALUES ('${L1}', '${ANN}', 'Milk', 5, 3, false, 'open', 1.5, '{a,b}', '2026-01-02 03:04:05+00')`,
  );
});

interface Entry {
  readonly op: 'PUT' | 'PATCH' | 'DELETE';
  readonly table?: string;
  readonly id?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly old?: Readonly<Record<string, unknown>>;
}

function apiWith(tables: Readonly<Record<string, RawTableRules>>) {
  const config = writeApiConfig({ tables });
  let user = ANN;
  const handle = createWriteApi({
    database: pool,
    authenticate: async () => ({ userId: user, claims: { sub: user }, clientId: undefined }),
    config,
  });
  return async (entry: Entry, as = ANN): Promise<Readonly<Record<string, unknown>>> => {
    user = as;
    const batch = [
      { op_id: 1, type: 'lists', id: L1, ...entry, ...(entry.table && { type: entry.table }) },
    ];
    const body = JSON.stringify({ batch });
    const response = await handle(new Request('http://localhost/upload', { method: 'POST', body }));
    expect(response.status).toBe(200);
    const { results } = (await response.json()) as { results: Readonly<Record<string, unknown>>[] };
    return results[0] ?? {};
  };
}

async function one(sql: string): Promise<unknown> {
  const { rows } = await pool.query<{ value: unknown }>(`SELECT (${sql})::text AS value`);
  return rows[0]?.value;
}

const MEMBER =
  'exists (select 1 from list_members m where m.list_id = new.list_id and m.user_id = auth.user_id() and m.can_write)';
const SHARED: Readonly<Record<string, RawTableRules>> = {
  items: {
    insert: MEMBER,
    update: MEMBER.replace('new.list_id', 'items.list_id'),
    delete: MEMBER.replace('new.list_id', 'old.list_id'),
  },
};

describe('rules with a subquery', () => {
  const item = { table: 'items', id: 'i1' };

  it('let members of a list write its items, and nobody else', async () => {
    const upload = apiWith(SHARED);
    const put = { ...item, op: 'PUT', data: { list_id: L1, label: 'x' } } as const;
    expect(await upload(put)).toMatchObject({ status: 'rejected', code: 'UPLOAD_FORBIDDEN' });
    await pool.query(
      `INSERT INTO list_members VALUES ('${L1}', '${ANN}', true), ('${L2}', '${BEN}', true)`,
    );
    expect(await upload(put)).toMatchObject({ status: 'ok' });
    const patch = { ...item, op: 'PATCH', data: { label: 'y' } } as const;
    expect(await upload(patch)).toMatchObject({ status: 'ok' });
    // Ben is not told that it is there.
    expect(await upload(patch, BEN)).toMatchObject({ status: 'ok' });
    expect(await upload({ ...item, op: 'DELETE' }, BEN)).toMatchObject({ status: 'ok' });
    expect(await upload({ ...put, data: { list_id: L2, label: 'mine' } }, BEN)).toMatchObject({
      code: 'UPLOAD_FORBIDDEN',
    });
    expect(await one("SELECT label || list_id FROM items WHERE id = 'i1'")).toBe(`y${L1}`);
  });

  it('are asked about the row before and the row after: nothing is moved into the lists of others', async () => {
    const upload = apiWith(SHARED);
    await pool.query(`INSERT INTO list_members VALUES ('${L1}', '${ANN}', true)`);
    await pool.query(`INSERT INTO items VALUES ('i1', '${L1}', 'x')`);
    const move = { ...item, op: 'PATCH', data: { list_id: L2 } } as const;
    expect(await upload(move)).toMatchObject({ status: 'rejected', code: 'UPLOAD_FORBIDDEN' });
    await pool.query(`INSERT INTO list_members VALUES ('${L2}', '${ANN}', true)`);
    expect(await upload(move)).toMatchObject({ status: 'ok' });
  });

  it('see what the same transaction has written', async () => {
    const upload = apiWith({ items: { insert: '(select count(*) from items) < 2' } });
    const results = [];
    for (const id of ['a', 'b', 'c'])
      results.push((await upload({ table: 'items', id, op: 'PUT' }))['status']);
    expect(results).toEqual(['ok', 'ok', 'rejected']);
  });

  it('may set values', async () => {
    const name = "(select l.name from lists l where l.id = new.list_id) || '/' || new.id";
    const upload = apiWith({ items: { set: { insert: { label: name } } } });
    await upload({ table: 'items', id: 'i1', op: 'PUT', data: { list_id: L1, label: 'x' } });
    expect(await one('SELECT label FROM items')).toBe('Milk/i1');
  });

  it('refuse what they cannot be asked about', async () => {
    const upload = apiWith(SHARED);
    const result = await upload(
      { table: 'items', id: 'i1', op: 'PUT', data: { list_id: L1 } },
      'no uuid',
    );
    expect(result).toMatchObject({ status: 'rejected', code: 'UPLOAD_VALUE_INVALID' });
  });
});

describe('the value, not its spelling, is what a rule sees', () => {
  it.each<[column: string, rule: string, spelling: unknown]>([
    ['is_public', 'not new.is_public', 'yes'],
    ['is_public', 'not new.is_public', 't'],
    ['is_public', 'new.is_public is not true', ' TRUE'],
    ['likes', "typeof(new.likes) = 'text' or new.likes < 9", '10'],
    ['likes', "typeof(new.likes) = 'text' or new.likes < 9", ' 10'],
    ['price', "new.price != '2.00'", '2'],
    ['price', "new.price != '2.00'", ' 0.2e1'],
    ['price', "new.price != '2.00'", '1.999'],
    ['owner_id', `new.owner_id != '${BEN}'`, BEN.toUpperCase()],
    ['owner_id', `new.owner_id != '${BEN}'`, `{${BEN}}`],
    ['updated_at', "new.updated_at > '2026-03-01'", 'Feb 3 2026'],
    ['tags', `not (new.tags like '%"admin"%')`, '{admin}'],
    ['tags', `not (new.tags like '%"admin"%')`, '[ "adm\\u0069n" ]'],
  ])('%s, %s, sent as %j', async (column, check, spelling) => {
    const upload = apiWith({ lists: { validate: [{ check, message: 'no', code: 'NO' }] } });
    const before = await one(`SELECT ${column} FROM lists`);
    expect(await upload({ op: 'PATCH', data: { [column]: spelling } })).toMatchObject({
      code: 'NO',
    });
    expect(await one(`SELECT ${column} FROM lists`)).toBe(before);
  });

  it('finds an owner however it is spelled', async () => {
    const upload = apiWith({ lists: { insert: 'owner_id = auth.user_id()' } });
    const data = { owner_id: ANN.toUpperCase() };
    expect(await upload({ op: 'PUT', id: L2, data })).toMatchObject({ status: 'ok' });
  });

  it('sees that an immutable value is the same', async () => {
    const upload = apiWith({ lists: { immutable: ['updated_at', 'price', 'tags', 'is_public'] } });
    const data = {
      updated_at: '2026-01-02T03:04:05Z',
      price: 1.5,
      tags: '["a","b"]',
      is_public: 0,
      name: 'x',
    };
    expect(await upload({ op: 'PATCH', data })).toMatchObject({ status: 'ok' });
    expect(await upload({ op: 'PATCH', data: { price: 1.6 } })).toMatchObject({
      code: 'UPLOAD_IMMUTABLE',
    });
  });
});

describe('conflict rules', () => {
  it('answer with the row where the stored value of a column stays', async () => {
    const upload = apiWith({ lists: { conflict: 'field_merge' } });
    const result = await upload({
      op: 'PATCH',
      data: { name: 'x', likes: 6 },
      old: { name: 'Beer', likes: 5 },
    });
    expect(result).toMatchObject({
      status: 'conflict',
      code: 'UPLOAD_CONFLICT',
      row: { name: 'Milk', likes: 6 },
    });
    expect(await one('SELECT name || likes FROM lists')).toBe('Milk6');
  });

  it('take equal values of any type for equal', async () => {
    const upload = apiWith({ lists: { conflict: 'field_merge' } });
    const old = {
      is_public: 0,
      price: '1.50',
      tags: '["a","b"]',
      updated_at: '2026-01-02 03:04:05Z',
      state: 'open',
    };
    const data = {
      is_public: 1,
      price: '2.50',
      tags: '["c"]',
      updated_at: '2026-02-02T00:00:00Z',
      state: 'done',
    };
    expect(await upload({ op: 'PATCH', data, old })).toMatchObject({ status: 'ok' });
    expect(await one('SELECT is_public || price::text || tags::text || state FROM lists')).toBe(
      'true2.50{c}done',
    );
  });

  it('refuse a stale version with the row, and count the version on', async () => {
    const upload = apiWith({ lists: { conflict: { reject_stale: 'version' } } });
    const stale = await upload({ op: 'PATCH', data: { name: 'x' }, old: { version: 2 } });
    expect(stale).toMatchObject({
      status: 'rejected',
      code: 'UPLOAD_STALE',
      row: { name: 'Milk', version: 3 },
    });
    expect(await upload({ op: 'PATCH', data: { name: 'x' }, old: { version: 3 } })).toMatchObject({
      status: 'ok',
    });
    expect(await one('SELECT version FROM lists')).toBe('4');
  });

  it('add what many add at the same time', async () => {
    const upload = apiWith({ lists: { conflict: { counters: ['likes', 'price'] } } });
    const add = () =>
      upload({ op: 'PATCH', data: { likes: 1, price: '0.25' }, old: { likes: 0, price: '0' } });
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await one("SELECT likes || ' ' || price FROM lists")).toBe('25 6.50');
  });
});

describe('a row that appears meanwhile', () => {
  it('is not taken over by a PUT that was to insert it', async () => {
    const rules = {
      lists: { insert: 'owner_id = auth.user_id()', update: 'owner_id = auth.user_id()' },
    };
    const upload = apiWith(rules);
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(
      `INSERT INTO lists (id, owner_id, name) VALUES ('${L2}', '${BEN}', 'theirs')`,
    );
    const putting = upload({ op: 'PUT', id: L2, data: { owner_id: ANN, name: 'mine' } });
    // The PUT waits for the transaction that has inserted the same key.
    const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    await until('the PUT waits', async () => (await one(waiting)) !== '0');
    await other.query('COMMIT');
    other.release();
    expect(await putting).toMatchObject({ status: 'rejected' });
    expect(await one(`SELECT name FROM lists WHERE id = '${L2}'`)).toBe('theirs');
  });
});

describe('when the schema changes', () => {
  it('rules are compiled again; while they do not fit, writes wait with the client', async () => {
    const upload = apiWith({ lists: { update: 'owner_id = auth.user_id()', required: ['name'] } });
    const rename = { op: 'PATCH', data: { name: 'x' } } as const;
    expect(await upload(rename)).toMatchObject({ status: 'ok' });
    await pool.query('ALTER TABLE lists RENAME owner_id TO holder');
    const broken = apiWith({ lists: { update: 'owner_id = auth.user_id()' } });
    await expect(broken(rename)).rejects.toThrow();
    const fixed = apiWith({ lists: { update: 'holder = auth.user_id()' } });
    expect(await fixed(rename)).toMatchObject({ status: 'ok' });
  });
});
