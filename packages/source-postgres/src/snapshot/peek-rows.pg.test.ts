import type { LocalPostgres } from '@sluice/local-postgres';
import { ScratchPostgres } from '@sluice/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALL_TABLES, TestDatabase } from '../testing/test-source.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  server = scratch.server;
});
afterAll(() => scratch?.[Symbol.asyncDispose]());

const SETUP = `
  CREATE TABLE item (id uuid PRIMARY KEY, name text, tags text[], done boolean, at timestamptz,
    price numeric(10,2), code char(4), n int8);
  INSERT INTO item VALUES
    ('00000000-0000-0000-0000-000000000001', 'it''s one', '{a,b}', true, '2026-01-02 03:04:05.6+00', 1.50, 'ab', 1),
    ('00000000-0000-0000-0000-000000000002', 'two', NULL, false, NULL, NULL, 'abcd', 9007199254740993)`;

describe('rows for operators', () => {
  test('have the values that a snapshot gives', async () => {
    await using database = await TestDatabase.create(server);
    await database.sql(SETUP);
    await using replication = await database.source.openReplication({
      generationId: 1,
      handle: undefined,
    });
    const [table] = await replication.listTables([ALL_TABLES]);
    if (table === undefined) throw new Error('the table is replicated');
    const signal = new AbortController().signal;
    const snapshot = await replication.snapshot(table, { progress: undefined, signal });
    const rows = [];
    for await (const chunk of snapshot.chunks) rows.push(...chunk.rows);
    const peeked = await database.source.peekRows({ schema: 'public', name: 'item', limit: 10 });
    expect(peeked).toEqual({ table, isReplicated: true, rows, hasMore: false });
  });

  test('are found by the values of any columns, typed as the columns are', async () => {
    await using database = await TestDatabase.create(server);
    await database.sql(SETUP);
    const find = async (where: Record<string, string>, limit = 10) => {
      const texts = new Map(Object.entries(where));
      const found = await database.source.peekRows({
        schema: 'public',
        name: 'item',
        where: texts,
        limit,
      });
      return found?.rows.map((row) => row[7]);
    };
    expect(await find({ id: '00000000-0000-0000-0000-000000000002' })).toEqual([9007199254740993n]);
    expect(await find({ n: '9007199254740993', done: 'false' })).toEqual([9007199254740993n]);
    expect(await find({ name: "it's one" })).toEqual([1n]);
    expect(await find({ code: 'ab' })).toEqual([1n]);
    expect(await find({ code: 'abcd', n: '1' })).toEqual([]);
    await expect(find({ id: 'one' })).rejects.toMatchObject({ code: 'SOURCE_QUERY_FAILED' });
  });

  test('stop at the limit, and say so', async () => {
    await using database = await TestDatabase.create(server, {
      publication: 'CREATE PUBLICATION powersync',
    });
    await database.sql(SETUP);
    const peek = (limit: number) =>
      database.source.peekRows({ schema: 'public', name: 'item', limit });
    expect(await peek(1)).toMatchObject({ hasMore: true, isReplicated: false });
    expect((await peek(1))?.rows).toHaveLength(1);
    expect((await peek(0))?.table.keyColumns).toEqual([0]);
    const nowhere = await database.source.peekRows({ schema: 'public', name: 'no', limit: 1 });
    expect(nowhere).toBeUndefined();
    expect(await database.source.listReplications()).toEqual([]);
  });
});
