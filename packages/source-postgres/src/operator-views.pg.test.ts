import type { LocalPostgres } from '@sluice/local-postgres';
import { ScratchPostgres, until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALL_TABLES, tableNamed, TestDatabase } from './testing/test-source.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  server = scratch.server;
});
afterAll(() => scratch?.[Symbol.asyncDispose]());

describe('tables as operators are shown them', () => {
  test('have the columns that identify a row, whatever the replica identity', async () => {
    await using database = await TestDatabase.create(server);
    await database.sql(`
      CREATE TABLE by_key (a int, b int, c text, PRIMARY KEY (b, a));
      CREATE TABLE by_index (id int PRIMARY KEY, code text NOT NULL);
      CREATE UNIQUE INDEX code ON by_index (code);
      ALTER TABLE by_index REPLICA IDENTITY USING INDEX code;
      CREATE TABLE whole (x int, y int); ALTER TABLE whole REPLICA IDENTITY FULL;
      CREATE TABLE nothing (x int);
    `);
    const tables = await database.source.describeTables([ALL_TABLES]);
    const identity = tables.map(({ name, identityColumns }) => [name, identityColumns]);
    expect(Object.fromEntries(identity)).toEqual({
      by_key: ['b', 'a'],
      by_index: ['code'],
      whole: ['x', 'y'],
      nothing: [],
    });
    const problems = tables.flatMap(({ name, problems: found }) =>
      found.map((problem) => [name, problem.name, problem.status]),
    );
    expect(problems).toEqual([['nothing', 'tables_identity', 'warning']]);
  });

  test('are told also where they are not published', async () => {
    const publication = 'CREATE PUBLICATION powersync';
    await using database = await TestDatabase.create(server, { publication });
    await database.sql('CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE other (id int)');
    const tables = await database.source.describeTables([tableNamed('item')]);
    expect(tables).toMatchObject([
      {
        schema: 'public',
        name: 'item',
        identityColumns: ['id'],
        problems: [{ name: 'tables_published', status: 'problem' }],
      },
    ]);
  });

  test('are told although one is dropped that the server waits for', async () => {
    await using database = await TestDatabase.create(server);
    await database.sql('CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE going (id int)');
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    await other.query('BEGIN; DROP TABLE going');
    const tables = database.source.describeTables([tableNamed('item')]);
    const waits = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    let isTold = false;
    const told = () => (isTold = true);
    tables.then(told, told);
    // Versions differ in whether the views of publications wait for tables.
    await until(
      'it waits, or need not',
      async () => isTold || (await database.sql(waits)).length > 0,
    );
    await other.query('COMMIT');
    await other.end();
    expect(await tables).toMatchObject([{ name: 'item', problems: [] }]);
  });

  test('have about the number of rows: counted, from statistics, and after growing', async () => {
    await using database = await TestDatabase.create(server);
    const estimate = async () =>
      (await database.source.describeTables([tableNamed('item')]))[0]?.estimatedRows;
    await database.sql('CREATE TABLE item (id int PRIMARY KEY) WITH (autovacuum_enabled = off)');
    expect(await estimate()).toBe(0);
    await database.sql('INSERT INTO item SELECT generate_series(1, 1234)');
    expect(await estimate()).toBe(1234);
    await database.sql('ANALYZE item');
    expect(await estimate()).toBe(1234);
    await database.sql('INSERT INTO item SELECT generate_series(1235, 12340)');
    const grown = (await estimate()) ?? 0;
    expect(Math.abs(grown - 12_340) / 12_340).toBeLessThan(0.2);
  });

  test('that were never analysed and are large are estimated from their size', async () => {
    await using database = await TestDatabase.create(server);
    await database.sql('CREATE TABLE item (id int) WITH (autovacuum_enabled = off)');
    await database.sql('INSERT INTO item SELECT generate_series(1, 250000)');
    const [table] = await database.source.describeTables([tableNamed('item')]);
    expect(table?.estimatedRows).toBeGreaterThan(125_000);
    expect(table?.estimatedRows).toBeLessThan(500_000);
  });
});

test('a slot tells how much log is kept for it', async () => {
  await using database = await TestDatabase.create(server);
  expect(await database.source.logRetention('nope')).toBeUndefined();
  await using replication = await database.source.openReplication({
    generationId: 1,
    handle: undefined,
  });
  const { handle } = replication;
  const [setting] = await database.sql<{ bytes: string }>(
    `SELECT pg_size_bytes(current_setting('max_slot_wal_keep_size'))::text AS bytes`,
  );
  const retention = await database.source.logRetention(handle);
  expect(retention).toMatchObject({ status: 'reserved', limitBytes: Number(setting?.bytes) });
  expect(retention?.remainingBytes).toBeGreaterThan(0);
});

describe('a statement of an operator', () => {
  test.each<[string, (string | number | boolean)[], unknown]>([
    [
      `SELECT 1::int AS a, 9007199254740993::int8 AS b, 0.10::numeric AS c, true AS d, NULL AS e`,
      [],
      { columns: ['a', 'b', 'c', 'd', 'e'], rows: [[1, '9007199254740993', '0.10', true, null]] },
    ],
    ['SELECT $1::text || $2::int AS x', ['n', 7], { columns: ['x'], rows: [['n7']] }],
    [
      `SELECT '{"a": [1]}'::jsonb AS j, '\\x00ff'::bytea AS b`,
      [],
      { columns: ['j', 'b'], rows: [[{ a: [1] }, '\\x00ff']] },
    ],
    ['SHOW wal_level', [], { columns: ['wal_level'], rows: [['logical']] }],
  ])('%s', async (sql, args, expected) => {
    await using database = await TestDatabase.create(server);
    expect(await database.source.runQuery(sql, args)).toEqual(expected);
  });

  test.each([
    'INSERT INTO item VALUES (1)',
    'WITH gone AS (DELETE FROM item RETURNING id) SELECT * FROM gone',
    'SELECT 1; DELETE FROM item',
    'COMMIT; DELETE FROM item',
    'SELECT * FROM nowhere',
  ])('fails, and changes nothing: %s', async (sql) => {
    await using database = await TestDatabase.create(server);
    await database.sql('CREATE TABLE item (id int); INSERT INTO item VALUES (5)');
    const query = sql.replaceAll('item', 'public.item');
    await expect(database.source.runQuery(query, [])).rejects.toMatchObject({
      name: 'SourceError',
    });
    expect(await database.sql('SELECT id FROM item')).toEqual([{ id: 5 }]);
    expect(await database.source.runQuery('SELECT 1 AS a', [])).toMatchObject({ rows: [[1]] });
  });

  test('brings at most 10,000 rows', async () => {
    await using database = await TestDatabase.create(server);
    const { rows } = await database.source.runQuery('SELECT generate_series(1, 20000)', []);
    expect(rows).toHaveLength(10_000);
  });
});
