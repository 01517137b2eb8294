import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { backendConnector, column, Schema, Table, type CrudEntry } from '@sluice/client';
import { openDatabase } from '@sluice/client-node';
import type { LocalPostgres } from '@sluice/local-postgres';
import { ScratchPostgres, until } from '@sluice/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NOTES_STREAMS } from './support/notes-streams.ts';
import { ServiceProcess } from './support/service-process.ts';
import { TokenIssuer } from './support/tokens.ts';

const TABLES = `
CREATE TABLE notes (id text PRIMARY KEY, owner text NOT NULL, body text CHECK (length(body) < 100000));
CREATE PUBLICATION powersync FOR ALL TABLES;
`;

let scratch: ScratchPostgres;
let postgres: LocalPostgres;
let sql: pg.Client;
let home: string;

beforeAll(async () => {
  scratch = await ScratchPostgres.start({ wal_level: 'logical' });
  postgres = scratch.server;
  sql = new pg.Client({ connectionString: postgres.url() });
  await sql.connect();
  await sql.query(TABLES);
  home = await mkdtemp(path.join(tmpdir(), 'sluice-write-api-'));
});
afterAll(async () => {
  await sql.end();
  await scratch[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

test('our client uploads to the service through the ready connector; what is refused comes back as a row', async () => {
  const issuer = new TokenIssuer();
  const service = await ServiceProcess.create({
    dir: home,
    databaseUrl: postgres.url(),
    syncConfig: NOTES_STREAMS,
    issuer,
    config: { write_api: {} },
  });
  service.start();
  await service.untilReady();
  const notes = new Table({ owner: column.text, body: column.text });
  const refused = new Table({ row_id: column.text, code: column.text, data: column.text });
  const db = await openDatabase({
    file: path.join(home, 'client.sqlite'),
    schema: new Schema({ notes, sluice_rejected_writes: refused }),
  });
  const rejected: [CrudEntry, string | undefined][] = [];
  try {
    const connector = backendConnector({
      backendUrl: service.url,
      fetchCredentials: async () => ({ endpoint: service.url, token: issuer.token('ann') }),
      onRejected: (entry, { code }) => rejected.push([entry, code]),
    });
    await db.connect(connector, { uploadThrottleMs: 10 });
    await db.waitForFirstSync({ signal: AbortSignal.timeout(60_000) });
    const insert = 'INSERT INTO notes (id, owner, body) VALUES (?, ?, ?)';
    // Together more than the service takes in one upload, so that they are divided.
    const large = 'x'.repeat(90_000);
    await db.executeBatch(
      insert,
      Array.from({ length: 30 }, (_, n) => [`n${n}`, 'ann', large]),
    );
    await db.execute('INSERT INTO notes (id, body) VALUES (?, ?)', ['ownerless', 'text']);
    await db.execute(insert, ['last', 'ann', 'done']);
    await until(
      'everything is uploaded',
      async () => (await db.getUploadQueueStats()).count === 0,
      60_000,
    );
    expect((await sql.query('SELECT count(*)::int AS n FROM notes')).rows).toEqual([{ n: 31 }]);
    expect(rejected.map(([{ id }, code]) => [id, code])).toEqual([
      ['ownerless', 'UPLOAD_CONSTRAINT'],
    ]);
    expect(await db.deadLetters.list()).toMatchObject([
      { state: 'rejected', entry: { table: 'notes', id: 'ownerless', op: 'PUT' } },
    ]);
    const shown = 'SELECT row_id, code, data FROM sluice_rejected_writes';
    await until('the refusal is synced', async () => (await db.getAll(shown)).length === 1, 60_000);
    expect(await db.getAll(shown)).toEqual([
      { row_id: 'ownerless', code: 'UPLOAD_CONSTRAINT', data: '{"body":"text"}' },
    ]);
    await until('the refused row is gone', async () => {
      return (await db.getAll(`SELECT id FROM notes WHERE id = 'ownerless'`)).length === 0;
    });
    await db.execute('DELETE FROM sluice_rejected_writes');
    await until('it is dismissed', async () => {
      return (await sql.query('SELECT FROM sluice_rejected_writes')).rowCount === 0;
    });
  } catch (error) {
    console.error(service.log.slice(-3000));
    throw error;
  } finally {
    await db.close();
    await service.stop();
  }
});

test('the server of docs/backend.md takes uploads', async () => {
  const page = await readFile('docs/backend.md', 'utf8');
  const [code = ''] = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)]
    .map(([, text = '']) => text)
    .filter((text) => text.includes('createServer'));
  const port = await freePort();
  const verify = `const verify = async (_request: Request) => ({ sub: 'ann' });\n`;
  const file = path.resolve('.cache/backend-example.ts');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, verify + code.replace('listen(3000', `listen(${port}`));
  const server = spawn(process.execPath, ['-C', '@sluice/source', '--import', 'tsx', file], {
    env: { ...process.env, DATABASE_URL: postgres.url() },
    stdio: 'inherit',
  });
  try {
    const body = JSON.stringify({
      clientId: 'c',
      entries: [
        { seq: 1, op: 'PUT', table: 'notes', id: 'doc', data: { owner: 'ann', body: 'b' } },
      ],
    });
    const send = () => fetch(`http://127.0.0.1:${port}/upload`, { method: 'POST', body });
    const response = await until('it answers', () => send().catch(() => undefined), 60_000);
    expect(await response.json()).toEqual({ results: [{ seq: 1, status: 'ok' }] });
    expect((await sql.query(`SELECT body FROM notes WHERE id = 'doc'`)).rows).toEqual([
      { body: 'b' },
    ]);
  } finally {
    server.kill();
    await rm(file, { force: true });
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
