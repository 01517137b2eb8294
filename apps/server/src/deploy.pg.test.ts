import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '@sluice/base';
import { ScratchPostgres } from '@sluice/testing';
import type { Service } from './service.ts';
import {
  LineReader,
  ops,
  probe,
  startTestService,
  tokenFor,
  until,
  untilReady,
  type TestServiceOptions,
} from './testing/test-service.ts';

const LISTS = `
  lists:
    auto_subscribe: true
    query: SELECT id, name FROM lists WHERE owner = auth.user_id()
`;
const TODOS = `
  todos:
    auto_subscribe: true
    query: SELECT id, title FROM todos WHERE list IN (SELECT id FROM lists WHERE owner = auth.user_id())
`;
const config = (...streams: readonly string[]) =>
  `config: { edition: 3 }\nstreams:${streams.join('')}`;
const FIRST = config(LISTS);
const SECOND = config(LISTS, TODOS);
const FAULTY = config(LISTS.replace('FROM lists', 'FORM lists'));

let scratch: ScratchPostgres;
let database: pg.Client;
let databases = 0;
let options: TestServiceOptions;

beforeAll(async () => {
  scratch = await ScratchPostgres.start();
});
afterAll(() => scratch?.[Symbol.asyncDispose]());

beforeEach(async () => {
  const name = `deploy${++databases}`;
  await scratch.server.ensureDatabase(name);
  const uri = scratch.server.url(name);
  options = { uri, storagePath: path.join(scratch.folder, name, 'buckets.db') };
  database = new pg.Client({ connectionString: uri });
  await database.connect();
  await database.query(`
    CREATE TABLE lists (id text PRIMARY KEY, owner text NOT NULL, name text);
    CREATE TABLE todos (id text PRIMARY KEY, list text, title text);
    CREATE TABLE unused (id int);
    CREATE PUBLICATION powersync FOR ALL TABLES;
    INSERT INTO lists VALUES ('l1', 'u1', 'Food'), ('l2', 'u2', 'Work');
    INSERT INTO todos VALUES ('t1', 'l1', 'Milk'), ('t2', 'l2', 'Mail');
  `);
});
afterEach(() => database.end());

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
  readonly text: string;
}

async function ask(
  service: Service,
  route: string,
  body: JsonObject | string | undefined = {},
): Promise<Answer> {
  const isYaml = typeof body === 'string';
  const isGet = route.endsWith('current');
  const response = await fetch(`${service.url}/api/${route}`, {
    method: isGet ? 'GET' : 'POST',
    headers: {
      authorization: 'Bearer admin',
      'content-type': isYaml ? 'application/yaml' : 'application/json',
    },
    ...(isGet ? {} : { body: isYaml ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) as JsonObject, text };
}

/** Deploys as the official tools do, and waits until it serves. */
async function deploy(service: Service, yaml: string): Promise<void> {
  await until(async () => {
    const { status, text } = await ask(service, 'sync-rules/v1/deploy', yaml);
    expect(status, text).toBe(200); // until the replicator runs
  });
  await untilServing(service, yaml);
}

async function untilServing(service: Service, yaml: string): Promise<void> {
  await until(async () => {
    const { body } = await ask(service, 'sync-rules/v1/current');
    expect(body).toMatchObject({ data: { current: { content: yaml }, next: null } });
  });
}

const SLOT = expect.stringMatching(/^powersync_\d+_[0-9a-f]{8}$/) as unknown;
const refusal = (status: number, code: string) => ({
  status,
  body: { error: { status, code, description: expect.any(String) as unknown } },
});

describe('without a sync config in the configuration file', () => {
  it('the service waits for a first one, and keeps it over a restart', async () => {
    {
      await using service = await startTestService(options);
      await until(async () => expect(await probe(service, 'startup')).toBe(200));
      const early = await fetch(`${service.url}/sync/stream`, {
        method: 'POST',
        headers: { authorization: await tokenFor('u1') },
      });
      expect(early.status).toBe(500);
      expect(await early.json()).toMatchObject({ error: { code: 'PSYNC_S2302' } });
      for (const route of [
        'sync-rules/v1/current',
        'sync-rules/v1/reprocess',
        'admin/v1/reprocess',
      ]) {
        expect(await ask(service, route)).toMatchObject(refusal(422, 'PSYNC_S4104'));
      }
      expect(await ask(service, 'admin/v1/diagnostics')).toMatchObject({
        status: 200,
        body: { data: { connections: [{ connected: true }] } },
      });
      const { body } = await ask(service, 'admin/v1/plan', { sync_rules: FIRST });
      expect(body['data']).toMatchObject({ kind: 'first', rows: 2 });

      const deployed = await ask(service, 'sync-rules/v1/deploy', { content: FIRST });
      expect(deployed).toMatchObject({ status: 200, body: { data: { slot_name: SLOT } } });
      await untilServing(service, FIRST);
    }
    await using again = await startTestService(options);
    await untilReady(again);
    const client = await LineReader.open(again, 'u1');
    expect(ops(await client.completed(1))).toEqual(['PUT {"id":"l1","name":"Food"}']);
    client.close();
  });

  it('a deploy brings connected clients only what is new, and going back takes it away', async () => {
    await using service = await startTestService(options);
    await deploy(service, FIRST);
    const client = await LineReader.open(service, 'u1');
    await client.completed(1);

    const { body: planned } = await ask(service, 'admin/v1/plan', { sync_rules: SECOND });
    expect(planned['data']).toMatchObject({
      kind: 'definitions',
      definitions: [
        { name: 'lists', change: 'kept', fills: false },
        { name: 'todos', change: 'added', fills: true, clients: 1 },
      ],
      clients: 1,
    });
    await deploy(service, SECOND);
    const status = await ask(service, 'admin/v1/status');
    expect(status.body['data']).toMatchObject({
      isPinned: false,
      deploying: null,
      previous: { generationId: 1 },
    });
    const reader = await reconnected(service, client);
    await until(() => expect(ops(reader.lines)).toEqual(['PUT {"id":"t1","title":"Milk"}']));

    expect(await ask(service, 'admin/v1/rollback')).toMatchObject({
      status: 200,
      body: { data: { slot_name: SLOT } },
    });
    await untilServing(service, FIRST);
    reader.close();
  });

  it('a faulty one is refused with what is wrong, and harms nothing', async () => {
    await using service = await startTestService(options);
    await deploy(service, FIRST);
    const refused = await ask(service, 'sync-rules/v1/deploy', FAULTY);
    expect(refused).toMatchObject(refusal(422, 'PSYNC_R0001'));
    expect(refused.text).toMatch(/SQL_SYNTAX/);
    expect(refused.text).toMatch(/FORM lists/);
    expect(await ask(service, 'admin/v1/rollback')).toMatchObject(refusal(422, 'PSYNC_S2001'));
    await untilServing(service, FIRST);
    await database.query(`UPDATE lists SET name = 'Drinks' WHERE id = 'l1'`);
    const client = await LineReader.open(service, 'u1');
    await until(() => expect(ops(client.lines).at(-1)).toBe('PUT {"id":"l1","name":"Drinks"}'));
    client.close();
  });

  it('reprocessing reads everything again, and clients end up with the same', async () => {
    await using service = await startTestService(options);
    await deploy(service, FIRST);
    const answer = await ask(service, 'admin/v1/reprocess');
    expect(answer).toMatchObject({
      status: 200,
      body: { data: { connections: [{ id: 'default', tag: 'default', slot_name: SLOT }] } },
    });
    await untilServing(service, FIRST);
    const again = await ask(service, 'sync-rules/v1/reprocess');
    expect(again).toMatchObject({ status: 200, body: { data: { slot_name: SLOT } } });
    await untilServing(service, FIRST);
    const client = await LineReader.open(service, 'u2');
    expect(ops(await client.completed(1))).toEqual(['PUT {"id":"l2","name":"Work"}']);
    client.close();
  });
});

describe('with a sync config in the configuration file', () => {
  it('it is pinned: only reprocessing is possible', async () => {
    await using service = await startTestService({ ...options, syncConfig: FIRST });
    await untilReady(service);
    const pinned = refusal(422, 'PSYNC_S4105');
    expect(await ask(service, 'sync-rules/v1/deploy', SECOND)).toMatchObject(pinned);
    expect(await ask(service, 'admin/v1/rollback')).toMatchObject(pinned);
    expect(await ask(service, 'admin/v1/status')).toMatchObject({
      body: { data: { isPinned: true } },
    });
    expect(await ask(service, 'sync-rules/v1/reprocess')).toMatchObject({ status: 200 });
  });

  it('a faulty one ends the start, or with exit_on_error off leaves what was there', async () => {
    {
      await using service = await startTestService({ ...options, syncConfig: FIRST });
      await untilReady(service);
    }
    const faulty = { ...options, syncConfig: FAULTY };
    await expect(startTestService(faulty)).rejects.toMatchObject({ code: 'CONFIG_SYNC_INVALID' });
    await using service = await startTestService({ ...faulty, exitOnError: false });
    await untilReady(service);
    await untilServing(service, FIRST);
    await database.query(`INSERT INTO lists VALUES ('l3', 'u1', 'Home')`);
    const client = await LineReader.open(service, 'u1');
    await until(() => expect(ops(client.lines)).toContain('PUT {"id":"l3","name":"Home"}'));
    client.close();
  });
});

describe('admin payloads', () => {
  it('diagnostics', async () => {
    await using service = await startTestService({ ...options, syncConfig: SECOND });
    await untilReady(service);
    await until(async () => {
      const { body } = await ask(service, 'admin/v1/diagnostics', { sync_rules_content: true });
      const uri = new URL(options.uri);
      const shown = `postgresql://${uri.hostname}:${uri.port}${uri.pathname}`;
      const table = (name: string, uses: JsonObject) => ({
        schema: 'public',
        name,
        replication_id: ['id'],
        ...uses,
        errors: [],
      });
      expect(body['data']).toEqual({
        connections: [
          { id: 'default', uri: shown, postgres_uri: shown, connected: true, errors: [] },
        ],
        active_sync_rules: {
          content: SECOND,
          connections: [
            {
              id: 'default',
              tag: 'default',
              slot_name: SLOT,
              initial_replication_done: true,
              last_lsn: expect.stringMatching(/^[0-9A-F]{8}\/[0-9A-F]{8}$/) as unknown,
              last_keepalive_ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
              last_checkpoint_ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
              replication_lag_bytes: expect.any(Number) as unknown,
              wal_status: 'reserved',
              safe_wal_size: expect.any(Number) as unknown,
              max_slot_wal_keep_size: expect.any(Number) as unknown,
              tables: [
                table('lists', { data_queries: true, parameter_queries: true }),
                table('todos', { data_queries: true, parameter_queries: false }),
              ],
            },
          ],
          errors: [],
        },
      });
    });
  });

  it('validate: everything that is wrong, with the schema and the connection', async () => {
    await using service = await startTestService({ ...options, syncConfig: FIRST });
    const ask1 = async (sync_rules: string) =>
      (await ask(service, 'admin/v1/validate', { sync_rules })).body['data'];
    const misspelt = FIRST.replace('owner', 'onwer');
    expect(await ask1(misspelt)).toMatchObject({
      connections: [
        { slot_name: '', initial_replication_done: false, tables: [{ name: 'lists' }] },
      ],
      errors: [
        {
          level: 'warning',
          message: expect.stringMatching(/^COLUMN_NOT_FOUND: .*onwer/) as unknown,
          location: {
            start_offset: misspelt.indexOf('onwer'),
            end_offset: misspelt.indexOf('onwer') + 5,
          },
        },
      ],
    });
    expect(await ask1(FAULTY)).toMatchObject({
      connections: [{ tables: [] }],
      errors: [{ level: 'fatal' }],
    });
    await database.query('DROP PUBLICATION powersync');
    expect(await ask1(FIRST)).toMatchObject({
      errors: [{ level: 'fatal', message: expect.stringContaining('powersync') as unknown }],
    });
    const rules = await ask(service, 'sync-rules/v1/validate', FAULTY);
    expect(rules).toMatchObject({ status: 200, body: { valid: false } });
  });

  it('schema', async () => {
    await using service = await startTestService({ ...options, syncConfig: FIRST });
    const { body } = await ask(service, 'admin/v1/schema');
    expect(body['data']).toMatchObject({
      defaultConnectionTag: 'default',
      defaultSchema: 'public',
      connections: [
        {
          id: 'default',
          tag: 'default',
          schemas: [
            {
              name: 'public',
              tables: [
                { name: 'lists' },
                { name: 'todos' },
                {
                  name: 'unused',
                  columns: [
                    {
                      name: 'id',
                      sqlite_type: 4,
                      internal_type: 'int4',
                      type: 'integer',
                      pg_type: 'int4',
                    },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it.each<[boolean, string, JsonObject]>([
    [false, 'SELECT 1 AS a', { success: false, error: expect.stringMatching(/debug_api/) as never }],
    [true, 'SELECT id, $1::int AS n FROM public.lists ORDER BY id LIMIT 1', {
      success: true, results: { columns: ['id', 'n'], rows: [['l1', 7]] } }],
    [true, 'DELETE FROM public.lists WHERE $1::int = 7', {
      success: false, error: expect.stringMatching(/read-only transaction/) as never }],
  ])('execute-sql, with debug_api %s: %s', async (debugApi, query, expected) => {
    await using service = await startTestService({ ...options, syncConfig: FIRST, debugApi });
    const args = query.includes('$1') ? [7] : [];
    const { status, body } = await ask(service, 'admin/v1/execute-sql', { sql: { query, args } });
    expect(status).toBe(200);
    expect(body['data']).toMatchObject(expected);
    const { rows } = await database.query('SELECT id FROM lists');
    expect(rows).toHaveLength(2);
  }); // prettier-ignore
});

/** A new stream that holds what the other one got, as a client that was sent away comes back. */
async function reconnected(service: Service, before: LineReader): Promise<LineReader> {
  await before.ended;
  const { checkpoint } = before.lines[0] as unknown as {
    checkpoint: { last_op_id: string; buckets: { bucket: string }[] };
  };
  const buckets = checkpoint.buckets.map(({ bucket }) => ({
    name: bucket,
    after: checkpoint.last_op_id,
  }));
  return LineReader.open(service, 'u1', { buckets });
}
