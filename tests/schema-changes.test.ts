import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Churn, expectRows, SCHEMA_CONFIG } from './support/schema-world.ts';
import { ServiceProcess } from './support/service-process.ts';
import { StreamClient, type Row } from './support/stream-client.ts';
import { TokenIssuer } from './support/tokens.ts';

const issuer = new TokenIssuer();
let dir: string;
let postgres: LocalPostgres;
let service: ServiceProcess;
let client: StreamClient;
let sql: pg.Client;
let churnSql: pg.Client;
let churn: Churn | undefined;
let failuresBefore = 0;
let expectedConnections = 1;

/** Tables as they are when the service starts; what the config names besides does not exist yet. */
const SETUP = `
  CREATE TABLE items (id text PRIMARY KEY, n int, body text);
  CREATE TABLE bag (line text, n int);
  CREATE TABLE events (id text, day int NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
  INSERT INTO items SELECT 'i' || i, i, repeat(md5(i::text), 200) FROM generate_series(1, 20) i;
  ALTER TABLE items ALTER COLUMN body SET STORAGE EXTERNAL;
  CREATE PUBLICATION powersync FOR ALL TABLES`;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-ddl-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
  await postgres.ensureDatabase('ddl');
  sql = await connect();
  churnSql = await connect();
  await sql.query(SETUP);
  service = await ServiceProcess.create({
    dir,
    databaseUrl: postgres.url('ddl'),
    syncConfig: SCHEMA_CONFIG,
    issuer,
  });
  service.start();
  await service.untilReady();
  client = new StreamClient({ url: service.url, token: () => issuer.token('ann') });
  await shows('items');
});

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await service?.stop();
  await sql?.end();
  await churnSql?.end();
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(() => {
  failuresBefore = failures().length;
});

afterEach(async () => {
  await churn?.stop();
  churn = undefined;
  expect(failures().slice(failuresBefore), 'replication went on by itself').toEqual([]);
  expect(client.connections, 'the stream was never interrupted').toBe(expectedConnections);
});

async function connect(): Promise<pg.Client> {
  const connection = new pg.Client({ connectionString: postgres.url('ddl') });
  await connection.connect();
  return connection;
}

function failures(): string[] {
  return service.log.split('\n').filter((line) => /replication_failed|generation_lost/.test(line));
}

/** The client's table holds what `query` gives; by default what the source's table holds. */
async function shows(table: string, query = `SELECT * FROM ${table}`): Promise<void> {
  const look = () =>
    expectRows(client, table, async () => (await sql.query(query)).rows as readonly Row[]);
  await (churn === undefined ? look() : churn.pausedFor(look));
}

const NOTHING = 'SELECT WHERE false';

/** Rows of `items` come, change and go all the time; bodies stay in place, out of line. */
function churnItems(): void {
  churn = new Churn(churnSql, [
    `INSERT INTO items (id, n) VALUES ('c' || $1::int % 40, $1::int)`,
    `UPDATE items SET n = $1::int WHERE id = 'i' || (1 + $1::int % 20)`,
    `DELETE FROM items WHERE id = 'c' || ($1::int * 7) % 40`,
  ]);
}

describe('a table', () => {
  test('is created, dropped, and created again', async () => {
    await shows('mixed', NOTHING);
    await sql.query(
      `CREATE TABLE "Mixed Case" ("id" text PRIMARY KEY, "Some Column" int, "q""t" text)`,
    );
    await sql.query(`INSERT INTO "Mixed Case" VALUES ('a', 1, 'x'), ('b', 2, NULL)`);
    await shows('mixed', 'SELECT * FROM "Mixed Case"');
    await sql.query('DROP TABLE "Mixed Case"');
    await shows('mixed', NOTHING);
    await sql.query(`CREATE TABLE "Mixed Case" (id text PRIMARY KEY, other text)`);
    await sql.query(`INSERT INTO "Mixed Case" VALUES ('c', 'new')`);
    await shows('mixed', 'SELECT * FROM "Mixed Case"');
    await sql.query(`BEGIN; DROP TABLE "Mixed Case"; CREATE TABLE "Mixed Case" (id text PRIMARY KEY);
      INSERT INTO "Mixed Case" VALUES ('d'); COMMIT`);
    await shows('mixed', 'SELECT * FROM "Mixed Case"');
  });

  test('is renamed out of the config, and another one into it', async () => {
    churnItems();
    await sql.query('ALTER TABLE items RENAME TO put_aside');
    await sql.query(`UPDATE put_aside SET n = -1`);
    await shows('items', NOTHING);
    await sql.query('ALTER TABLE put_aside RENAME TO items');
    await shows('items');
    await sql.query(`BEGIN; ALTER TABLE items RENAME TO put_aside;
      CREATE TABLE items (id text PRIMARY KEY, n int, body text);
      INSERT INTO items VALUES ('fresh', 1, 'one'); COMMIT`);
    await shows('items');
    await sql.query(`BEGIN; DROP TABLE items; ALTER TABLE put_aside RENAME TO items; COMMIT`);
    await shows('items');
  });

  test('moves to another schema and back', async () => {
    await sql.query(`CREATE SCHEMA "Other Schema"; CREATE TABLE "Other Schema"."Things" (id int PRIMARY KEY, t text);
      INSERT INTO "Other Schema"."Things" VALUES (1, 'one')`);
    const things = 'SELECT id, t FROM "Other Schema"."Things"';
    await shows('things', things);
    await sql.query('ALTER TABLE "Other Schema"."Things" SET SCHEMA public');
    await sql.query(`INSERT INTO "Things" VALUES (2, 'elsewhere')`);
    await shows('things', NOTHING);
    await sql.query('ALTER TABLE "Things" SET SCHEMA "Other Schema"');
    await shows('things', things);
    await sql.query('ALTER SCHEMA "Other Schema" RENAME TO gone');
    await shows('things', NOTHING);
    await sql.query('ALTER SCHEMA gone RENAME TO "Other Schema"');
    await shows('things', things);
  });

  test('is added to a publication of named tables later, and taken out again', async () => {
    await sql.query(
      `CREATE TABLE late (id text PRIMARY KEY, n int); INSERT INTO late VALUES ('before', 1)`,
    );
    await shows('late');
    await sql.query('ALTER PUBLICATION powersync RENAME TO all_tables');
    await sql.query('CREATE PUBLICATION powersync FOR TABLE items, bag, events_1');
    await sql.query('DROP PUBLICATION all_tables');
    await shows('late', NOTHING);
    await sql.query(`INSERT INTO late VALUES ('unpublished', 2)`);
    await sql.query('ALTER PUBLICATION powersync ADD TABLE late');
    await shows('late');
    await sql.query(`UPDATE late SET n = n + 1`);
    await shows('late');
    await sql.query('ALTER PUBLICATION powersync RENAME TO named_tables');
    await sql.query('CREATE PUBLICATION powersync FOR ALL TABLES');
    await sql.query('DROP PUBLICATION named_tables');
    await shows('things', 'SELECT id, t FROM "Other Schema"."Things"');
  });

  test('is truncated, alone and with others', async () => {
    await sql.query(`INSERT INTO bag VALUES ('x', 1)`);
    await shows('bag', 'SELECT line AS id, line, n FROM bag');
    await sql.query('BEGIN; SAVEPOINT s; TRUNCATE items; ROLLBACK TO s; COMMIT');
    await sql.query(`BEGIN; TRUNCATE late; INSERT INTO late VALUES ('after', 9); COMMIT`);
    await shows('late');
    await sql.query('CREATE TABLE keep_items AS SELECT * FROM items');
    await sql.query('TRUNCATE items, bag, late');
    await shows('items', NOTHING);
    await shows('bag', NOTHING);
    await shows('late', NOTHING);
    await sql.query('INSERT INTO items SELECT * FROM keep_items; DROP TABLE keep_items');
    await shows('items');
  });
});

describe('columns', () => {
  /** An added or removed column shows only for rows that change afterwards. */
  async function touchAll(): Promise<void> {
    await sql.query(`UPDATE items SET n = coalesce(n, 0) + 1000`);
  }

  test.each([
    ['is added with a default', `ALTER TABLE items ADD COLUMN extra text DEFAULT 'd'`],
    ['is renamed', 'ALTER TABLE items RENAME COLUMN extra TO "Extra!"'],
    ['is dropped', 'ALTER TABLE items DROP COLUMN "Extra!"'],
    ['is added where one was dropped', 'ALTER TABLE items ADD COLUMN "Extra!" int DEFAULT 7'],
    ['changes its type', `ALTER TABLE items ALTER COLUMN "Extra!" TYPE text USING 't' || "Extra!"`],
    [
      'is an enum',
      `CREATE TYPE mood AS ENUM ('sad', 'ok');
        ALTER TABLE items ADD COLUMN feels mood DEFAULT 'ok'`,
    ],
    ['has its enum extended', `ALTER TYPE mood ADD VALUE 'happy'`],
    ['with large values is renamed', 'ALTER TABLE items RENAME COLUMN body TO story'],
    ['before others is dropped', 'ALTER TABLE items DROP COLUMN story'],
    [
      'with large values is added again',
      `ALTER TABLE items ADD COLUMN body text;
        ALTER TABLE items ALTER COLUMN body SET STORAGE EXTERNAL;
        UPDATE items SET body = repeat(md5(id), 200)`,
    ],
  ])('one %s', async (_title, change) => {
    churnItems();
    await sql.query(change);
    await touchAll();
    await shows('items');
    await touchAll();
    await shows('items');
  });

  test('an old row keeps what it had until it changes', async () => {
    await sql.query(`CREATE TABLE IF NOT EXISTS late (id text PRIMARY KEY, n int);
      TRUNCATE late; INSERT INTO late VALUES ('old', 1), ('new', 1)`);
    await shows('late');
    await sql.query(
      `ALTER TABLE late ADD COLUMN c text DEFAULT 'c'; UPDATE late SET n = 2 WHERE id = 'new'`,
    );
    const asSynced = `SELECT id, n, c FROM late WHERE id = 'new'`;
    await expectRows(client, 'late', async () => [
      ...((await sql.query(asSynced)).rows as readonly Row[]),
      { id: 'old', n: 1 },
    ]);
  });

  test('generated columns are shown as far as the version publishes them', async () => {
    await sql.query(`CREATE TABLE computed (id text PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, z text);
      INSERT INTO computed VALUES ('snapshot', 1, DEFAULT, 'z')`);
    const published = 'SELECT id, n, z FROM computed';
    await shows('computed', published);
    await sql.query(
      `INSERT INTO computed VALUES ('stream', 2, DEFAULT, 'y'); UPDATE computed SET n = n + 1`,
    );
    await shows('computed', published);
    await sql.query('ALTER TABLE computed ADD COLUMN n3 int GENERATED ALWAYS AS (n * 3) STORED');
    await sql.query('UPDATE computed SET n = n + 1');
    await shows('computed', published);
  });
});

describe('what identifies a row', () => {
  test('the primary key moves to another column, and gets a second one', async () => {
    await sql.query(
      'UPDATE items SET n = s.i FROM (SELECT id, row_number() OVER () i FROM items) s WHERE s.id = items.id',
    );
    await sql.query(
      'ALTER TABLE items DROP CONSTRAINT items_pkey; ALTER TABLE items ADD PRIMARY KEY (n)',
    );
    await shows('items');
    await sql.query(
      `UPDATE items SET n = n + 5000; UPDATE items SET id = id || '!' WHERE n % 2 = 0; DELETE FROM items WHERE n % 3 = 0`,
    );
    await shows('items');
    await sql.query(
      'ALTER TABLE items DROP CONSTRAINT items_pkey; ALTER TABLE items ADD PRIMARY KEY (id, n)',
    );
    await sql.query(`UPDATE items SET n = n + 1`);
    await shows('items');
    await sql.query(
      'ALTER TABLE items DROP CONSTRAINT items_pkey; ALTER TABLE items ADD PRIMARY KEY (id)',
    );
    await shows('items');
  });

  test('the replica identity goes from default to full, an index, nothing, and back', async () => {
    churnItems();
    const change = () =>
      sql.query(
        `UPDATE items SET n = n + 1; UPDATE items SET id = id || '.' || pg_current_xact_id() WHERE n % 5 = 0; DELETE FROM items WHERE n % 17 = 0`,
      );
    await sql.query('ALTER TABLE items REPLICA IDENTITY FULL');
    await change();
    await shows('items');
    await sql.query(`ALTER TABLE items ADD COLUMN uniq uuid NOT NULL DEFAULT gen_random_uuid();
      CREATE UNIQUE INDEX items_uniq ON items (uniq);
      ALTER TABLE items REPLICA IDENTITY USING INDEX items_uniq`);
    await change();
    await sql.query('UPDATE items SET uniq = gen_random_uuid() WHERE n % 2 = 0');
    await shows('items');
    await sql.query('ALTER TABLE items REPLICA IDENTITY NOTHING');
    await sql.query(`INSERT INTO items (id, n) VALUES ('no identity', 1)`);
    await shows('items');
    await sql.query('ALTER TABLE items REPLICA IDENTITY DEFAULT');
    await change();
    await shows('items');
  });

  test('rows without a key are counted', async () => {
    const bag = 'SELECT DISTINCT ON (line) line AS id, line, n FROM bag ORDER BY line, n';
    await sql.query(`ALTER TABLE bag REPLICA IDENTITY FULL; TRUNCATE bag;
      INSERT INTO bag VALUES ('twin', 1), ('twin', 1), ('single', 2)`);
    await shows('bag', bag);
    await sql.query(`DELETE FROM bag WHERE ctid = (SELECT min(ctid) FROM bag WHERE line = 'twin')`);
    await shows('bag', bag);
    await sql.query(`DELETE FROM bag WHERE line = 'twin'; UPDATE bag SET line = 'renamed'`);
    await shows('bag', bag);
    await sql.query(`ALTER TABLE bag ADD PRIMARY KEY (line); ALTER TABLE bag REPLICA IDENTITY DEFAULT;
      INSERT INTO bag VALUES ('keyed', 3)`);
    await shows('bag', bag);
    await sql.query(`ALTER TABLE bag DROP CONSTRAINT bag_pkey; ALTER TABLE bag REPLICA IDENTITY FULL;
      INSERT INTO bag VALUES ('keyed', 3); DELETE FROM bag WHERE line = 'renamed'`);
    await shows('bag', bag);
  });
});

test('a table that is gone again before it can be read holds nothing up', async () => {
  for (let i = 0; i < 10; i += 1) {
    await sql.query(`CREATE TABLE events_tmp (id text PRIMARY KEY, day int, body text);
      INSERT INTO events_tmp SELECT 'tmp' || i, i, repeat('x', 1000) FROM generate_series(1, 1000) i`);
    if (i % 2 === 0) await sql.query('ALTER TABLE events_tmp DROP COLUMN day');
    await sql.query('UPDATE events_tmp SET body = body');
    await sql.query('DROP TABLE events_tmp');
    await sql.query(`UPDATE items SET n = n + 1`);
  }
  await shows('items');
  await shows('event_rows', 'SELECT id, day FROM events');
});

test('partitions come, go, and are filled through their root', async () => {
  const all = 'SELECT id, day FROM events';
  await sql.query(`INSERT INTO events VALUES ('a', 1)`);
  await shows('event_rows', all);
  await sql.query(`CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20);
    INSERT INTO events VALUES ('b', 11), ('c', 2)`);
  await shows('event_rows', all);
  await sql.query(`UPDATE events SET day = 12 WHERE id = 'a'`); // moves to another partition
  await shows('event_rows', all);
  await sql.query(`CREATE TABLE events_3 (id text, day int NOT NULL, PRIMARY KEY (id, day));
    INSERT INTO events_3 VALUES ('d', 25)`);
  await shows('event_rows', `${all} UNION ALL SELECT id, day FROM events_3`);
  await sql.query('ALTER TABLE events ATTACH PARTITION events_3 FOR VALUES FROM (20) TO (30)');
  await sql.query(`INSERT INTO events VALUES ('e', 26)`);
  await shows('event_rows', all);
  await sql.query(
    'ALTER TABLE events DETACH PARTITION events_1; ALTER TABLE events_1 RENAME TO old_events',
  );
  await shows('event_rows', all);
  await sql.query('TRUNCATE events');
  await shows('event_rows', NOTHING);
});

test('tables that changed while the service was away are taken up as they are', async () => {
  // Its column stands behind one that goes, so the place of the key moves.
  await sql.query('ALTER TABLE items REPLICA IDENTITY USING INDEX items_uniq');
  churnItems();
  await service.stop('SIGKILL');
  await sql.query(`
    UPDATE items SET n = n + 1;
    ALTER TABLE items ADD COLUMN first_new text DEFAULT 'f';
    UPDATE items SET n = n + 1;
    ALTER TABLE items DROP COLUMN body;
    UPDATE items SET first_new = id;
    CREATE TABLE events_9 PARTITION OF events FOR VALUES FROM (90) TO (100);
    INSERT INTO events VALUES ('nine', 90);
    DROP TABLE late;
    CREATE TABLE late (n int PRIMARY KEY, id text);
    INSERT INTO late VALUES (1, 'other shape');
    ALTER TABLE "Other Schema"."Things" RENAME TO "Nothings";
    ALTER TABLE bag RENAME TO put_aside;
    ALTER TABLE computed DROP CONSTRAINT computed_pkey;
    ALTER TABLE computed ADD PRIMARY KEY (n);
    UPDATE computed SET n = n + 100`);
  service.start();
  await service.untilReady();
  await shows('items');
  await shows('event_rows', 'SELECT id, day FROM events');
  await shows('late');
  await shows('things', NOTHING);
  await shows('bag', NOTHING);
  await shows('computed', 'SELECT id, n, z FROM computed');
  expectedConnections = client.connections;
});
