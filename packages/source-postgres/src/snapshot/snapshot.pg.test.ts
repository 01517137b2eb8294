import type { LocalPostgres } from '@sluice/local-postgres';
import pg from 'pg';
import type { SqliteRow } from '@sluice/model';
import type { SnapshotChunk, SourceTable } from '@sluice/source';
import { ScratchPostgres, SeededRandom, until } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Follower,
  readSnapshot,
  Replica,
  tableNamed,
  TestDatabase,
} from '../testing/test-source.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  server = scratch.server;
});

afterAll(() => scratch?.[Symbol.asyncDispose]());

const open = (database: TestDatabase) =>
  database.source.openReplication({ generationId: 1, handle: undefined });

async function onlyTable(
  replication: Awaited<ReturnType<typeof open>>,
  name: string,
): Promise<SourceTable> {
  const [table] = await replication.listTables([tableNamed(name)]);
  if (!table) throw new Error(`No table ${name}`);
  return table;
}

test.each<[string, string, string]>([
  ['an integer key', 'id int8 PRIMARY KEY, n int', `i - 5, i`],
  ['a text key', 'id text PRIMARY KEY, n int', `'k''"\\ä' || i, i`],
  ['a uuid key', 'id uuid PRIMARY KEY, n int', `md5(i::text)::uuid, i`],
  [
    'a timestamp key',
    'id timestamptz PRIMARY KEY, n int',
    `'2031-01-01'::timestamptz + i * '1.000001s'::interval, i`,
  ],
  ['a numeric key', 'id numeric PRIMARY KEY, n int', 'i / 7.0, i'],
  ['a blank-padded key', 'id char(10) PRIMARY KEY, n int', `i, i`],
  ['a bytea key', 'id bytea PRIMARY KEY, n int', `decode(md5(i::text), 'hex'), i`],
  ['an inet key', 'id inet PRIMARY KEY, n int', `'10.0.0.0'::inet + i, i`],
  ['a float key', 'id float8 PRIMARY KEY, n int', 'i / 3.0, i'],
  [
    'a composite key',
    'n int, "B b" text, a int, PRIMARY KEY (a, "B b")',
    `i, 'x' || i % 1000, i % 7`,
  ],
])('reads each row once, in chunks, with %s', async (_title, columns, values) => {
  await using database = await TestDatabase.create(server);
  await database.sql(
    `CREATE SCHEMA "odd ""schema"; CREATE TABLE "odd ""schema"."Odd name" (${columns})`,
  );
  await database.sql(
    `INSERT INTO "odd ""schema"."Odd name" SELECT ${values} FROM generate_series(1, 25000) i ON CONFLICT DO NOTHING`,
  );
  await using replication = await open(database);
  const [table] = await replication.listTables([tableNamed('Odd name', 'odd "schema')]);
  if (!table) throw new Error('No table');
  const signal = new AbortController().signal;
  const snapshot = await replication.snapshot(table, { progress: undefined, signal });
  expect(snapshot.exactAt).toBeUndefined();
  const chunks: SnapshotChunk[] = [];
  for await (const chunk of snapshot.chunks) chunks.push(chunk);
  expect(chunks.every(({ rows }) => rows.length <= 10_000)).toBe(true);
  const rows = chunks.flatMap((chunk) => chunk.rows);
  const n = table.columns.findIndex(({ name }) => name === 'n');
  const [{ count } = { count: 0 }] = await database.sql<{ count: number }>(
    'SELECT count(*)::int FROM "odd ""schema"."Odd name"',
  );
  expect(rows).toHaveLength(count);
  expect(new Set(rows.map((row) => row[n])).size).toBe(count);
  expect(rows.every((row) => row.length === table.columns.length)).toBe(true);

  // From the end of any chunk on: the same rest.
  const progress = chunks[0]?.progress;
  const rest = await replication.snapshot(table, { progress, signal });
  const restRows: SqliteRow[] = [];
  for await (const chunk of rest.chunks) restRows.push(...chunk.rows);
  expect(restRows).toEqual(rows.slice(chunks[0]?.rows.length));
});

test('reads the same values as the stream brings', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql(`
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TYPE pair AS (a int, b text);
    CREATE TABLE item (id int PRIMARY KEY, a bool, b inet, c char(5), d numeric, e float4, f jsonb,
      g timestamptz, h date, i mood, j int[], k pair, l bytea, m interval, n tsrange, o uuid, p regclass,
      q xml, r money, s varchar(3)[], t time, u float8, v "char", w bit(3), x timetz, y text)`);
  await using replication = await open(database);
  await using follower = new Follower(replication);
  await database.sql(`INSERT INTO item VALUES
    (1, true, '10.0.0.1', 'ab', 1.50, 0.1, '{"a": [1, 2.0]}', '2031-07-08 09:10:11.25+02', '2031-07-08',
     'sad', '{1,NULL,3}', '(1,"x,y")', '\\x00ff', '1 day 02:03:04', '[2031-01-01,2031-01-02)',
     'f47ac10b-58cc-4372-a567-0e02b2c3d479', 'item', '<a/>', '1.23', '{a,"b c"}', '18:30:05.4', 1e300,
     'z', B'101', '18:30:05+02', 'ä€😀'),
    (2, false, '::1/64', '', 'NaN', 'NaN', 'null', 'infinity', '-infinity', 'happy', '{}', '(,)', '', '0',
     'empty', NULL, NULL, NULL, '-5', '{}', '00:00', '-Infinity', '', B'000', '00:00+00', '')`);
  await database.sql('INSERT INTO item (id) VALUES (3)');
  const head = await database.source.head();
  await database.source.mark();
  await follower.reach(head);
  const streamed = follower.changes().flatMap((e) => (e.kind === 'insert' ? [e.row] : []));
  const { rows } = await readSnapshot(replication, await onlyTable(replication, 'item'));
  expect(streamed).toHaveLength(3);
  expect(rows).toEqual(streamed);
});

test('splits wide rows into smaller chunks, so that memory stays bounded', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE wide (id int PRIMARY KEY, body text)');
  await database.sql(
    `INSERT INTO wide SELECT i, repeat(md5(i::text), 32768) FROM generate_series(1, 60) i`,
  );
  await using replication = await open(database);
  const signal = new AbortController().signal;
  const snapshot = await replication.snapshot(await onlyTable(replication, 'wide'), {
    progress: undefined,
    signal,
  });
  let rows = 0;
  for await (const chunk of snapshot.chunks) {
    expect(chunk.rows.length).toBeLessThan(20); // of a megabyte each
    rows += chunk.rows.length;
  }
  expect(rows).toBe(60);
});

test('reads only what the publication has: its columns and its rows', async ({ skip }) => {
  await using database = await TestDatabase.create(server, { publication: '' });
  const [{ version } = { version: 0 }] = await database.sql<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  if (version < 150_000) skip('column lists and row filters came with PostgreSQL 15');
  await database.sql('CREATE TABLE item (id int PRIMARY KEY, a text, secret text)');
  await database.sql(`CREATE PUBLICATION powersync FOR TABLE item (id, a) WHERE (id > 1)`);
  await database.sql(`INSERT INTO item VALUES (1, 'a', 's'), (2, 'b', 's')`);
  await using replication = await open(database);
  const { rows } = await readSnapshot(replication, await onlyTable(replication, 'item'));
  expect(rows).toEqual([[2n, 'b']]);
});

test('stored generated columns are in the snapshot exactly when the stream has them', async () => {
  await using database = await TestDatabase.create(server, { publication: '' });
  const [{ version } = { version: 0 }] = await database.sql<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  const option = version >= 180_000 ? ' WITH (publish_generated_columns = stored)' : '';
  await database.sql(
    'CREATE TABLE item (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)',
  );
  await database.sql(`CREATE PUBLICATION powersync FOR ALL TABLES${option}`);
  await using replication = await open(database);
  await using follower = new Follower(replication);
  await database.sql('INSERT INTO item VALUES (1)');
  const head = await database.source.head();
  await database.source.mark();
  await follower.reach(head);
  const { rows } = await readSnapshot(replication, await onlyTable(replication, 'item'));
  expect(follower.changes().at(-1)).toMatchObject({ row: rows[0] });
  expect(rows[0]).toEqual(version >= 180_000 ? [1n, 2n] : [1n]);
});

test('a snapshot under concurrent writes, with the stream, ends as the table is', async () => {
  const seed = 20_311;
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (a int, b text, n int, PRIMARY KEY (b, a))');
  await database.sql(
    `INSERT INTO item SELECT i % 5, 'b' || i / 5, i FROM generate_series(1, 30000) i`,
  );
  await using replication = await open(database);
  const table = await onlyTable(replication, 'item');
  const replica = new Replica();
  await using follower = new Follower(replication);
  let applied = 0;
  const catchUp = () => {
    for (; applied < follower.events.length; applied++) {
      const event = follower.events[applied];
      if (event) replica.apply(event);
    }
  };
  let writing = true;
  let writes = 0;
  const writer = (async () => {
    for (const random = new SeededRandom(seed); writing; writes++) {
      const [a, i] = [random.int(5), random.int(8000)];
      const statement = [
        `DELETE FROM item WHERE a = ${a} AND b = 'b${i}'`,
        `INSERT INTO item VALUES (${a}, 'b${i}', ${random.int(1e6)}) ON CONFLICT (a, b) DO UPDATE SET n = excluded.n`,
        `UPDATE item SET a = a + 10 WHERE a = ${a} AND b = 'b${i}'`,
      ][random.int(3)];
      await database.sql(statement ?? '');
    }
  })();
  const signal = new AbortController().signal;
  const snapshot = await replication.snapshot(table, { progress: undefined, signal });
  let position = '';
  for await (const chunk of snapshot.chunks) {
    const writesNow = writes; // a chunk that was read ahead is stale by now
    await until('the writer goes on', () => writes >= writesNow + 200);
    catchUp();
    replica.applySnapshot(table, chunk.rows);
    position = chunk.position;
    await follower.reach(position);
  }
  writing = false;
  await writer;
  const head = await database.source.head();
  await database.source.mark();
  await follower.reach(head);
  catchUp();
  const expected = await database.sql<{ row: string }>(
    `SELECT a || '/' || b || '/' || n AS row FROM item`,
  );
  expect([...replica.rows.values()].map((row) => row.join('/')).sort(), `seed ${seed}`).toEqual(
    expected.map(({ row }) => row).sort(),
  );
});

test('a table without a key: the snapshot, and what commits after its position, is the table', async () => {
  const seed = 4711;
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (a int, b text); ALTER TABLE item REPLICA IDENTITY FULL');
  await database.sql(`INSERT INTO item SELECT i, 'x' FROM generate_series(1, 2000) i`);
  await using replication = await open(database);
  await using follower = new Follower(replication);
  const table = await onlyTable(replication, 'item');
  const pool = new pg.Pool({ connectionString: database.url, max: 3 });
  let writing = true;
  const writers = [1, 2, 3].map(async (offset) => {
    const random = new SeededRandom(seed + offset);
    while (writing) {
      const a = random.int(2500);
      const insert = `INSERT INTO item VALUES (${a}, 'y')`;
      await pool.query(random.int(2) === 0 ? insert : `DELETE FROM item WHERE a = ${a}`);
    }
  });
  await follower.reach(await database.source.head());
  for (let round = 0; round < 5; round++) {
    const { rows, exactAt = '' } = await readSnapshot(replication, table);
    const counts = new Map<string, number>();
    const count = (row: readonly unknown[], by: number) => {
      const key = row.join('/');
      const sum = (counts.get(key) ?? 0) + by;
      if (sum === 0) counts.delete(key);
      else counts.set(key, sum);
    };
    for (const row of rows) count(row, 1);
    if (round === 4) {
      writing = false;
      await Promise.all(writers);
    }
    // A second exact snapshot is the oracle of the first: the same table somewhat later.
    const later = await readSnapshot(replication, table);
    await follower.reach(later.exactAt ?? '');
    for (const { position, changes } of transactions(follower)) {
      if (position <= exactAt || position > (later.exactAt ?? '')) continue;
      for (const change of changes) {
        if (change.kind === 'insert') count(change.row, 1);
        if (change.kind === 'delete') count(change.before, -1);
      }
    }
    const expected = new Map<string, number>();
    for (const row of later.rows)
      expected.set(row.join('/'), (expected.get(row.join('/')) ?? 0) + 1);
    expect(Object.fromEntries(counts), `seed ${seed}`).toEqual(Object.fromEntries(expected));
    if (round < 4) continue;
    const table4 = await database.sql<{ row: string }>(`SELECT a || '/' || b AS row FROM item`);
    expect(later.rows.map((row) => row.join('/')).sort()).toEqual(table4.map((t) => t.row).sort());
  }
  await pool.end();
});

/** Changes by the position of their commit. */
function transactions(follower: Follower) {
  const result: { position: string; changes: Follower['events'] }[] = [];
  let changes: Follower['events'] = [];
  for (const event of follower.events) {
    if (event.kind === 'begin') changes = [];
    else if (event.kind === 'commit') result.push({ position: event.position, changes });
    else changes.push(event);
  }
  return result;
}

test('an aborted or abandoned snapshot lets go of its connection', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY, body text)');
  await database.sql('CREATE TABLE keyless (id int, body text)');
  for (const name of ['item', 'keyless']) {
    await database.sql(
      `INSERT INTO ${name} SELECT i, repeat('x', 100) FROM generate_series(1, 100000) i`,
    );
  }
  await using replication = await open(database);
  for (const name of ['item', 'keyless']) {
    const table = await onlyTable(replication, name);
    const abort = new AbortController();
    const aborted = await replication.snapshot(table, {
      progress: undefined,
      signal: abort.signal,
    });
    const read = async () => {
      for await (const _ of aborted.chunks) abort.abort(new Error('enough'));
    };
    await expect(read()).rejects.toThrow('enough');
    const abandoned = await replication.snapshot(table, {
      progress: undefined,
      signal: new AbortController().signal,
    });
    for await (const _ of abandoned.chunks) break;
  }
  await expect
    .poll(() =>
      database.sql(
        `SELECT query FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database() AND state = 'active'`,
      ),
    )
    .toEqual([]);
  await expect
    .poll(() =>
      database.sql(
        `SELECT 1 FROM pg_replication_slots WHERE temporary AND database = current_database()`,
      ),
    )
    .toEqual([]);
});

test('says what is wrong when a table may not be read, or is gone', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql(
    `DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN REPLICATION PASSWORD 'poor'`,
  );
  await database.sql('CREATE TABLE replication_log (id int PRIMARY KEY)');
  await using replication = await open(database);
  const table = await onlyTable(replication, 'replication_log');
  await using poor = await TestDatabase.create(server, {
    publication: '',
    uri: database.url.replace('postgres:postgres@', 'poor:poor@'),
  });
  await using poorly = await poor.source.openReplication({ generationId: 2, handle: undefined });
  await expect(readSnapshot(poorly, table)).rejects.toMatchObject({
    code: 'SOURCE_PERMISSION_DENIED',
    details: { sqlState: '42501' },
  });
  await database.sql('DROP TABLE replication_log');
  await expect(readSnapshot(replication, table)).rejects.toMatchObject({
    code: 'SOURCE_TABLE_CHANGED',
  });
});
