import type { LocalPostgres } from '@sluice/local-postgres';
import type { SourceCheck } from '@sluice/source';
import { ScratchPostgres } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALL_TABLES, tableNamed, TestDatabase } from '../testing/test-source.ts';

let scratch: ScratchPostgres;
let server: LocalPostgres;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  server = scratch.server;
});

afterAll(() => scratch?.[Symbol.asyncDispose]());

async function findings(database: TestDatabase, patterns = [ALL_TABLES]) {
  const checks = await database.source.check(patterns);
  return new Map(checks.filter(({ status }) => status !== 'ok').map((c) => [c.name, c]));
}

/** Runs the remedy as superuser; placeholders and shell lines cannot be run. */
async function run(database: TestDatabase, check: SourceCheck | undefined): Promise<void> {
  for (const sql of check?.remedy ?? []) await database.sql(sql);
}

test('all is well', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id int PRIMARY KEY)');
  const checks = await database.source.check([tableNamed('item')]);
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
  expect(checks.length).toBeGreaterThan(12);
});

test.each<[string, string, string, 'problem' | 'warning']>([
  ['publication', '', 'CREATE TABLE item (id int PRIMARY KEY)', 'problem'],
  [
    'publication_kinds',
    `CREATE PUBLICATION powersync FOR ALL TABLES WITH (publish = 'insert')`,
    '',
    'problem',
  ],
  [
    'publication_via_root',
    'CREATE PUBLICATION powersync FOR ALL TABLES WITH (publish_via_partition_root)',
    '',
    'problem',
  ],
  [
    'tables_published',
    'CREATE PUBLICATION powersync',
    'CREATE TABLE item (id int PRIMARY KEY)',
    'problem',
  ],
  [
    'tables_identity',
    'CREATE PUBLICATION powersync FOR ALL TABLES',
    'CREATE TABLE item (id int)',
    'warning',
  ],
  [
    'tables_identity',
    'CREATE PUBLICATION powersync FOR ALL TABLES',
    'CREATE TABLE item (id int PRIMARY KEY); ALTER TABLE item REPLICA IDENTITY NOTHING',
    'warning',
  ],
  [
    'tables_unlogged',
    'CREATE PUBLICATION powersync FOR ALL TABLES',
    'CREATE UNLOGGED TABLE item (id int PRIMARY KEY)',
    'problem',
  ],
])('finds %s and says what puts it right', async (name, publication, setup, status) => {
  await using database = await TestDatabase.create(server, { publication });
  await database.sql(setup);
  const before = await findings(database);
  expect([...before.values()].filter((check) => check.name !== 'tables_exist')).toMatchObject([
    { name, status },
  ]);
  const check = before.get(name);
  expect(check?.remedy.length).toBeGreaterThan(0);
  if (check?.fix) for (const sql of check.fix) await database.sql(sql);
  else await run(database, check);
  expect((await findings(database)).get(name)).toBeUndefined();
});

test('finds what a role may not do; the remedies, run by a superuser, put it right', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql(`CREATE ROLE "Mere User" LOGIN PASSWORD 'mere'`);
  await database.sql('CREATE SCHEMA hidden; CREATE TABLE hidden.item (id int PRIMARY KEY)');
  await database.sql('ALTER TABLE hidden.item ENABLE ROW LEVEL SECURITY');
  await using mere = await TestDatabase.create(server, {
    publication: '',
    uri: database.url.replace('postgres:postgres@', 'Mere%20User:mere@'),
  });
  const patterns = [tableNamed('item', 'hidden')];
  const before = await findings(mere, patterns);
  expect([...before.keys()]).toEqual([
    'role_replication',
    'tables_readable',
    'tables_row_security',
  ]);
  expect(before.get('tables_readable')?.remedy).toEqual([
    'GRANT USAGE ON SCHEMA "hidden" TO "Mere User";',
    'GRANT SELECT ON "hidden"."item" TO "Mere User";',
  ]);
  expect([...before.values()].map(({ fix }) => fix)).toEqual([undefined, undefined, undefined]);
  await database.sql(before.get('role_replication')?.remedy[0] ?? '');
  await run(database, before.get('tables_readable'));
  await run(database, before.get('tables_row_security'));
  expect([...(await findings(mere, patterns)).keys()]).toEqual([]);
});

test('a role without replication gets a typed error', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql(`CREATE ROLE nobody_yet LOGIN PASSWORD 'nobody'`);
  await using poor = await TestDatabase.create(server, {
    publication: '',
    uri: database.url.replace('postgres:postgres@', 'nobody_yet:nobody@'),
  });
  await expect(
    poor.source.openReplication({ generationId: 1, handle: undefined }),
  ).rejects.toMatchObject({ code: 'SOURCE_ROLE_NO_REPLICATION', details: { sqlState: '42501' } });
});

test('a table owner can create the publication for its own tables', async () => {
  await using database = await TestDatabase.create(server, { publication: '' });
  await database.sql(`CREATE ROLE app_owner LOGIN REPLICATION BYPASSRLS PASSWORD 'owner'`);
  await database.sql('CREATE SCHEMA app AUTHORIZATION app_owner');
  await database.sql(`GRANT CREATE ON DATABASE ${database.name} TO app_owner`);
  await database.sql('SET ROLE app_owner; CREATE TABLE app.item (id int PRIMARY KEY)');
  await using owner = await TestDatabase.create(server, {
    publication: '',
    uri: database.url.replace('postgres:postgres@', 'app_owner:owner@'),
  });
  const patterns = [tableNamed('item', 'app')];
  const check = (await findings(owner, patterns)).get('publication');
  expect(check?.fix).toEqual(['CREATE PUBLICATION "powersync" FOR TABLE "app"."item"']);
  for (const sql of check?.fix ?? []) await database.sql(sql); // as app_owner
  await database.sql('CREATE TABLE app.other (id int PRIMARY KEY)');
  const both = [...patterns, tableNamed('other', 'app')];
  const unpublished = (await findings(owner, both)).get('tables_published');
  expect(unpublished?.fix).toEqual(['ALTER PUBLICATION "powersync" ADD TABLE "app"."other"']);
  for (const sql of unpublished?.fix ?? []) await database.sql(sql);
  expect([...(await findings(owner, both)).keys()]).toEqual([]);
});

test('a table that does not exist is a problem, a wildcard without match a warning', async () => {
  await using database = await TestDatabase.create(server);
  const wildcard = { ...tableNamed('log_'), nameIsPrefix: true };
  expect((await findings(database, [wildcard])).get('tables_exist')?.status).toBe('warning');
  const check = (await findings(database, [tableNamed('absent')])).get('tables_exist');
  expect(check).toMatchObject({ status: 'problem', message: 'No table matches public.absent' });
});

test('readSchema tells tables with their columns, without system schemas', async () => {
  await using database = await TestDatabase.create(server);
  await database.sql('CREATE TABLE item (id uuid PRIMARY KEY, n int8, at timestamptz, x float8)');
  await database.sql('CREATE TEMPORARY TABLE passing (id int); CREATE VIEW v AS SELECT 1');
  expect(await database.source.readSchema()).toEqual([
    {
      schema: 'public',
      name: 'item',
      columns: [
        { name: 'id', sqliteType: 'text', sourceType: 'uuid' },
        { name: 'n', sqliteType: 'integer', sourceType: 'int8' },
        { name: 'at', sqliteType: 'text', sourceType: 'timestamptz' },
        { name: 'x', sqliteType: 'real', sourceType: 'float8' },
      ],
    },
  ]);
});

test('finds settings of the server that do not fit, and what puts them right', async () => {
  await using misfit = await ScratchPostgres.start({
    wal_level: 'replica',
    max_replication_slots: '1',
    max_wal_senders: '1',
    max_slot_wal_keep_size: '-1',
  });
  await using database = await TestDatabase.create(misfit.server);
  await database.sql(`SELECT pg_create_physical_replication_slot('of_a_standby')`);
  const found = await findings(database);
  expect([...found.keys()]).toEqual([
    'wal_level',
    'replication_slots',
    'wal_senders',
    'max_slot_wal_keep_size',
    'tables_exist',
  ]);
  expect(found.get('wal_level')).toMatchObject({
    status: 'problem',
    fix: ['ALTER SYSTEM SET wal_level = logical'],
    remedy: ['ALTER SYSTEM SET wal_level = logical;', expect.stringMatching(/restart/i)],
  });
  expect(found.get('replication_slots')?.status).toBe('problem');
  expect(found.get('max_slot_wal_keep_size')?.status).toBe('warning');
  await expect(
    database.source.openReplication({ generationId: 1, handle: undefined }),
  ).rejects.toMatchObject({ code: 'SOURCE_WAL_LEVEL' });
});
