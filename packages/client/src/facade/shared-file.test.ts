import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDatabase } from '@sluice/client-node';
import { until } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import { ScriptedService } from '../testing/scripted-service.ts';
import { SPEC_LINES } from '../testing/session-world.ts';
import type { SluiceDatabase } from './sluice-database.ts';

/** Two databases over one file, as two processes have it: they share nothing but the file, and what SQLite locks. */
const INSERT = 'INSERT INTO lists (id, name) VALUES (?, ?)';
const schema = new Schema({
  lists: new Table({ name: column.text, owner_id: column.text }),
  todos: new Table({ list_id: column.text, title: column.text, qty: column.integer }),
});

let dir: string;
let services: readonly [ScriptedService, ScriptedService];
let first: SluiceDatabase;
let second: SluiceDatabase;
let uploads: string[];
let problems: unknown[];

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-shared-'));
  services = [new ScriptedService(), new ScriptedService()];
  uploads = [];
  problems = [];
  first = await open(services[0]);
  second = await open(services[1]);
});

afterEach(async () => {
  await first.close();
  await second.close();
  rmSync(dir, { recursive: true });
  expect(problems).toEqual([]);
});

function open(service: ScriptedService): Promise<SluiceDatabase> {
  return openDatabase({
    file: path.join(dir, 'app.sqlite'),
    schema,
    thread: 'caller',
    fetch: service.fetch,
    onProblem: (problem) => problems.push(problem),
  });
}

function connect(database: SluiceDatabase, name: string): Promise<void> {
  const connector = {
    fetchCredentials: () => Promise.resolve({ endpoint: 'http://service', token: 'token' }),
    uploadData: async (db: SluiceDatabase) => {
      uploads.push(name);
      await (await db.getNextCrudTransaction())?.complete();
    },
  };
  return database.connect(connector, { uploadThrottleMs: 1 });
}

const names = async (database: SluiceDatabase) =>
  (await database.getAll('SELECT name FROM lists ORDER BY name')).map(({ name }) => name);

const isUploaded = async () => (await second.getUploadQueueStats()).count === 0;

test('what one process writes is seen by the live queries of the other', async () => {
  const watched = second.watch('SELECT name FROM lists', [], { throttleMs: 0 });
  expect((await watched.next()).value.array).toEqual([]);
  await first.execute(INSERT, ['a', 'A']);
  expect((await watched.next()).value.array).toEqual([{ name: 'A' }]);
});

test('one of them syncs for both: rows, uploads, subscriptions and what the status has stored', async () => {
  await connect(first, 'first');
  await connect(second, 'second');
  expect(services.map(({ streams }) => streams.length)).toEqual([1, 0]);
  await second.syncStream('todos', { list_id: 'L1' }).subscribe();
  await until('the request with it', () => services[0].streams.length === 2, 5_000);
  expect(services[0].stream.request.streams.subscriptions).toHaveLength(1);
  const { checkpoint, lists, partial, todos, complete } = SPEC_LINES;
  services[0].stream.send(checkpoint, lists, partial, todos, complete);
  await second.waitForFirstSync({ signal: AbortSignal.timeout(5_000) });
  expect(await names(second)).toEqual(['Groceries']);
  await second.execute(INSERT, ['own', 'mine']);
  await until('the upload', isUploaded, 5_000);
  expect(new Set(uploads)).toEqual(new Set(['first']));
});

test.each(['closes', 'disconnects'] as const)(
  'when the one that syncs %s the other one goes on',
  async (how) => {
    await connect(first, 'first');
    await connect(second, 'second');
    await second.execute(INSERT, ['a', 'A']);
    await until('the upload', isUploaded, 5_000);
    await (how === 'closes' ? first.close() : first.disconnect());
    await second.waitForStatus(({ connected }) => connected, AbortSignal.timeout(5_000));
    await second.execute(INSERT, ['b', 'B']);
    await until('the upload', isUploaded, 5_000);
    expect(uploads[0]).toBe('first');
    expect(uploads.at(-1)).toBe('second');
    expect(services[1].streams).toHaveLength(1);
  },
);

test('who no longer wants to sync does not take over', async () => {
  await connect(first, 'first');
  await connect(second, 'second');
  await second.disconnect();
  await first.close();
  first = await open(services[0]);
  await connect(first, 'first');
  expect(services.map(({ streams }) => streams.length)).toEqual([2, 0]);
});
