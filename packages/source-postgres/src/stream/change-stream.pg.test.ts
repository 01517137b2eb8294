import type { LocalPostgres } from '@sluice/local-postgres';
import { UNCHANGED, type ChangeEvent } from '@sluice/source';
import { ScratchPostgres, until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALL_TABLES, Follower, TestDatabase } from '../testing/test-source.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;

beforeAll(async () => {
  scratch = await ScratchPostgres.start({ wal_sender_timeout: '2s' });
  server = scratch.server;
});

afterAll(() => scratch?.[Symbol.asyncDispose]());

const open = (database: TestDatabase) =>
  database.source.openReplication({ generationId: 1, handle: undefined });

test('streams inserts, updates, key changes, deletes and truncates in commit order', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY, name text)');
  await using replication = await open(database);
  await using follower = new Follower(replication);
  await database.sql(`INSERT INTO item VALUES (1, 'a'), (2, NULL)`);
  await database.sql(`UPDATE item SET name = 'b' WHERE id = 1`);
  await database.sql('UPDATE item SET id = 3 WHERE id = 2');
  await database.sql('DELETE FROM item WHERE id = 1');
  await database.sql('TRUNCATE item');
  await follower.reach(await headAfterMark(database));

  const table = expect.objectContaining({ schema: 'public', name: 'item', keyColumns: [0] });
  expect(follower.changes()).toEqual([
    { kind: 'table', table },
    { kind: 'insert', table, row: [1n, 'a'] },
    { kind: 'insert', table, row: [2n, null] },
    { kind: 'update', table, before: undefined, row: [1n, 'b'] },
    { kind: 'update', table, before: [2n, null], row: [3n, null] },
    { kind: 'delete', table, before: [1n, null] },
    { kind: 'truncate', tables: [table] },
  ]);
  expectWholeTransactions(follower.events);
});

test('leaves out values that an update did not change and that are stored out of line', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE doc (id int PRIMARY KEY, n int, body text)');
  await database.sql('ALTER TABLE doc ALTER body SET STORAGE EXTERNAL');
  await using replication = await open(database);
  await using follower = new Follower(replication);
  await database.sql(`INSERT INTO doc VALUES (1, 1, repeat('x', 10000))`);
  await database.sql('UPDATE doc SET n = 2');
  await follower.reach(await headAfterMark(database));
  const [table, , update] = follower.changes();
  expect(table).toMatchObject({ table: { mayOmitValues: true } });
  expect(update).toMatchObject({ kind: 'update', row: [1n, 2n, UNCHANGED] });
});

test('tells a table like listTables does, whatever its replica identity', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql(`
    CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TABLE a_default (id uuid DEFAULT gen_random_uuid(), b int, PRIMARY KEY (b, id));
    CREATE TABLE a_full (id int, b text, m mood, PRIMARY KEY (b));
    ALTER TABLE a_full REPLICA IDENTITY FULL;
    CREATE TABLE a_full_keyless (id int, b text);
    ALTER TABLE a_full_keyless REPLICA IDENTITY FULL;
    CREATE TABLE a_index (id int PRIMARY KEY, b text NOT NULL, c numeric(5, 2));
    CREATE UNIQUE INDEX a_index_b ON a_index (b);
    ALTER TABLE a_index REPLICA IDENTITY USING INDEX a_index_b;
    CREATE TABLE a_keyless (id int, at timestamptz);
    CREATE TABLE a_nothing (id int PRIMARY KEY);
    ALTER TABLE a_nothing REPLICA IDENTITY NOTHING;
    CREATE TABLE b_generated (id int PRIMARY KEY, dropped int, twice int GENERATED ALWAYS AS (id * 2) STORED);
    ALTER TABLE b_generated DROP COLUMN dropped;
    CREATE TABLE c_root (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE c_part PARTITION OF c_root FOR VALUES FROM (0) TO (100);
    CREATE UNLOGGED TABLE d_unlogged (id int PRIMARY KEY);
    CREATE VIEW d_view AS SELECT 1 AS id`);
  await using replication = await open(database);
  const tables = await replication.listTables([ALL_TABLES]);
  await using follower = new Follower(replication);
  await database.sql(`
    INSERT INTO a_default (b) VALUES (1);
    INSERT INTO a_full VALUES (1, 'b', 'sad');
    INSERT INTO a_full_keyless VALUES (1, 'b');
    INSERT INTO a_index VALUES (1, 'b', 1.5);
    INSERT INTO a_keyless VALUES (1, now());
    INSERT INTO a_nothing VALUES (1);
    INSERT INTO b_generated VALUES (1);
    INSERT INTO c_root VALUES (1)`);
  await follower.reach(await headAfterMark(database));
  const told = follower.changes().flatMap((event) => (event.kind === 'table' ? [event.table] : []));
  expect(told).toEqual(tables);
  expect(
    Object.fromEntries(tables.map((t) => [t.name, [t.identity, t.keyColumns, t.mayOmitValues]])),
  ).toEqual({
    a_default: ['default', [0, 1], false],
    a_full: ['full', [1], false],
    a_full_keyless: ['full', [], false],
    a_index: ['index', [1], true],
    a_keyless: ['nothing', [], false],
    a_nothing: ['nothing', [0], false],
    b_generated: ['default', [0], false],
    c_part: ['default', [0], false],
  });
  expect(tables.find(({ name }) => name === 'b_generated')?.columns).toMatchObject([
    { name: 'id' },
  ]);
});

test('announces a table again when its definition has changed, before the rows that follow', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  await using replication = await open(database);
  await using follower = new Follower(replication);
  await database.sql('INSERT INTO item VALUES (1)');
  await database.sql('ALTER TABLE item ADD name text');
  await database.sql(`INSERT INTO item VALUES (2, 'b')`);
  await database.sql('ALTER TABLE item RENAME TO thing');
  await database.sql(`INSERT INTO thing VALUES (3, 'c')`);
  await follower.reach(await headAfterMark(database));
  expect(
    follower.changes().map((event) => {
      if (event.kind === 'table') return `${event.table.name}/${event.table.columns.length}`;
      return event.kind === 'insert' ? event.row.length : event.kind;
    }),
  ).toEqual(['item/1', 1, 'item/2', 2, 'thing/2', 2]);
});

test('leaves out tables that are not wanted', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE other (id int)');
  await using replication = await open(database);
  await using follower = new Follower(replication, { isWanted: ({ name }) => name === 'item' });
  await database.sql('INSERT INTO other VALUES (1); INSERT INTO item VALUES (1)');
  await follower.reach(await headAfterMark(database));
  expect(follower.changes()).toMatchObject([{ kind: 'table' }, { kind: 'insert', row: [1n] }]);
});

test('a mark after the head brings an idle stream beyond the head at once', async () => {
  await using database = await TestDatabase.create(server);
  await using replication = await open(database);
  await using follower = new Follower(replication);
  await follower.reach(await headAfterMark(database));
  const startedMs = Date.now();
  for (let i = 0; i < 20; i++) await follower.reach(await headAfterMark(database));
  expect(Date.now() - startedMs).toBeLessThan(2000);
});

test('the head covers a commit that is not yet on disk', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  await using replication = await open(database);
  await using follower = new Follower(replication);
  await database.sql('SET synchronous_commit = off');
  for (let id = 1; id <= 20; id++) {
    await database.sql('INSERT INTO item VALUES ($1)', [id]);
    await follower.reach(await headAfterMark(database));
    expect(follower.changes().at(-1)).toMatchObject({ row: [BigInt(id)] });
  }
});

test('what is acknowledged reaches the slot, also while the source is idle', async () => {
  await using database = await TestDatabase.create(server, { heartbeatIntervalMs: 100 });
  await using replication = await open(database);
  await using follower = new Follower(replication);
  const head = await database.source.head();
  await follower.reach(head); // by the heartbeat alone
  replication.acknowledge(follower.position);
  await until('the slot moves on', async () => {
    const [slot] = await database.sql<{ done: boolean }>(
      'SELECT confirmed_flush_lsn >= $1 AS done FROM pg_replication_slots WHERE slot_name = $2',
      [head, replication.handle],
    );
    return slot?.done;
  });
});

test('a slow consumer of a large transaction keeps its connection, and memory stays flat', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY, body text)');
  await using replication = await open(database);
  await database.sql(
    `INSERT INTO item SELECT i, repeat('x', 400) FROM generate_series(1, 200000) i`,
  );
  const signal = AbortSignal.timeout(60_000);
  const peak = new MemoryPeak();
  let inserts = 0;
  let paused = false;
  for await (const batch of replication.stream({ after: '', isWanted: () => true, signal })) {
    inserts += batch.filter(({ kind }) => kind === 'insert').length;
    peak.sample();
    if (!paused && inserts > 1000) {
      paused = true;
      await new Promise((resolve) => setTimeout(resolve, 5000)); // twice wal_sender_timeout
      peak.sample();
    }
    if (batch.some(({ kind }) => kind === 'commit')) break;
  }
  expect(inserts).toBe(200_000);
  expect(peak.grownBytes).toBeLessThan(60 * 1024 * 1024); // the transaction has more than 80 MB
});

/** Memory outside the garbage of the moment: what the process holds in buffers. */
class MemoryPeak {
  readonly #before = process.memoryUsage().arrayBuffers;
  grownBytes = 0;

  sample(): void {
    this.grownBytes = Math.max(this.grownBytes, process.memoryUsage().arrayBuffers - this.#before);
  }
}

test('a stream ends at once when it is aborted, also in the middle of a transaction', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY, body text)');
  await using replication = await open(database);
  await database.sql(
    `INSERT INTO item SELECT i, repeat('x', 100) FROM generate_series(1, 50000) i`,
  );
  const abort = new AbortController();
  const stream = replication.stream({ after: '', isWanted: () => true, signal: abort.signal });
  const read = async () => {
    for await (const batch of stream) if (batch.length > 100) abort.abort(new Error('enough'));
  };
  const startedMs = Date.now();
  await expect(read()).rejects.toThrow('enough');
  expect(Date.now() - startedMs).toBeLessThan(3000);
  await until('the server lets go of the slot', async () => {
    const [slot] = await database.sql(
      'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
      [replication.handle],
    );
    return slot?.['active'] === false;
  });
});

test('a transaction that was not taken to its end comes again as a whole', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  await using replication = await open(database);
  await database.sql('INSERT INTO item SELECT generate_series(1, 20000)');
  const signal = AbortSignal.timeout(30_000);
  for await (const batch of replication.stream({ after: '', isWanted: () => true, signal })) {
    if (batch.length > 0) break;
  }
  await using follower = new Follower(replication);
  await follower.reach(await headAfterMark(database));
  expect(follower.changes().filter(({ kind }) => kind === 'insert')).toHaveLength(20_000);
  expectWholeTransactions(follower.events);
});

test('a stream whose connection is ended by the server can be taken up again', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  await using replication = await open(database);
  await using follower = new Follower(replication);
  await follower.reach(await headAfterMark(database));
  await database.sql(
    'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1',
    [replication.handle],
  );
  await until('the stream fails', () => follower.error);
  expect(follower.error).toMatchObject({ code: 'SOURCE_CONNECTION_LOST', retryable: true });
  await database.sql('INSERT INTO item VALUES (1)');
  await using again = new Follower(replication, { after: follower.position });
  await again.reach(await headAfterMark(database));
  expect(again.changes()).toMatchObject([{ kind: 'table' }, { kind: 'insert' }]);
});

test('streams every commit exactly once under concurrent writers', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY, n int)');
  await using replication = await open(database);
  await using follower = new Follower(replication);
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  await Promise.all(
    Array.from({ length: 400 }, (_, id) => pool.query('INSERT INTO item VALUES ($1, 0)', [id])),
  );
  await pool.end();
  await follower.reach(await headAfterMark(database));
  const ids = follower
    .changes()
    .flatMap((event) => (event.kind === 'insert' ? [event.row[0]] : []));
  expect(ids).toHaveLength(400);
  expect(new Set(ids).size).toBe(400);
  expectWholeTransactions(follower.events);
});

test('stops where the publication is missing; changes made meanwhile are lost', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  await using replication = await open(database);
  await database.sql('DROP PUBLICATION powersync');
  await expect(open(database)).rejects.toMatchObject({ code: 'SOURCE_PUBLICATION_MISSING' });
  await database.sql('INSERT INTO item VALUES (1)');
  await using follower = new Follower(replication);
  await until('the stream fails', () => follower.error);
  expect(follower.error).toMatchObject({ code: 'SOURCE_PUBLICATION_MISSING' });
  await database.sql('CREATE PUBLICATION powersync FOR ALL TABLES');
  await using again = new Follower(replication);
  await until('the stream fails', () => again.error);
  expect(again.error).toMatchObject({ code: 'SOURCE_SLOT_LOST' });
});

async function headAfterMark(database: TestDatabase): Promise<string> {
  const head = await database.source.head();
  await database.source.mark();
  return head;
}

function expectWholeTransactions(events: readonly ChangeEvent[]): void {
  let open = false;
  let last = '';
  for (const event of events) {
    if (event.kind === 'begin' || event.kind === 'idle') expect(open).toBe(false);
    if (event.kind === 'begin') open = true;
    if (['insert', 'update', 'delete', 'truncate', 'commit'].includes(event.kind)) {
      expect(open).toBe(true);
    }
    if (event.kind === 'commit') open = false;
    if (event.kind === 'commit' || event.kind === 'idle') {
      expect(event.position >= last).toBe(true);
      last = event.position;
    }
  }
}
