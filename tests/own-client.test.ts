import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { column, formatEntry, Schema, Table, type CrudEntry } from '@sluice/client';
import { openDatabase } from '@sluice/client-node';
import { LocalPostgres } from '@sluice/local-postgres';
import { SeededRandom, until } from '@sluice/testing';
import { createWriteApi } from '@sluice/write-api';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OwnClient } from './support/own-client.ts';
import { ENTITLED, RandomWrites, SCHEMA_SQL, STREAMS, USERS } from './support/sample-world.ts';
import { ServiceProcess } from './support/service-process.ts';
import { TokenIssuer } from './support/tokens.ts';

const SEED = Number(process.env.SLUICE_TEST_SEED ?? 20261125);
const CHANGES = Number(process.env.SLUICE_TEST_CHANGES ?? 2_000);

let postgres: LocalPostgres;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-own-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
});

afterAll(async () => {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

describe.each(['http', 'http bson', 'websocket'] as const)('our client over %s', (transport) => {
  const database = `own_${transport.replace(' ', '_')}`;
  const issuer = new TokenIssuer();
  const clients = new Map<string, OwnClient>();
  let service: ServiceProcess;
  let sql: pg.Client;
  let pool: pg.Pool;

  beforeAll(async () => {
    await postgres.ensureDatabase(database);
    const connectionString = postgres.url(database);
    sql = new pg.Client({ connectionString });
    await sql.connect();
    pool = new pg.Pool({ connectionString });
    await sql.query(SCHEMA_SQL);
    const home = await mkdtemp(path.join(dir, `${database}-`));
    const options = { dir: home, databaseUrl: connectionString, syncConfig: STREAMS, issuer };
    service = await ServiceProcess.create(options);
    for (const user of USERS) clients.set(user, newClient(user));
  });

  afterAll(async () => {
    for (const client of clients.values()) await client.session.disconnect();
    await service.stop();
    await pool.end();
    await until('the pool has hung up', async () => {
      const { rowCount } = await sql.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
          AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      );
      return rowCount === 0;
    });
    await sql.end();
  });

  function uploadHandler(user: string) {
    return createWriteApi({
      database: pool,
      authenticate: () =>
        Promise.resolve({ userId: user, claims: { sub: user }, clientId: undefined }),
    });
  }

  function newClient(user: string): OwnClient {
    const handle = uploadHandler(user);
    return new OwnClient({
      endpoint: service.url,
      transport,
      token: () => issuer.token(user),
      upload: (entries) => send(handle, entries),
    });
  }

  function clientOf(user: string): OwnClient {
    const client = clients.get(user);
    if (client === undefined) throw new Error(`There is no client of ${user}`);
    return client;
  }

  /** Waits until every user's tables hold exactly what the equivalent SELECTs give. */
  async function expectConverged(timeoutMs: number): Promise<void> {
    for (const [user, client] of clients) {
      for (const [table, query] of Object.entries(ENTITLED)) {
        const ordered = `SELECT * FROM (${query}) AS q ORDER BY id COLLATE "C"`;
        const { rows } = await sql.query(ordered, [user]);
        const expected = JSON.stringify(rows);
        const same = () => JSON.stringify(client.rows(table)) === expected;
        await until(`${user} has the right ${table}`, same, timeoutMs).catch(() => {
          const { status } = client;
          expect({
            user,
            table,
            status: status.current.toJSON(),
            rows: client.rows(table),
          }).toEqual({ user, table, status: undefined, rows });
        });
      }
      expect(client.status.current.facts.downloadError?.code).not.toBe('CHECKSUM');
      expect(client.problems).toEqual([]);
    }
  }

  test(`ends with the rows of the equivalent SELECTs after ${CHANGES} random changes and 2 kills (seed ${SEED})`, async () => {
    const writes = new RandomWrites(sql, new SeededRandom(SEED));
    await writes.seed();
    service.start();
    await service.untilReady();
    await Promise.all([...clients.values()].map((client) => client.connect()));
    await clientOf('ann').status.waitForFirstSync({ signal: AbortSignal.timeout(20_000) });
    let done = 0;
    for (let kill = 1; kill <= 2; kill += 1) {
      while (done < (CHANGES * kill) / 3) done += await writes.transaction();
      await service.stop('SIGKILL');
      for (let i = 0; i < 20; i += 1) done += await writes.transaction();
      service.start();
    }
    while (done < CHANGES) done += await writes.transaction();
    await service.untilReady();
    for (const client of clients.values()) client.session.hint();
    await expectConverged(60_000);
  });

  test('shows a change of the source within a second', async () => {
    const bob = clientOf('bob');
    const times = [];
    for (const name of ['quick-1', 'quick-2', 'quick-3']) {
      await sql.query(`INSERT INTO notes (id, owner_id, body) VALUES ($1, 'bob', 'now')`, [name]);
      const startedAt = Date.now();
      await until('the note arrives', () => bob.rows('notes').some(({ id }) => id === name));
      times.push(Date.now() - startedAt);
    }
    expect(Math.min(...times)).toBeLessThan(1000);
  });

  test('uploads local writes, and takes them back confirmed by a write checkpoint', async () => {
    const ann = clientOf('ann');
    const insert = 'INSERT INTO notes (id, owner_id, body, stars) VALUES (?, ?, ?, ?)';
    ann.write(insert, ['written', 'ann', 'hello', 1]);
    expect(ann.rows('notes').some(({ id }) => id === 'written')).toBe(true);
    ann.write(`UPDATE notes SET stars = 2 WHERE id = 'written'`);
    await until('the queue is empty', () => ann.queued === 0);
    const stored = await sql.query(`SELECT body, stars FROM notes WHERE id = 'written'`);
    expect(stored.rows).toEqual([{ body: 'hello', stars: 2 }]);
    await sql.query(`UPDATE notes SET stars = 3 WHERE id = 'written'`);
    await expectConverged(20_000);
    expect(ann.database.query('SELECT count(*) FROM sluice_shadow')).toEqual([[0]]);
  });

  test('undoes a write that the backend refuses', async () => {
    const ann = clientOf('ann');
    ann.write(`UPDATE notes SET body = NULL WHERE id = 'written'`);
    expect(ann.rows('notes').find(({ id }) => id === 'written')?.body).toBeNull();
    await expectConverged(20_000);
  });

  test('keeps edits that were made offline, over a restart of the app', async () => {
    const bob = clientOf('bob');
    await bob.session.disconnect();
    bob.write('INSERT INTO notes (id, owner_id, body, stars) VALUES (?, ?, ?, ?)', [
      'offline',
      'bob',
      'made offline',
      7,
    ]);
    await sql.query(`UPDATE notes SET body = 'meanwhile' WHERE id = 'quick-1'`);
    await bob.restart();
    expect(bob.status.current.hasSynced).toBe(true);
    await bob.connect();
    await until('the queue is empty', () => bob.queued === 0);
    await expectConverged(20_000);
    const stored = await sql.query(`SELECT stars FROM notes WHERE id = 'offline'`);
    expect(stored.rows).toEqual([{ stars: 7 }]);
  });

  test('syncs once: uploads, downloads and is disconnected again', async () => {
    const cid = clientOf('cid');
    await cid.session.disconnect();
    cid.write(`INSERT INTO notes (id, owner_id, body, stars) VALUES ('once', 'cid', 'b', 1)`);
    await cid.syncOnce(AbortSignal.timeout(20_000));
    expect(cid.status.current.connected).toBe(false);
    expect(cid.queued).toBe(0);
    expect((await sql.query(`SELECT 1 FROM notes WHERE id = 'once'`)).rowCount).toBe(1);
    await expectConverged(1_000);
    await cid.connect();
  });

  test(`random writes on three clients with times offline converge, and none is lost (seed ${SEED})`, async () => {
    const random = new SeededRandom(SEED);
    const written = new Map<string, string>();
    await sql.query('TRUNCATE notes');
    await expectConverged(20_000);
    for (let round = 0; round < 60; round += 1) {
      const user = random.pick(USERS);
      const client = clientOf(user);
      if (random.chance(0.15)) await client.session.disconnect();
      else if (random.chance(0.3)) await client.connect();
      for (let i = random.int(6); i >= 0; i -= 1) writeNote(client, user, random, written);
      if (round === 30) {
        await service.stop('SIGKILL');
        service.start();
      }
    }
    await service.untilReady();
    await Promise.all([...clients.values()].map((client) => client.connect()));
    for (const client of clients.values()) {
      client.session.hint();
      await until('the queue is empty', () => client.queued === 0);
    }
    await expectConverged(30_000);
    const { rows } = await sql.query('SELECT id, body FROM notes ORDER BY id COLLATE "C"');
    const expected = [...written].toSorted(([a], [b]) => (a < b ? -1 : 1));
    expect(rows.map(({ id, body }) => [id, body])).toEqual(expected);
  });

  test('an app that opens a database sees what others write, and they see what it wrote', async () => {
    const notes = new Table({ owner_id: column.text, body: column.text, stars: column.integer });
    const file = path.join(dir, `${database}.sqlite`);
    const problems: unknown[] = [];
    const db = await openDatabase({
      file,
      schema: new Schema({ notes }),
      networkModule: new URL('./support/web-socket.mjs', import.meta.url),
      onProblem: (problem) => problems.push(problem),
    });
    const handle = uploadHandler('ann');
    const connector = {
      fetchCredentials: async () => ({ endpoint: service.url, token: issuer.token('ann') }),
      uploadData: async (database: typeof db) => {
        const transaction = await database.getNextCrudTransaction();
        if (transaction === null) return;
        const body = `{"crud":[${transaction.crud.map(formatEntry).join(',')}]}`;
        const request = new Request('http://backend/upload', { method: 'POST', body });
        expect((await handle(request)).status).toBe(200);
        await transaction.complete();
      },
    };
    const connectionMethod = transport === 'websocket' ? 'websocket' : 'http';
    await db.connect(connector, { connectionMethod, uploadThrottleMs: 10 });
    await db.waitForFirstSync({ signal: AbortSignal.timeout(20_000) });
    const seen: unknown[] = [];
    db.watch(`SELECT body FROM notes WHERE id LIKE 'app-%' ORDER BY id`, [], {
      onResult: (rows) => seen.push(rows.array.map(({ body }) => body)),
    });
    await db.writeTransaction(async (tx) => {
      const insert = 'INSERT INTO notes (id, owner_id, body, stars) VALUES (?, ?, ?, 1)';
      await tx.execute(insert, ['app-1', 'ann', 'mine']);
      await tx.savepoint((inner) => inner.execute(insert, ['app-2', 'ann', 'mine too']));
    });
    const stored = `SELECT body FROM notes WHERE id LIKE 'app-%' ORDER BY id COLLATE "C"`;
    await until('the upload', async () => (await sql.query(stored)).rowCount === 2, 20_000);
    await sql.query(`UPDATE notes SET body = 'theirs' WHERE id = 'app-1'`);
    const last = JSON.stringify(['theirs', 'mine too']);
    await until('the change', () => JSON.stringify(seen.at(-1)) === last, 20_000);
    await until('nothing waits any more', async () => {
      return (await db.getUploadQueueStats()).count === 0;
    });
    await db.close();
    expect(problems).toEqual([]);
  });
});

/** Inserts, changes or deletes one of the user's notes, on the client and in what is expected. */
function writeNote(
  client: OwnClient,
  user: string,
  random: SeededRandom,
  written: Map<string, string>,
): void {
  const own = [...written.keys()].filter((id) => id.startsWith(user));
  const body = `body ${random.int(1e9)}`;
  const id = own.length > 0 ? random.pick(own) : '';
  if (id === '' || random.chance(0.5)) {
    const fresh = `${user}-${random.uuid()}`;
    written.set(fresh, body);
    client.write('INSERT INTO notes (id, owner_id, body, stars) VALUES (?, ?, ?, 0)', [
      fresh,
      user,
      body,
    ]);
  } else if (random.chance(0.7)) {
    written.set(id, body);
    expect(client.write('UPDATE notes SET body = ? WHERE id = ?', [body, id])).toBe(1);
  } else {
    written.delete(id);
    expect(client.write('DELETE FROM notes WHERE id = ?', [id])).toBe(1);
  }
}

/** What an app's connector does: sends a batch, and takes refusals as final. */
async function send(
  handle: (request: Request) => Promise<Response>,
  entries: readonly CrudEntry[],
): Promise<void> {
  const batch = entries.map(({ clientId, op, table, id, opData }) => ({
    op_id: clientId,
    op,
    table,
    id,
    data: opData ?? {},
  }));
  const body = JSON.stringify({ batch });
  const response = await handle(new Request('http://backend/upload', { method: 'POST', body }));
  if (response.status !== 200) throw new Error(`The backend answered ${response.status}`);
}
