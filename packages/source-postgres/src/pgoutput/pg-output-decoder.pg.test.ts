import { must } from '@sluice/base';
import type { LocalPostgres } from '@sluice/local-postgres';
import { UNCHANGED, type ChangeEvent, type SourceTable } from '@sluice/source';
import { ScratchPostgres } from '@sluice/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TypeCatalog } from '../types/type-catalog.ts';
import { normalizeLsn } from './lsn.ts';
import type { RelationMessage } from './message.ts';
import { PgOutputDecoder } from './pg-output-decoder.ts';
import { planRelation } from './relation-plan.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;
let client: pg.Client;
let databases = 0;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  server = scratch.server;
});

afterAll(async () => {
  await scratch?.[Symbol.asyncDispose]();
});

/** Each test has a database of its own, with everything published and one slot. */
beforeEach(async () => {
  const database = `t${++databases}`;
  await server.ensureDatabase(database);
  client = new pg.Client({ connectionString: server.url(database) });
  await client.connect();
  await run(
    'SET DateStyle = ISO; SET TimeZone = UTC; SET bytea_output = hex',
    'CREATE PUBLICATION p FOR ALL TABLES',
    "SELECT pg_create_logical_replication_slot('" + database + "', 'pgoutput')",
  );
});

afterEach(async () => {
  await client.query('SELECT pg_drop_replication_slot(current_database())');
  await client.end();
});

async function run(...statements: readonly string[]): Promise<void> {
  for (const statement of statements) await client.query(statement);
}

/** The major version of the server, e.g. 18. */
async function serverVersion(): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version`,
  );
  return rows[0]?.version ?? 0;
}

/** The first server version that speaks each version of the protocol. */
const SPOKEN_SINCE = new Map([
  [1, 14],
  [2, 14],
  [3, 15],
  [4, 16],
]);

interface Reading {
  readonly wanted?: (table: SourceTable) => boolean;
  readonly decoder?: PgOutputDecoder;
  readonly protocolVersion?: number;
  readonly binary?: boolean;
  readonly peek?: boolean;
}

function newDecoder(isWanted: (table: SourceTable) => boolean = () => true): PgOutputDecoder {
  const types = new TypeCatalog();
  const query = async (sql: string) =>
    (await client.query<Record<string, string | null>>(sql)).rows;
  const describeRelation = async (relation: RelationMessage) => {
    await types.ensure(
      query,
      relation.columns.map(({ typeOid }) => typeOid),
    );
    const key = await query(
      `SELECT a.attname::text AS name FROM pg_index i
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
       WHERE i.indisprimary AND i.indrelid = ${relation.relationOid}`,
    );
    return planRelation(
      relation,
      types,
      key.map(({ name }) => must(name)),
    );
  };
  return new PgOutputDecoder({ describe: describeRelation, isWanted });
}

/** Everything that the slot holds, decoded. */
async function read(reading: Reading = {}): Promise<ChangeEvent[]> {
  const { protocolVersion = 1, binary = false, peek = false } = reading;
  const decoder = reading.decoder ?? newDecoder(reading.wanted);
  const { rows } = await client.query<{ data: Buffer }>(
    `SELECT data FROM pg_logical_slot_${peek ? 'peek' : 'get'}_binary_changes(
       current_database(), NULL, NULL, 'proto_version', '${protocolVersion}',
       'publication_names', 'p', 'messages', 'true', 'binary', '${binary}')`,
  );
  const events: ChangeEvent[] = [];
  for (const { data } of rows) {
    const wait = decoder.decode(data, events);
    // The memory of a message is used again for the next one, as a socket does it.
    if (wait) await wait;
    data.fill(0x58);
  }
  return events;
}

/** The changes alone, with the tables' names. */
async function changes(reading: Reading = {}): Promise<unknown[]> {
  return (await read(reading)).flatMap((event): unknown[] => {
    if (event.kind === 'insert') return [['insert', event.table.name, event.row]];
    if (event.kind === 'update') return [['update', event.table.name, event.before, event.row]];
    if (event.kind === 'delete') return [['delete', event.table.name, event.before]];
    if (event.kind === 'truncate') return [['truncate', ...event.tables.map(({ name }) => name)]];
    return [];
  });
}

function tablesOf(events: readonly ChangeEvent[]): SourceTable[] {
  return events.flatMap((event) => (event.kind === 'table' ? [event.table] : []));
}

describe('replica identity', () => {
  const FIXTURE = [
    'CREATE TABLE a (note text, id int, tenant text, PRIMARY KEY (id, tenant))',
    'CREATE UNIQUE INDEX a_note ON a (note)',
    'ALTER TABLE a ALTER note SET NOT NULL',
  ];
  const CHANGES = [
    "INSERT INTO a VALUES ('n1', 1, 'x')",
    "UPDATE a SET note = 'n2'",
    "UPDATE a SET tenant = 'y'",
    'DELETE FROM a',
  ];

  test('default: the primary key identifies rows', async () => {
    await run(...FIXTURE, ...CHANGES);
    const events = await read({ peek: true });
    expect(tablesOf(events)).toEqual([
      {
        relationId: expect.stringMatching(/^\d+$/) as string,
        schema: 'public',
        name: 'a',
        columns: [
          { name: 'note', sqliteType: 'text', sourceType: 'text' },
          { name: 'id', sqliteType: 'integer', sourceType: 'int4' },
          { name: 'tenant', sqliteType: 'text', sourceType: 'text' },
        ],
        keyColumns: [1, 2],
        identity: 'default',
        mayOmitValues: true,
      },
    ]);
    expect(await changes()).toEqual([
      ['insert', 'a', ['n1', 1n, 'x']],
      ['update', 'a', undefined, ['n2', 1n, 'x']],
      ['update', 'a', [null, 1n, 'x'], ['n2', 1n, 'y']],
      ['delete', 'a', [null, 1n, 'y']],
    ]);
  });

  test('index: the columns of that index do', async () => {
    await run(...FIXTURE, 'ALTER TABLE a REPLICA IDENTITY USING INDEX a_note', ...CHANGES);
    const events = await read({ peek: true });
    expect(tablesOf(events)[0]).toMatchObject({ keyColumns: [0], identity: 'index' });
    expect(await changes()).toEqual([
      ['insert', 'a', ['n1', 1n, 'x']],
      ['update', 'a', ['n1', null, null], ['n2', 1n, 'x']],
      ['update', 'a', undefined, ['n2', 1n, 'y']],
      ['delete', 'a', ['n2', null, null]],
    ]);
  });

  test('full with a primary key: the key identifies, and old rows come only when it changes', async () => {
    await run(...FIXTURE, 'ALTER TABLE a REPLICA IDENTITY FULL', ...CHANGES);
    const events = await read({ peek: true });
    expect(tablesOf(events)[0]).toMatchObject({
      keyColumns: [1, 2],
      identity: 'full',
      mayOmitValues: false,
    });
    expect(await changes()).toEqual([
      ['insert', 'a', ['n1', 1n, 'x']],
      ['update', 'a', undefined, ['n2', 1n, 'x']],
      ['update', 'a', ['n2', 1n, 'x'], ['n2', 1n, 'y']],
      ['delete', 'a', ['n2', 1n, 'y']],
    ]);
  });

  test('full without a primary key: the whole row identifies', async () => {
    await run(
      'CREATE TABLE b (v int, d bytea)',
      'ALTER TABLE b REPLICA IDENTITY FULL',
      "INSERT INTO b VALUES (1, '\\x01')",
      'UPDATE b SET v = 2',
      'UPDATE b SET v = 2',
      'DELETE FROM b',
    );
    const events = await read({ peek: true });
    expect(tablesOf(events)[0]).toMatchObject({ keyColumns: [], identity: 'full' });
    const d = new Uint8Array([1]);
    expect(await changes()).toEqual([
      ['insert', 'b', [1n, d]],
      ['update', 'b', [1n, d], [2n, d]],
      ['update', 'b', undefined, [2n, d]],
      ['delete', 'b', [2n, d]],
    ]);
  });

  test('nothing, or no primary key: only inserts come', async () => {
    await run(
      'CREATE TABLE c (id int PRIMARY KEY)',
      'ALTER TABLE c REPLICA IDENTITY NOTHING',
      'CREATE TABLE d (id int)',
      'INSERT INTO c VALUES (1)',
      'INSERT INTO d VALUES (2)',
    );
    const events = await read({ peek: true });
    expect(tablesOf(events).map(({ identity, keyColumns }) => [identity, keyColumns])).toEqual([
      ['nothing', []],
      ['default', []],
    ]);
    expect(await changes()).toEqual([
      ['insert', 'c', [1n]],
      ['insert', 'd', [2n]],
    ]);
  });
});

describe('values out of line', () => {
  const BIG = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 200) i)";

  test('an update leaves out what it did not change, unless the old row has it', async () => {
    await run(
      'CREATE TABLE a (id int PRIMARY KEY, n int, big text)',
      'CREATE TABLE f (id int PRIMARY KEY, n int, big text)',
      'ALTER TABLE f REPLICA IDENTITY FULL',
      `INSERT INTO a SELECT 1, 1, ${BIG}`,
      `INSERT INTO f SELECT 1, 1, ${BIG}`,
    );
    const [inserted] = (await read()).filter((event) => event.kind === 'insert');
    const big = must(inserted).row[2];
    expect(big).toHaveLength(6400);
    await run('UPDATE a SET n = 2', 'UPDATE f SET n = 2', 'UPDATE a SET id = 7');
    expect(await changes()).toEqual([
      ['update', 'a', undefined, [1n, 2n, UNCHANGED]],
      ['update', 'f', undefined, [1n, 2n, big]],
      ['update', 'a', [1n, null, null], [7n, 2n, UNCHANGED]],
    ]);
  });

  test('a key column is always there', async () => {
    await run(
      'CREATE TABLE a (n int, big text PRIMARY KEY)',
      // Out of line at once, while still short enough for an index.
      'ALTER TABLE a ALTER big SET STORAGE EXTERNAL',
      'ALTER TABLE a SET (toast_tuple_target = 128)',
      "INSERT INTO a VALUES (1, repeat('k', 2200))",
      'UPDATE a SET n = 2',
      "UPDATE a SET big = 'short'",
    );
    const key = 'k'.repeat(2200);
    expect(await changes()).toEqual([
      ['insert', 'a', [1n, key]],
      ['update', 'a', undefined, [2n, key]],
      ['update', 'a', [null, key], [2n, 'short']],
    ]);
  });

  test('tables of short types never leave values out', async () => {
    await run(
      'CREATE TABLE a (id int PRIMARY KEY, at timestamptz, u uuid)',
      'INSERT INTO a VALUES (1)',
    );
    expect(tablesOf(await read())[0]?.mayOmitValues).toBe(false);
  });
});

describe('tables', () => {
  test('a truncate names all wanted tables at once', async () => {
    await run('CREATE TABLE a (id int)', 'CREATE TABLE b (id int)', 'CREATE TABLE c (id int)');
    await run('TRUNCATE a, b, c', 'TRUNCATE b');
    expect(await changes({ wanted: ({ name }) => name !== 'b' })).toEqual([['truncate', 'a', 'c']]);
  });

  test('partitions are tables of their own', async () => {
    await run(
      'CREATE TABLE whole (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)',
      'CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (10)',
      'CREATE TABLE high PARTITION OF whole FOR VALUES FROM (10) TO (20)',
      "INSERT INTO whole VALUES (1, 'a'), (11, 'b')",
      'UPDATE whole SET id = 12 WHERE id = 1',
    );
    expect(await changes()).toEqual([
      ['insert', 'low', [1n, 'a']],
      ['insert', 'high', [11n, 'b']],
      ['delete', 'low', [1n, null]],
      ['insert', 'high', [12n, 'a']],
    ]);
  });

  test('names are as in the catalog', async () => {
    await run(
      'CREATE SCHEMA "My ""Schema"""',
      'CREATE TABLE "My ""Schema"""."Täble." ("Id 1" int PRIMARY KEY)',
      'INSERT INTO "My ""Schema"""."Täble." VALUES (1)',
    );
    expect(tablesOf(await read())[0]).toMatchObject({
      schema: 'My "Schema"',
      name: 'Täble.',
      columns: [{ name: 'Id 1' }],
    });
  });

  test('generated columns come when the publication says so', async ({ skip }) => {
    if ((await serverVersion()) < 18) skip('generated columns are published since PostgreSQL 18');
    await run(
      'CREATE TABLE a (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)',
      'INSERT INTO a VALUES (1)',
    );
    expect(await changes()).toEqual([['insert', 'a', [1n]]]);
    await run(
      'ALTER PUBLICATION p SET (publish_generated_columns = stored)',
      'INSERT INTO a VALUES (2)',
    );
    expect(await changes()).toEqual([['insert', 'a', [2n, 4n]]]);
  });

  test('a changed definition is announced before the first change that has it', async () => {
    await run(
      'CREATE TABLE a (id int PRIMARY KEY, gone int, v text)',
      "INSERT INTO a VALUES (1, 2, 'x')",
    );
    await run('ALTER TABLE a DROP gone', "INSERT INTO a VALUES (2, 'y')");
    await run('ALTER TABLE a ADD n numeric DEFAULT 1.50', "INSERT INTO a VALUES (3, 'z')");
    const events = await read();
    const kinds = events.filter(({ kind }) => kind === 'table' || kind === 'insert');
    expect(kinds.map(({ kind }) => kind)).toEqual([
      'table',
      'insert',
      'table',
      'insert',
      'table',
      'insert',
    ]);
    expect(tablesOf(events).map(({ columns }) => columns.map(({ name }) => name))).toEqual([
      ['id', 'gone', 'v'],
      ['id', 'v'],
      ['id', 'v', 'n'],
    ]);
    expect(events.flatMap((event) => (event.kind === 'insert' ? [event.row] : []))).toEqual([
      [1n, 2n, 'x'],
      [2n, 'y'],
      [3n, 'z', '1.50'],
    ]);
  });

  test('a definition that did not change is announced once, and wanted is asked once', async () => {
    const asked: string[] = [];
    const decoder = newDecoder(({ name }) => asked.push(name) > 0 && name === 'a');
    await run('CREATE TABLE a (id int)', 'CREATE TABLE b (id int)');
    await run('INSERT INTO a VALUES (1)', 'INSERT INTO b VALUES (1)');
    const first = await read({ decoder });
    // Each reading starts the server's plugin anew, so it describes the tables again.
    await run('INSERT INTO a VALUES (2)', 'INSERT INTO b VALUES (2)');
    const second = await read({ decoder });
    expect(asked).toEqual(['a', 'b']);
    expect(tablesOf([...first, ...second]).map(({ name }) => name)).toEqual(['a']);
    const tables = [...first, ...second].flatMap((event) =>
      event.kind === 'insert' ? [event.table] : [],
    );
    expect(new Set(tables).size).toBe(1);
  });

  test('a table that is renamed away is announced, and its changes are left out', async () => {
    const decoder = newDecoder(({ name }) => name === 'a');
    await run('CREATE TABLE a (id int)', 'INSERT INTO a VALUES (1)', 'ALTER TABLE a RENAME TO z');
    await run('INSERT INTO z VALUES (2)');
    const events = await read({ decoder });
    expect(tablesOf(events).map(({ name }) => name)).toEqual(['a', 'z']);
    expect(events.filter(({ kind }) => kind === 'insert')).toHaveLength(1);
  });
});

describe('transactions', () => {
  test('each is begin, changes, commit with the position behind it', async () => {
    await run('CREATE TABLE a (id int)');
    await read();
    const before = await position();
    await run('BEGIN', 'INSERT INTO a VALUES (1)', 'SAVEPOINT s', 'INSERT INTO a VALUES (2)');
    await run('ROLLBACK TO s', 'INSERT INTO a VALUES (3)', 'COMMIT');
    const after = await position();
    const events = await read();
    expect(events.map(({ kind }) => kind)).toEqual([
      'begin',
      'table',
      'insert',
      'insert',
      'commit',
    ]);
    expect(events[0]).toEqual({
      kind: 'begin',
      transactionId: expect.stringMatching(/^\d+$/) as string,
      commitPosition: expect.any(String) as string,
    });
    const [begin, commit] = [must(events[0]), must(events.at(-1))];
    if (begin.kind !== 'begin' || commit.kind !== 'commit') throw new Error('begin ... commit');
    expect(begin.commitPosition >= before).toBe(true);
    expect(begin.commitPosition < commit.position).toBe(true);
    expect(commit.position > before).toBe(true);
    expect(commit.position <= after).toBe(true);
    expect(Math.abs(commit.committedAtMs - Date.now())).toBeLessThan(60_000);
  });

  test('reading on from a commit position gives exactly the later transactions', async () => {
    await run('CREATE TABLE a (id int)');
    for (let id = 1; id <= 5; id++) await run(`INSERT INTO a VALUES (${id})`);
    const events = await read({ peek: true });
    const third = events.filter((event) => event.kind === 'commit').at(-3);
    await run(`SELECT pg_replication_slot_advance(current_database(), '${must(third).position}')`);
    expect(await changes()).toEqual([
      ['insert', 'a', [4n]],
      ['insert', 'a', [5n]],
    ]);
  });

  test('logical messages: one outside transactions tells how far the log is read', async () => {
    const before = await position();
    await run("SELECT pg_logical_emit_message(false, 'x', 'outside')");
    await run("SELECT pg_logical_emit_message(true, 'x', 'inside')");
    const after = await position();
    const events = await read();
    expect(events.map(({ kind }) => kind)).toEqual(['idle', 'begin', 'commit']);
    const [idle] = events;
    if (idle?.kind !== 'idle') throw new Error('no idle at the beginning');
    expect(idle.position >= before && idle.position < after).toBe(true);
  });

  test('changes that came from elsewhere carry their origin', async () => {
    await run(
      'CREATE TABLE a (id int)',
      "SELECT pg_replication_origin_create('elsewhere')",
      "SELECT pg_replication_origin_session_setup('elsewhere')",
      'BEGIN',
      "SELECT pg_replication_origin_xact_setup('1/1', now())",
      'INSERT INTO a VALUES (1)',
      'COMMIT',
      'SELECT pg_replication_origin_session_reset()',
      "SELECT pg_replication_origin_drop('elsewhere')",
    );
    expect(await changes()).toEqual([['insert', 'a', [1n]]]);
  });

  test.for([1, 2, 3, 4])('protocol version %i', async (protocolVersion, { skip }) => {
    const since = SPOKEN_SINCE.get(protocolVersion) ?? 0;
    if ((await serverVersion()) < since) skip(`spoken since PostgreSQL ${since}`);
    await run("CREATE TYPE mood AS ENUM ('ok')", 'CREATE TABLE a (id int PRIMARY KEY, m mood[])');
    await run(
      "INSERT INTO a VALUES (1, '{ok}')",
      'UPDATE a SET id = 2',
      'DELETE FROM a',
      'TRUNCATE a',
    );
    expect(await changes({ protocolVersion })).toEqual([
      ['insert', 'a', [1n, '["ok"]']],
      ['update', 'a', [1n, null], [2n, '["ok"]']],
      ['delete', 'a', [2n, null]],
      ['truncate', 'a'],
    ]);
  });

  test('binary values give the same rows as text values', async () => {
    await run(
      `CREATE TYPE mood AS ENUM ('ok')`,
      `CREATE TABLE a (id int8 PRIMARY KEY, b bool, f float8, n numeric(12, 3), t text, c char(5),
         u uuid, j jsonb, d date, ts timestamp, tz timestamptz, y bytea, m mood)`,
      `INSERT INTO a VALUES (-5, true, 0.1, 1234.5, 'é', 'ab', gen_random_uuid(), '{"a": 1}',
         '2031-07-08', '2031-07-08 09:10:11.25', '2031-07-08 09:10:11.25', '\\x00', 'ok')`,
    );
    const text = await changes({ peek: true });
    expect(await changes({ binary: true })).toEqual(text);
  });
});

async function position(): Promise<string> {
  const { rows } = await client.query<{ lsn: string }>(
    'SELECT pg_current_wal_insert_lsn()::text AS lsn',
  );
  return normalizeLsn(must(rows[0]).lsn);
}
