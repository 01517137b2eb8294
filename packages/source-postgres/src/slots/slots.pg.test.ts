import type { LocalPostgres } from '@sluice/local-postgres';
import { ScratchPostgres, until } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Follower, TestDatabase } from '../testing/test-source.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;

beforeAll(async () => {
  scratch = await ScratchPostgres.start({
    max_slot_wal_keep_size: '16MB',
    max_wal_size: '32MB',
    min_wal_size: '32MB',
    max_replication_slots: '4',
  });
  server = scratch.server;
});

afterAll(() => scratch?.[Symbol.asyncDispose]());

const create = (database: TestDatabase, generationId = 7) =>
  database.source.openReplication({ generationId, handle: undefined });
const adopt = (database: TestDatabase, handle: string) =>
  database.source.openReplication({ generationId: 7, handle });
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

test('creates a slot named after prefix and generation, lists it, and drops it', async () => {
  await using database = await TestDatabase.create(server, { slotNamePrefix: 'abc_' });
  await using replication = await create(database);
  expect(replication.handle).toMatch(/^abc_7_[0-9a-f]{8}$/);
  expect(replication.startPosition).toMatch(/^[0-9A-F]{8}\/[0-9A-F]{8}$/);
  expect(await database.source.listReplications()).toEqual([replication.handle]);
  await database.source.dropReplication(replication.handle);
  await database.source.dropReplication(replication.handle);
  expect(await database.source.listReplications()).toEqual([]);
});

test('lists only slots of its own database and prefix', async () => {
  await using one = await TestDatabase.create(server, { slotNamePrefix: 'abc_' });
  await using other = await TestDatabase.create(server, { slotNamePrefix: 'abc_' });
  await using _ = await create(one);
  await one.sql(`SELECT pg_create_logical_replication_slot('abc_other', 'pgoutput')`);
  expect(await other.source.listReplications()).toEqual([]);
  expect(await one.source.listReplications()).toHaveLength(1);
  await one.sql(`SELECT pg_drop_replication_slot('abc_other')`);
});

test('takes up a slot where it was left: nothing missing, nothing twice', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  const first = await create(database);
  let position: string;
  {
    await using follower = new Follower(first);
    await database.sql('INSERT INTO item VALUES (1)');
    await follower.reach(await database.source.head());
    position = follower.position;
    first.acknowledge(position);
  }
  await first[Symbol.asyncDispose]();
  await database.sql('INSERT INTO item VALUES (2)');
  await using second = await adopt(database, first.handle);
  expect(second.startPosition).toBe(position);
  await using follower = new Follower(second, { after: position });
  await follower.reach(await database.source.head());
  expect(follower.changes().filter(({ kind }) => kind === 'insert')).toMatchObject([{ row: [2n] }]);
});

test('a slot that was dropped is lost', async () => {
  await using database = await TestDatabase.create(server);
  await using replication = await create(database);
  await database.source.dropReplication(replication.handle);
  await expect(adopt(database, replication.handle)).rejects.toThrow(code('SOURCE_SLOT_LOST'));
  await using follower = new Follower(replication);
  await until('the stream fails', () => follower.error);
  expect(follower.error).toMatchObject({ code: 'SOURCE_SLOT_LOST' });
});

test('a slot whose log was removed is lost', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY, filler text)');
  await using replication = await create(database);
  await until('the server gives the slot up', async () => {
    await database.sql(`SELECT pg_logical_emit_message(false, 'x', repeat('x', 8000000))`);
    await database.sql('SELECT pg_switch_wal()');
    await database.sql('CHECKPOINT');
    const [slot] = await database.sql<{ wal_status: string }>(
      'SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1',
      [replication.handle],
    );
    return slot?.wal_status === 'lost';
  });
  await expect(adopt(database, replication.handle)).rejects.toThrow(code('SOURCE_SLOT_LOST'));
});

test('a position before what the slot has given up is lost', async () => {
  await using database = await TestDatabase.create(server);
  await using replication = await create(database);
  {
    await using follower = new Follower(replication);
    await database.source.mark();
    await follower.reach(await database.source.head());
    replication.acknowledge(follower.position);
  }
  await using late = new Follower(replication, { after: replication.startPosition });
  await until('the stream fails', () => late.error);
  expect(late.error).toMatchObject({ code: 'SOURCE_SLOT_LOST' });
});

test('a slot that another process reads is in use, until that process ends', async () => {
  await using database = await TestDatabase.create(server);
  await using replication = await create(database);
  {
    await using follower = new Follower(replication);
    await database.source.mark();
    await follower.reach(await database.source.head());
    await expect(adopt(database, replication.handle)).rejects.toThrow(code('SOURCE_SLOT_IN_USE'));
  }
  await using again = new Follower(replication);
  await database.source.mark();
  await again.reach(await database.source.head());
});

test('dropping ends a reader of the same role', async () => {
  await using database = await TestDatabase.create(server);
  await using replication = await create(database);
  await using follower = new Follower(replication);
  await database.source.mark();
  await follower.reach(await database.source.head());
  await database.source.dropReplication(replication.handle);
  await until('the stream fails', () => follower.error);
  expect(follower.error).toMatchObject({ code: 'SOURCE_CONNECTION_LOST', retryable: true });
  expect(await database.source.listReplications()).toEqual([]);
});

test('says that there are no free slots', async () => {
  await using database = await TestDatabase.create(server);
  for (let i = 0; i < 4; i++) await create(database, i);
  await expect(create(database)).rejects.toThrow(code('SOURCE_SLOTS_EXHAUSTED'));
});

test('gives up on a slot that an open transaction holds up, and leaves none behind', async () => {
  await using database = await TestDatabase.create(server, { slotTimeoutMs: 300 });
  await database.sql('CREATE TABLE item (id int)');
  await database.sql('BEGIN');
  await database.sql('INSERT INTO item VALUES (1)');
  await expect(create(database)).rejects.toThrow(code('SOURCE_TIMEOUT'));
  await database.sql('COMMIT');
  expect(await database.source.listReplications()).toEqual([]);
});
