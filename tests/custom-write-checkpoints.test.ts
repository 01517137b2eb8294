import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { must } from '@sluice/base';
import { column, Schema, Table } from '@sluice/client';
import { openDatabase } from '@sluice/client-node';
import { LocalPostgres } from '@sluice/local-postgres';
import { until } from '@sluice/testing';
import * as official from '@powersync/node';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServiceProcess } from './support/service-process.ts';
import { TokenIssuer } from './support/tokens.ts';

/** The complete example of docs/sync-config.md: its config, its table, and how a number is written. */
async function documentedExample() {
  const page = await readFile('docs/sync-config.md', 'utf8');
  const chapter = must(page.split('## Write checkpoints from your database\n')[1], 'the chapter');
  const blocks = (language: string) =>
    [...chapter.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(
      ([, text = '']) => text,
    );
  const [createTable = '', writeNumber = ''] = blocks('sql');
  return { syncConfig: must(blocks('yaml')[0], 'the config'), createTable, writeNumber };
}

type Job = (sql: pg.Client) => Promise<void>;

/** A backend that takes uploads at once and applies them when the test says so. */
class SlowBackend {
  readonly #sql: pg.Client;
  readonly #writeNumber: string;
  readonly #jobs: Job[] = [];
  #nextNumber = 1;

  constructor(sql: pg.Client, writeNumber: string) {
    this.#sql = sql;
    this.#writeNumber = writeNumber;
  }

  get waiting(): number {
    return this.#jobs.length;
  }

  /** Notes get one star more than asked for, so that the server's truth can be told from the client's. */
  enqueue(entries: readonly { readonly id: string; readonly opData?: object | undefined }[]): void {
    this.#jobs.push(async (sql) => {
      for (const { id, opData } of entries) {
        const { stars } = { stars: 0, ...opData };
        await sql.query('UPDATE notes SET stars = $2 WHERE id = $1', [id, Number(stars) + 1]);
      }
    });
  }

  enqueueNumber(user: string, clientId: string, number: bigint): void {
    this.#jobs.push(async (sql) => {
      await sql.query(this.#writeNumber, [user, clientId, String(number)]);
    });
  }

  takeNumber(): bigint {
    return BigInt(this.#nextNumber++);
  }

  /** All that waits, in one transaction. */
  async work(): Promise<void> {
    await this.#sql.query('BEGIN');
    for (const job of this.#jobs.splice(0)) await job(this.#sql);
    await this.#sql.query('COMMIT');
  }
}

let postgres: LocalPostgres;
let dir: string;
let sql: pg.Client;
let service: ServiceProcess;
let backend: SlowBackend;
const issuer = new TokenIssuer();

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sluice-numbers-'));
  postgres = await LocalPostgres.start({ dataDir: path.join(dir, 'postgres'), fast: true });
  await postgres.ensureDatabase('numbers');
  const databaseUrl = postgres.url('numbers');
  sql = new pg.Client({ connectionString: databaseUrl });
  await sql.connect();
  const { syncConfig, createTable, writeNumber } = await documentedExample();
  await sql.query(
    `CREATE TABLE notes (id text PRIMARY KEY, owner_id text NOT NULL, stars int NOT NULL);
     CREATE PUBLICATION powersync FOR ALL TABLES; ${createTable}`,
  );
  for (const owner of ['ann', 'bob']) {
    await sql.query('INSERT INTO notes VALUES ($1, $2, 1), ($3, $2, 1)', [
      `${owner}-mine`,
      owner,
      `${owner}-other`,
    ]);
  }
  backend = new SlowBackend(sql, writeNumber);
  service = await ServiceProcess.create({ dir, databaseUrl, syncConfig, issuer });
  service.start();
  await service.untilReady();
});

afterAll(async () => {
  await service.stop();
  await sql.end();
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A client that keeps each value of one note that it has shown. */
interface Client {
  readonly shown: readonly number[];
  write(stars: number): Promise<void>;
  starsOf(note: string): Promise<number | undefined>;
}

const NOTES = 'SELECT stars FROM notes WHERE id = ?';

async function officialClient(user: string, closing: AbortSignal): Promise<Client> {
  const { text, integer } = official.column;
  const schema = new official.Schema({
    notes: new official.Table({ owner_id: text, stars: integer }),
  });
  const dbFilename = path.join(dir, `${user}.official.sqlite`);
  const db = new official.PowerSyncDatabase({ schema, database: { dbFilename } });
  await db.connect(
    {
      fetchCredentials: async () => ({ endpoint: service.url, token: issuer.token(user) }),
      uploadData: async (database) => {
        const transaction = await database.getNextCrudTransaction();
        if (transaction === null || transaction === undefined) return;
        backend.enqueue(transaction.crud);
        await transaction.complete();
      },
      postCheckpointRequest: async (clientId: string, requestId: string) => {
        backend.enqueueNumber(user, clientId, BigInt(requestId));
        return requestId;
      },
    },
    { checkpointMode: 'requests', retryDelayMs: 300, crudUploadThrottleMs: 10 },
  );
  closing.addEventListener('abort', () => void db.close());
  await db.waitForFirstSync();
  const shown: number[] = [];
  const starsOf = async (note: string) =>
    (await db.getOptional<{ stars: number }>(NOTES, [note]))?.stars;
  db.watch(
    NOTES,
    [`${user}-mine`],
    {
      onResult: ({ rows }) => {
        const { stars } = (rows?.item(0) ?? {}) as { stars?: number };
        if (stars !== undefined && shown.at(-1) !== stars) shown.push(stars);
      },
    },
    { throttleMs: 1, signal: closing },
  );
  const write = async (stars: number) => {
    await db.execute('UPDATE notes SET stars = ? WHERE id = ?', [stars, `${user}-mine`]);
  };
  return { shown, write, starsOf };
}

async function ownClient(user: string, closing: AbortSignal): Promise<Client> {
  const notes = new Table({ owner_id: column.text, stars: column.integer });
  const db = await openDatabase({
    file: path.join(dir, `${user}.own.sqlite`),
    schema: new Schema({ notes }),
  });
  await db.connect({
    fetchCredentials: async () => ({ endpoint: service.url, token: issuer.token(user) }),
    uploadData: async (database: typeof db) => {
      const transaction = await database.getNextCrudTransaction();
      if (transaction === null) return;
      const number = backend.takeNumber();
      backend.enqueue(transaction.crud);
      backend.enqueueNumber(user, await database.getClientId(), number);
      await transaction.complete(number);
    },
  });
  closing.addEventListener('abort', () => void db.close());
  await db.waitForFirstSync();
  const shown: number[] = [];
  void (async () => {
    for await (const { array } of db.watch(NOTES, [`${user}-mine`])) {
      const stars = Number(array[0]?.['stars']);
      if (shown.at(-1) !== stars) shown.push(stars);
      if (closing.aborted) return;
    }
  })().catch(() => {}); // it ends with the database
  const starsOf = async (note: string) => {
    const row = await db.getOptional(NOTES, [note]);
    return row === null ? undefined : Number(row['stars']);
  };
  const write = async (stars: number) => {
    await db.execute('UPDATE notes SET stars = ? WHERE id = ?', [stars, `${user}-mine`]);
  };
  return { shown, write, starsOf };
}

describe.each([
  ['the official Node client, with checkpoint requests', 'ann', officialClient],
  ['our own client, with numbers given to complete()', 'bob', ownClient],
] as const)('%s', (_, user, open) => {
  const closing = new AbortController();
  let client: Client;

  beforeAll(async () => {
    client = await open(user, closing.signal);
    await until('the client shows the note', () => client.shown.at(-1) === 1);
  });
  afterAll(() => closing.abort());

  const serverWrites = (stars: number) =>
    sql.query('UPDATE notes SET stars = $1 WHERE id = $2', [stars, `${user}-other`]);

  test('a local write stays until the database has it, and then the truth comes in one step', async () => {
    await backend.work(); // a number that the client asked for when it connected
    await client.write(5);
    await until('the backend has taken the upload and its number', () => backend.waiting >= 2);
    // What is downloaded meanwhile must not bring back what was there before the write.
    await serverWrites(2);
    await until(
      'the service has replicated it',
      async () => (await replicated()) >= (await head()),
    );
    expect(await client.starsOf(`${user}-mine`)).toBe(5);
    expect(await client.starsOf(`${user}-other`)).toBe(1);
    await backend.work();
    await until('the truth is there', async () => (await client.starsOf(`${user}-mine`)) === 6);
    expect(await client.starsOf(`${user}-other`)).toBe(2);
    await until('it is shown', () => client.shown.at(-1) === 6);
    expect(client.shown).toEqual([1, 5, 6]);
  });

  test('a number that is written while the service is dead arrives when it is back', async () => {
    await backend.work();
    await client.write(7);
    await until('the backend has taken the upload and its number', () => backend.waiting >= 2);
    await service.stop('SIGKILL');
    await backend.work();
    service.start();
    await service.untilReady();
    await until('the truth is there', async () => {
      await backend.work(); // what is asked for on connecting
      return (await client.starsOf(`${user}-mine`)) === 8;
    });
    await until('it is shown', () => client.shown.at(-1) === 8);
    expect(client.shown.slice(-3)).toEqual([6, 7, 8]);
  });
});

const head = async () => {
  const { rows } = await sql.query<{ at: string }>('SELECT pg_current_wal_lsn()::text AS at');
  return lsn(must(rows[0]).at);
};
const replicated = async () => {
  const { rows } = await sql.query<{ at: string }>(
    'SELECT confirmed_flush_lsn::text AS at FROM pg_replication_slots',
  );
  return lsn(must(rows[0]).at);
};
const lsn = (text: string) => {
  const [high = '', low = ''] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
};

test('the service gives out no write checkpoints of its own, and says what to do', async () => {
  const headers = { authorization: `Token ${issuer.token('ann')}` };
  const answers = [
    await fetch(`${service.url}/write-checkpoint2.json?client_id=c`, { headers }),
    await fetch(`${service.url}/sync/checkpoint-request`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"client_id":"c","checkpoint_request_id":1}',
    }),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code: 'PSYNC_S2001', status: 400 });
    expect(error['details']).toMatch(/^SYNC_WRITE_CHECKPOINT_CUSTOM: .*complete\(\)/);
  }
});
