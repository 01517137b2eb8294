import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalPostgres } from '@sluice/local-postgres';
import { SeededRandom, until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OfficialClient, type Upload } from './support/official-client.ts';
import {
  BUCKET_DEFINITIONS,
  ENTITLED,
  RandomWrites,
  SCHEMA_SQL,
  STREAMS,
  USERS,
} from './support/sample-world.ts';
import { ServiceProcess } from './support/service-process.ts';
import { TokenIssuer } from './support/tokens.ts';

const SEED = Number(process.env.SLUICE_TEST_SEED ?? 20261121);
const CHANGES = Number(process.env.SLUICE_TEST_CHANGES ?? 10_000);

let postgres: LocalPostgres;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-e2e-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
});

afterAll(async () => {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

describe.each([
  {
    dialect: 'bucket definitions',
    transport: 'http',
    syncConfig: BUCKET_DEFINITIONS,
    changes: CHANGES,
    kills: 5,
  },
  { dialect: 'sync streams', transport: 'http', syncConfig: STREAMS, changes: CHANGES, kills: 5 },
  {
    dialect: 'sync streams',
    transport: 'websocket',
    syncConfig: STREAMS,
    changes: CHANGES / 4,
    kills: 2,
  },
] as const)('the official Node client, with $dialect over $transport', (world) => {
  const { syncConfig, transport, changes, kills } = world;
  const database = `${world.dialect.replace(' ', '_')}_${transport}`;
  const issuer = new TokenIssuer();
  const clients = new Map<string, OfficialClient>();
  let service: ServiceProcess;
  let sql: pg.Client;

  beforeAll(async () => {
    await postgres.ensureDatabase(database);
    sql = new pg.Client({ connectionString: postgres.url(database) });
    await sql.connect();
    await sql.query(SCHEMA_SQL);
    const home = await mkdtemp(path.join(dir, `${database}-`));
    service = await ServiceProcess.create({
      dir: home,
      databaseUrl: postgres.url(database),
      syncConfig,
      issuer,
    });
    for (const user of USERS) clients.set(user, newClient(user, home));
  });

  afterAll(async () => {
    for (const client of clients.values()) await client[Symbol.asyncDispose]();
    await service.stop();
    await sql.end();
  });

  function newClient(user: string, home: string): OfficialClient {
    return new OfficialClient({
      dir: home,
      name: user,
      endpoint: service.url,
      transport,
      token: () => issuer.token(user),
      upload: (uploads) => applyUploads(sql, uploads),
    });
  }

  /** Waits until every user's tables hold exactly what the equivalent SELECTs give. */
  async function expectConverged(timeoutMs: number): Promise<void> {
    for (const [user, client] of clients) {
      for (const [table, query] of Object.entries(ENTITLED)) {
        const { rows } = await sql.query(`SELECT * FROM (${query}) AS q ORDER BY id COLLATE "C"`, [
          user,
        ]);
        const expected = JSON.stringify(rows);
        let actual: unknown;
        const same = async (): Promise<boolean> => {
          actual = await client.rows(table);
          return JSON.stringify(actual) === expected;
        };
        await until(`${user} has the right ${table}`, same, timeoutMs).catch(() => {
          expect({ user, table, rows: actual }).toEqual({ user, table, rows });
        });
      }
    }
  }

  test(`ends with the rows of the equivalent SELECTs after ${changes} random changes and ${kills} kills (seed ${SEED})`, async () => {
    const random = new SeededRandom(SEED);
    const writes = new RandomWrites(sql, random);
    await writes.seed();
    service.start();
    await service.untilReady();
    for (const client of clients.values()) await client.connect();
    let done = 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      while (done < (changes * kill) / (kills + 1)) done += await writes.transaction();
      await service.stop('SIGKILL');
      for (let i = 0; i < 20; i += 1) done += await writes.transaction();
      service.start();
    }
    while (done < changes) done += await writes.transaction();
    await service.untilReady();
    await expectConverged(60_000);
    for (const client of clients.values()) expect(client.checksumFailures()).toEqual([]);
  });

  test('uploads local writes, and gets them back confirmed by a write checkpoint', async () => {
    const client = clients.get('ann') as OfficialClient;
    await client.db.execute('INSERT INTO notes (id, owner_id, body, stars) VALUES (?, ?, ?, ?)', [
      'written-locally',
      'ann',
      'hello',
      1,
    ]);
    await client.db.execute(`UPDATE notes SET stars = 2 WHERE id = 'written-locally'`);
    await until('the queue is empty', async () => (await client.queuedWrites()) === 0);
    const stored = await sql.query(`SELECT body, stars FROM notes WHERE id = 'written-locally'`);
    expect(stored.rows).toEqual([{ body: 'hello', stars: 2 }]);
    await sql.query(`UPDATE notes SET stars = 3 WHERE id = 'written-locally'`);
    await expectConverged(20_000);
    await client.db.execute(`DELETE FROM notes WHERE id = 'written-locally'`);
    await until('the row is deleted at the source', async () => {
      const found = await sql.query(`SELECT 1 FROM notes WHERE id = 'written-locally'`);
      return found.rowCount === 0;
    });
    await expectConverged(20_000);
  });

  test('shows a change of the source within a second on an idle service', async () => {
    const client = clients.get('bob') as OfficialClient;
    await sql.query(`INSERT INTO notes (id, owner_id, body) VALUES ('quick', 'bob', 'now')`);
    const startedAt = Date.now();
    await until('the note arrives', async () =>
      (await client.rows('notes')).some((row) => row.id === 'quick'),
    );
    expect(Date.now() - startedAt).toBeLessThan(1000);
  });

  test('a client that starts cold later gets the same rows', async () => {
    const home = await mkdtemp(path.join(dir, 'cold-'));
    await clients.get('cid')?.[Symbol.asyncDispose]();
    const cold = newClient('cid', home);
    clients.set('cid', cold);
    await cold.connect();
    await expectConverged(20_000);
    expect(cold.checksumFailures()).toEqual([]);
  });
});

/** What an application's backend does with uploads, in its simplest form. */
async function applyUploads(sql: pg.Client, uploads: readonly Upload[]): Promise<void> {
  for (const { op, table, id, data } of uploads) {
    const target = pg.escapeIdentifier(table);
    const columns = Object.keys(data);
    const names = columns.map((name) => pg.escapeIdentifier(name));
    const values = columns.map((name) => data[name]);
    if (op === 'DELETE') await sql.query(`DELETE FROM ${target} WHERE id = $1`, [id]);
    else if (op === 'PATCH') {
      const sets = names.map((name, i) => `${name} = $${i + 2}`).join(', ');
      await sql.query(`UPDATE ${target} SET ${sets} WHERE id = $1`, [id, ...values]);
    } else {
      const places = columns.map((_, i) => `$${i + 2}`);
      await sql.query(
        `INSERT INTO ${target} (id, ${names.join(', ')}) VALUES ($1, ${places.join(', ')})
         ON CONFLICT (id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
        [id, ...values],
      );
    }
  }
}
