import { LocalPostgres } from '@sluice/local-postgres';
import { UNCHANGED, type ChangeEvent } from '@sluice/source';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  scratchFolder,
  Follower,
  TEST_BINARIES,
  TestDatabase,
  until,
} from '../testing/test-source.ts';

let folder: Awaited<ReturnType<typeof scratchFolder>>;
let server: LocalPostgres;

beforeAll(async () => {
  folder = await scratchFolder();
  server = await LocalPostgres.start({
    dataDir: `${folder.path}/data`,
    fast: true,
    binariesDir: TEST_BINARIES,
    settings: { wal_sender_timeout: '2s' },
  });
});

afterAll(async () => {
  await server?.stop('immediate');
  await folder?.[Symbol.asyncDispose]();
});

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
