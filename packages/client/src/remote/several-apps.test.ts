import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { ClientError, DatabaseClosedError, SchemaError, SqlError } from '../errors.ts';
import type { DatabaseEngine } from '../facade/database-engine.ts';
import type { DatabaseConnector, SluiceDatabase } from '../facade/sluice-database.ts';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import { joinedChannels, openEngine } from '../testing/app-databases.ts';
import { ScriptedService } from '../testing/scripted-service.ts';
import type { Channel } from './channel.ts';
import { DatabaseHost } from './database-host.ts';
import { RemoteDatabase } from './remote-database.ts';

const INSERT = 'INSERT INTO lists (id, name) VALUES (?, ?)';
const NAMES = 'SELECT name FROM lists ORDER BY name';
const FAST = { uploadThrottleMs: 1 };

let dir: string;
let service: ScriptedService;
let engine: DatabaseEngine;
let host: DatabaseHost;
let problems: unknown[];

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-apps-'));
  service = new ScriptedService();
  problems = [];
  engine = openEngine({
    file: path.join(dir, 'app.sqlite'),
    schema: new Schema({
      lists: new Table({ name: column.text, size: column.bigint, icon: column.blob }),
    }),
    fetch: service.fetch,
    onProblem: (problem) => problems.push(problem),
  });
  host = new DatabaseHost(engine, { clock: systemClock, closes: 'channel' });
});

afterEach(async () => {
  await engine.close();
  rmSync(dir, { recursive: true });
  expect(problems).toEqual([]);
});

interface App {
  readonly db: SluiceDatabase;
  /** As when its tab is killed. */
  readonly channel: Channel;
}

async function app(served: DatabaseHost = host): Promise<App> {
  const [theirs, ours] = joinedChannels();
  served.serve(theirs);
  const db = await RemoteDatabase.open(ours, {
    clock: systemClock,
    newId: randomUUID,
    callContext: new AsyncLocalStorage(),
    onProblem: (problem) => problems.push(problem),
  });
  return { db, channel: theirs };
}

function connector(asked: string[], name: string): DatabaseConnector {
  return {
    fetchCredentials: async () => {
      asked.push(`${name} credentials`);
      return { endpoint: 'http://service', token: 'token' };
    },
    uploadData: async (database) => {
      asked.push(`${name} upload`);
      await (await database.getNextCrudTransaction())?.complete();
    },
  };
}

async function names(db: SluiceDatabase): Promise<readonly unknown[]> {
  return (await db.getAll(NAMES)).map(({ name }) => name);
}

const queueOf = async (db: SluiceDatabase) => (await db.getUploadQueueStats()).count;

test('apps see what others write, once its promise has resolved for them', async () => {
  const [one, two] = [await app(), await app()];
  const watched = two.db.watch(NAMES, [], { throttleMs: 0 });
  expect((await watched.next()).value.array).toEqual([]);
  await one.db.execute(INSERT, ['a', 'A']);
  expect((await watched.next()).value.array).toEqual([{ name: 'A' }]);
  expect(await names(two.db)).toEqual(['A']);
});

test('values are the same on the other side: bytes, and integers beyond 2^53', async () => {
  const { db } = await app();
  const size = 2n ** 60n + 1n;
  const icon = new Uint8Array([0, 255, 128]);
  await db.execute('INSERT INTO lists (id, size, icon) VALUES (?, ?, ?)', ['a', size, icon]);
  const watched = db.watch('SELECT size, icon FROM lists WHERE size = ?', [size], {
    throttleMs: 0,
  });
  expect((await watched.next()).value.array).toEqual([{ size, icon }]);
  await db.execute(`UPDATE lists SET name = 'x', icon = ? WHERE size = ?`, [icon, size]);
  const batch = await db.getCrudBatch();
  expect(batch?.crud[0]?.opData).toMatchObject({ size });
});

test('a channel that closes in the middle of a transaction undoes it, and lets the next one go on', async () => {
  const [one, two] = [await app(), await app()];
  let hasWritten = false;
  const open = one.db.writeTransaction(async (tx) => {
    await tx.execute(INSERT, ['a', 'A']);
    hasWritten = true;
    await until('the channel closed', () => one.db.closed, 5_000);
    await tx.execute(INSERT, ['b', 'B']);
  });
  const refused = expect(open).rejects.toThrow(DatabaseClosedError);
  await until('the first statement', () => hasWritten, 5_000);
  const queued = expect(one.db.execute(INSERT, ['c', 'C'])).rejects.toThrow(DatabaseClosedError);
  const next = two.db.execute(INSERT, ['d', 'D']);
  one.channel.close();
  await Promise.all([next, refused, queued]);
  expect(await names(two.db)).toEqual(['D']);
  expect(host.size).toBe(1);
});

test('an app that says nothing for too long loses its transaction, and is told so', async () => {
  const strict = new DatabaseHost(engine, {
    clock: systemClock,
    closes: 'channel',
    maxSilenceMs: 20,
  });
  const [one, two] = [await app(strict), await app(strict)];
  const open = one.db.writeTransaction(async (tx) => {
    await tx.execute(INSERT, ['a', 'A']);
    await two.db.execute(INSERT, ['b', 'B']);
    await tx.execute(INSERT, ['c', 'C']);
  });
  await expect(open).rejects.toMatchObject({ code: 'ROLLED_BACK' });
  expect(await names(two.db)).toEqual(['B']);
});

test('a channel that closes ends its watches and waits, and nobody else’s', async () => {
  const [one, two] = [await app(), await app()];
  const watched = one.db.watch(NAMES, [], { throttleMs: 0 });
  const kept = two.db.watch(NAMES, [], { throttleMs: 0 });
  await Promise.all([watched.next(), kept.next()]);
  const next = watched.next();
  const waiting = expect(one.db.waitForFirstSync()).rejects.toThrow(DatabaseClosedError);
  one.channel.close();
  expect((await next).done).toBe(true);
  await waiting;
  await two.db.execute(INSERT, ['a', 'A']);
  expect((await kept.next()).value.array).toEqual([{ name: 'A' }]);
});

test('who connected last is asked; when it goes the one before is, in the same session', async () => {
  const [one, two] = [await app(), await app()];
  const asked: string[] = [];
  await one.db.connect(connector(asked, 'one'), FAST);
  await two.db.connect(connector(asked, 'two'), FAST);
  await one.db.execute(INSERT, ['a', 'A']);
  await until('the upload', async () => (await queueOf(one.db)) === 0, 5_000);
  two.channel.close();
  await one.db.execute(INSERT, ['b', 'B']);
  await until('the next upload', async () => (await queueOf(one.db)) === 0, 5_000);
  expect(new Set(asked)).toEqual(new Set(['one credentials', 'two upload', 'one upload']));
  expect(asked.indexOf('two upload')).toBeLessThan(asked.indexOf('one upload'));
  expect(service.streams).toHaveLength(1);
  expect(one.db.currentStatus.connected).toBe(true);
});

test('a channel that closes in the middle of an upload hands it on', async () => {
  const [one, two] = [await app(), await app()];
  const asked: string[] = [];
  let aborted: AbortSignal | undefined;
  const stuck: DatabaseConnector = {
    ...connector(asked, 'two'),
    uploadData: (_, signal) => {
      aborted = signal;
      return new Promise(() => undefined);
    },
  };
  await one.db.connect(connector(asked, 'one'), FAST);
  await two.db.connect(stuck, FAST);
  await one.db.execute(INSERT, ['a', 'A']);
  await until('the upload begins', () => aborted !== undefined, 5_000);
  expect(aborted?.aborted).toBe(false);
  two.channel.close();
  await until('the upload', async () => (await queueOf(one.db)) === 0, 5_000);
  await until('the first one is told', () => aborted?.aborted === true, 5_000);
  expect(asked).toContain('one upload');
});

test('other options begin a new session; sync stops when the last one goes, or anyone disconnects', async () => {
  const [one, two] = [await app(), await app()];
  const asked: string[] = [];
  await one.db.connect(connector(asked, 'one'));
  await two.db.connect(connector(asked, 'two'), { params: { tenant: 1 } });
  expect(service.streams).toHaveLength(2);
  await one.db.disconnect();
  await until('told', () => !two.db.currentStatus.connected, 5_000);
  await two.db.connect(connector(asked, 'two'));
  expect(service.streams).toHaveLength(3);
  await two.db.close();
  await until('told', () => !one.db.currentStatus.connected, 5_000);
  await until('the stream is closed', () => service.stream.closed, 5_000);
});

test('a connection that is refused leaves the one before as it is', async () => {
  const { db } = await app();
  const asked: string[] = [];
  await db.connect(connector(asked, 'one'), FAST);
  const byMistake = db.connect(connector(asked, 'two'), { connectionMethod: 'websocket' });
  await expect(byMistake).rejects.toMatchObject({ code: 'PARAMETER' });
  await db.execute(INSERT, ['a', 'A']);
  await until('the upload', async () => (await queueOf(db)) === 0, 5_000);
  expect(asked).toContain('one upload');
  expect(asked).not.toContain('two upload');
});

test('subscriptions of a channel that closes are given back', async () => {
  const [one, two] = [await app(), await app()];
  await one.db.syncStream('todos').subscribe({ ttl: 0 });
  await two.db.connect(connector([], 'two'));
  expect(service.stream.request.streams.subscriptions).toHaveLength(1);
  one.channel.close();
  await until('it is gone', () => host.size === 1, 5_000);
  await two.db.disconnect();
  await two.db.connect(connector([], 'two'));
  expect(service.stream.request.streams.subscriptions).toHaveLength(0);
});

test('errors are of their classes on the other side, with codes and the text of causes', async () => {
  const { db } = await app();
  await db.execute(INSERT, ['a', 'A']);
  const twice = await db.execute(INSERT, ['a', 'A']).catch((error: unknown) => error);
  expect(twice).toBeInstanceOf(SqlError);
  expect(twice).toMatchObject({ sqliteCode: 'SQLITE_CONSTRAINT_UNIQUE', sql: INSERT });
  await expect(db.execute('SELECT ?', [() => 1])).rejects.toMatchObject({ code: 'PARAMETER' });
  await expect(db.updateSchema(new Schema({ 'a"b': new Table({}) }))).rejects.toThrow(SchemaError);
  await expect(db.syncStream('').subscribe()).rejects.toBeInstanceOf(ClientError);
  const failing = {
    ...connector([], 'x'),
    fetchCredentials: () => Promise.reject(new TypeError('no net')),
  };
  await db.connect(failing);
  const { downloadError } = db.currentStatus;
  expect(downloadError).toBeInstanceOf(ClientError);
  expect(downloadError).toMatchObject({
    code: 'CREDENTIALS',
    cause: { name: 'TypeError', message: 'no net' },
  });
});

test('a problem of the database’s thread is told to every app, and a change of schema too', async () => {
  const [one, two] = [await app(), await app()];
  const heard: number[] = [];
  two.db.registerListener({ schemaChanged: ({ tables }) => heard.push(tables.length) });
  await one.db.updateSchema(
    new Schema({ lists: new Table({ name: column.text }), more: new Table({}) }),
  );
  await until('told', () => heard.length === 1, 5_000);
  expect(heard).toEqual([2]);
  host.report(new ClientError('SCHEMA_LOSS', 'gone'));
  await until('both are told', () => problems.length === 2, 5_000);
  expect(problems).toEqual(
    Array.from({ length: 2 }, () => expect.objectContaining({ code: 'SCHEMA_LOSS' })),
  );
  problems.length = 0;
});
