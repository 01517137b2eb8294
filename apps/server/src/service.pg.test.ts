import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '@sluice/base';
import { LocalPostgres } from '@sluice/local-postgres';
import { ScratchPostgres } from '@sluice/testing';
import {
  kinds,
  LineReader,
  ops,
  probe,
  startTestService,
  tokenFor,
  until,
  untilReady,
} from './testing/test-service.ts';

const SYNC_CONFIG = `
bucket_definitions:
  by_owner:
    parameters: SELECT request.user_id() AS owner
    data:
      - SELECT id, title, done FROM todos WHERE owner = bucket.owner
`;

let scratch: ScratchPostgres;
let postgres: LocalPostgres;
let database: pg.Client;
let databases = 0;
let databaseName = '';
let storageDir = '';

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
  postgres = scratch.server;
});
afterAll(() => scratch?.[Symbol.asyncDispose]());

beforeEach(async () => {
  databases += 1;
  databaseName = `app${databases}`;
  storageDir = path.join(scratch.folder, `storage${databases}`);
  await postgres.ensureDatabase(databaseName);
  database = await openDatabase(databaseName);
  await database.query(`
    CREATE TABLE todos (id text PRIMARY KEY, owner text NOT NULL, title text, done boolean);
    CREATE PUBLICATION powersync FOR ALL TABLES;
    INSERT INTO todos VALUES ('t1', 'u1', 'Milk', false), ('t2', 'u2', 'Bread', false);
  `);
});
afterEach(() => database.end());

async function openDatabase(name: string, url = postgres.url(name)): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // a test stops the server
  await client.connect();
  return client;
}

function start(change: { readonly uri?: string; readonly syncConfig?: string } = {}) {
  return startTestService({
    uri: change.uri ?? postgres.url(databaseName),
    storagePath: path.join(storageDir, 'buckets.db'),
    syncConfig: change.syncConfig ?? SYNC_CONFIG,
  });
}

describe('a service on a real database', () => {
  it('streams the snapshot, then changes, then a write checkpoint', async () => {
    await using service = await start();
    await untilReady(service);
    const client = await LineReader.open(service, 'u1');
    const first = [...(await client.completed(1))];
    expect(kinds(first)).toEqual(['checkpoint', 'data', 'checkpoint_complete']);
    expect(ops(first)).toEqual(['PUT {"id":"t1","title":"Milk","done":0}']);

    await database.query(`UPDATE todos SET done = true WHERE id = 't1'`);
    const second = (await client.completed(2)).slice(first.length);
    expect(kinds(second)).toEqual(['checkpoint_diff', 'data', 'checkpoint_complete']);
    expect(ops(second)).toEqual(['PUT {"id":"t1","title":"Milk","done":1}']);

    const answer = await fetch(`${service.url}/write-checkpoint2.json?client_id=c1`, {
      headers: { authorization: await tokenFor('u1'), 'content-type': 'application/json' },
    });
    expect(await answer.json()).toEqual({ data: { write_checkpoint: '1' } });
    await client.completed(3);
    expect(client.lines.at(-2)).toMatchObject({
      checkpoint_diff: { write_checkpoint: '1', updated_buckets: [], removed_buckets: [] },
    });

    // spec/protocol.md 5.2: chosen by the client, on a source where nothing else happens
    const requested = await fetch(`${service.url}/sync/checkpoint-request`, {
      method: 'POST',
      headers: { authorization: await tokenFor('u1'), 'content-type': 'application/json' },
      body: JSON.stringify({ client_id: 'c1', checkpoint_request_id: '9007199254740993' }),
    });
    expect(await requested.json()).toEqual({ data: { checkpoint_request_id: '9007199254740993' } });
    await client.completed(4);
    expect(client.lines.at(-2)).toMatchObject({
      checkpoint_diff: { write_checkpoint: '9007199254740993' },
    });

    await until(() => expect(service.status().replication.state).toBe('streaming'));
    expect(service.status()).toMatchObject({ clients: 1, replication: { lastError: undefined } });
    expect(service.status().checkpointOpId).toMatch(/^\d+$/);
    client.close();
    await until(() => expect(service.status().clients).toBe(0));
  });

  it('ends streams normally when it stops, and goes on where it was after a restart', async () => {
    const before = await start();
    await untilReady(before);
    const client = await LineReader.open(before, 'u1');
    await client.completed(1);
    const startedMs = Date.now();
    await before.stop();
    await client.ended;
    expect(Date.now() - startedMs).toBeLessThan(10_000);
    const { checkpoint } = client.lines[0] as {
      checkpoint: { last_op_id: string; buckets: { bucket: string }[] };
    };

    await database.query(`INSERT INTO todos VALUES ('t3', 'u1', 'Eggs', false)`);
    await using after = await start();
    await untilReady(after);
    const held = checkpoint.buckets.map(({ bucket }) => ({
      name: bucket,
      after: checkpoint.last_op_id,
    }));
    const again = await LineReader.open(after, 'u1', { buckets: held });
    await until(() =>
      expect(ops(again.lines)).toEqual(['PUT {"id":"t3","title":"Eggs","done":0}']),
    );
    again.close();
  });

  it('reads the source again when the slot was dropped', async () => {
    const before = await start();
    await untilReady(before);
    await before.stop();
    await until(() =>
      database
        .query(
          `
      SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
      WHERE database = current_database()`,
        )
        .then(() => {}),
    );
    await database.query(`INSERT INTO todos VALUES ('t3', 'u1', 'Eggs', false)`);
    await using after = await start();
    await until(async () => {
      const client = await LineReader.open(after, 'u1');
      await client.completed(1);
      client.close();
      expect(ops(client.lines).toSorted()).toEqual([
        'PUT {"id":"t1","title":"Milk","done":0}',
        'PUT {"id":"t3","title":"Eggs","done":0}',
      ]);
    });
  });

  it('shows itself to operators', async () => {
    await using service = await start();
    await untilReady(service);
    const ask = async (route: string, body: JsonObject = {}) => {
      const response = await fetch(`${service.url}/api/${route}`, {
        method: 'POST',
        headers: { authorization: 'Bearer admin', 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as { data: JsonObject };
    };
    expect((await ask('admin/v1/diagnostics', { sync_rules_content: true })).data).toMatchObject({
      connections: [{ id: 'default', connected: true }],
      active_sync_rules: {
        content: SYNC_CONFIG,
        connections: [{ initial_replication_done: true, tables: [{ name: 'todos' }] }],
      },
    });
    expect((await ask('admin/v1/schema')).data).toMatchObject({
      defaultSchema: 'public',
      connections: [{ schemas: [{ name: 'public', tables: [{ name: 'todos' }] }] }],
    });
    const invalid = await ask('admin/v1/validate', { sync_rules: 'streams: 1' });
    const errors = invalid.data['errors'] as readonly JsonObject[];
    expect(errors[0]).toMatchObject({ level: 'fatal', location: { start_offset: 0 } });
    const current = await fetch(`${service.url}/api/sync-rules/v1/current`, {
      headers: { authorization: 'Bearer admin' },
    });
    expect(await current.json()).toMatchObject({ data: { current: { valid: true }, next: null } });
  });
});

describe('a service whose source is away or wrong', () => {
  it('serves probes and says why, and recovers when the password is corrected', async () => {
    await database.query(`CREATE ROLE replicator LOGIN REPLICATION SUPERUSER PASSWORD 'right'`);
    const uri = postgres.url(databaseName).replace('postgres:postgres', 'replicator:wrong');
    await using service = await start({ uri });
    await until(() =>
      expect(service.status().replication).toMatchObject({
        state: 'waiting',
        lastError: { code: 'SOURCE_AUTH_FAILED' },
      }),
    );
    expect(await probe(service, 'readiness')).toBe(400);
    expect(await probe(service, 'liveness')).toBe(200);
    await database.query(`ALTER ROLE replicator PASSWORD 'wrong'`);
    await untilReady(service);
    await until(() => expect(service.status().replication.lastError).toBeUndefined());
  });

  it('recovers when the publication is created', async () => {
    await database.query('DROP PUBLICATION powersync');
    await using service = await start();
    await until(() =>
      expect(service.status().replication.lastError?.code).toBe('SOURCE_PUBLICATION_MISSING'),
    );
    await database.query('CREATE PUBLICATION powersync FOR ALL TABLES');
    await untilReady(service);
  });

  it('recovers when the database is started, with logical changes switched on', async () => {
    const dataDir = path.join(scratch.folder, 'other');
    const other = await LocalPostgres.start({
      dataDir,
      fast: true,
      settings: { wal_level: 'replica' },
    });
    const { port } = other;
    const client = await openDatabase('postgres', other.url());
    await client.query(
      'CREATE PUBLICATION powersync FOR ALL TABLES; CREATE TABLE todos (id text PRIMARY KEY, owner text, title text, done boolean)',
    );
    await client.end();
    await other.stop();
    await using service = await start({ uri: other.url() });
    const code = () => service.status().replication.lastError?.code;
    await until(() => expect(code()).toBe('SOURCE_UNREACHABLE'));
    const replica = { dataDir, port, fast: true, settings: { wal_level: 'replica' } };
    const second = await LocalPostgres.start(replica);
    await until(() => expect(code()).toBe('SOURCE_WAL_LEVEL'));
    await second.stop();
    await using third = await LocalPostgres.start({ dataDir, port, fast: true });
    await untilReady(service);
    expect(third.port).toBe(port);
    await service.stop();
  });

  it('answers clients with an error while there is nothing to serve', async () => {
    await database.query('DROP PUBLICATION powersync');
    await using service = await start();
    await until(async () => expect(await probe(service, 'startup')).toBe(200));
    const response = await fetch(`${service.url}/sync/stream`, {
      method: 'POST',
      headers: { authorization: await tokenFor('u1') },
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { code: 'PSYNC_S2302' } });
  });
});

it('does not start with a sync config that has errors', async () => {
  const invalid = start({ syncConfig: 'bucket_definitions: {a: {data: [SELECT nope]}}' });
  await expect(invalid).rejects.toMatchObject({ code: 'CONFIG_SYNC_INVALID' });
});
