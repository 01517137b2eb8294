import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  column,
  PowerSyncDatabase,
  Schema,
  Table,
  type PowerSyncBackendConnector,
} from '@powersync/node';
import { ScratchPostgres, until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NOTES_STREAMS } from './support/notes-streams.ts';
import { ServiceProcess } from './support/service-process.ts';
import { TokenIssuer } from './support/tokens.ts';

const TABLES = `
CREATE TABLE notes (id text PRIMARY KEY, owner text NOT NULL, body text);
INSERT INTO notes VALUES ('first', 'ann', 'from the server'), ('second', 'ann', 'to be deleted');
CREATE PUBLICATION powersync FOR ALL TABLES;
`;
const SCHEMA = new Schema({
  notes: new Table({ owner: column.text, body: column.text }),
  sluice_rejected_writes: new Table({ row_id: column.text, code: column.text, data: column.text }),
});

let scratch: ScratchPostgres;
let sql: pg.Client;
let home: string;
let service: ServiceProcess;
const issuer = new TokenIssuer();

beforeAll(async () => {
  scratch = await ScratchPostgres.start({ wal_level: 'logical' });
  const databaseUrl = scratch.server.url();
  sql = new pg.Client({ connectionString: databaseUrl });
  await sql.connect();
  await sql.query(TABLES);
  home = await mkdtemp(path.join(tmpdir(), 'sluice-connector-'));
  service = await ServiceProcess.create({
    dir: home,
    databaseUrl,
    syncConfig: NOTES_STREAMS,
    issuer,
    config: { write_api: {} },
  });
  service.start();
  await service.untilReady();
});
afterAll(async () => {
  await service?.stop();
  await sql?.end();
  await scratch?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** The connector of docs/backend.md, as it stands there. */
async function connectorOfTheDocs(): Promise<PowerSyncBackendConnector> {
  const page = await readFile('docs/backend.md', 'utf8');
  const code = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)]
    .map(([, text = '']) => text)
    .filter((text) => text.startsWith('async uploadData(database)'));
  expect(code).toHaveLength(1);
  const module = `export default (fetchCredentials) => ({ fetchCredentials, ${code[0]} })`;
  const { default: connector } = (await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(module)}`
  )) as {
    default: (
      fetchCredentials: PowerSyncBackendConnector['fetchCredentials'],
    ) => PowerSyncBackendConnector;
  };
  return connector(async () => ({ endpoint: service.url, token: issuer.token('ann') }));
}

test('the official client uploads through the ten lines of docs/backend.md, also what was written offline', async () => {
  const db = new PowerSyncDatabase({
    schema: SCHEMA,
    database: { dbFilename: path.join(home, 'official.sqlite') },
  });
  const connector = await connectorOfTheDocs();
  const connect = () => db.connect(connector, { retryDelayMs: 200, crudUploadThrottleMs: 10 });
  const stored = async () =>
    (await sql.query('SELECT id, owner, body FROM notes ORDER BY id')).rows as unknown[];
  const shown = () => db.getAll('SELECT id, owner, body FROM notes ORDER BY id');
  try {
    await db.execute(`INSERT INTO notes (id, owner, body) VALUES ('before', 'ann', 'offline')`);
    await connect();
    await db.waitForFirstSync();
    await until('rows of both sides are here', async () => (await shown()).length === 3, 60_000);

    await db.disconnect();
    await db.writeTransaction(async (tx) => {
      await tx.execute(`INSERT INTO notes (id, owner, body) VALUES ('third', 'ann', 'new')`);
      await tx.execute(`UPDATE notes SET body = 'from the device' WHERE id = 'first'`);
      await tx.execute(`DELETE FROM notes WHERE id = 'second'`);
      await tx.execute(`INSERT INTO notes (id, body) VALUES ('ownerless', 'not null says no')`);
    });
    await connect();

    const wanted = [
      { id: 'before', owner: 'ann', body: 'offline' },
      { id: 'first', owner: 'ann', body: 'from the device' },
      { id: 'third', owner: 'ann', body: 'new' },
    ];
    const isWanted = (rows: readonly unknown[]) => JSON.stringify(rows) === JSON.stringify(wanted);
    await until('the database has the writes', async () => isWanted(await stored()), 60_000);
    await until('the refused row is gone', async () => isWanted(await shown()), 60_000);
    expect((await db.getUploadQueueStats()).count).toBe(0);
    const refused = 'SELECT row_id, code, data FROM sluice_rejected_writes';
    await until(
      'the refusal is synced',
      async () => (await db.getAll(refused)).length === 1,
      60_000,
    );
    expect(await db.getAll(refused)).toEqual([
      { row_id: 'ownerless', code: 'UPLOAD_CONSTRAINT', data: '{"body":"not null says no"}' },
    ]);
  } catch (error) {
    console.error(service.log.slice(-3000));
    throw error;
  } finally {
    await db.close();
  }
});
