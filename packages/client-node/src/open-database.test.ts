import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '@sluice/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ClientError,
  column,
  DatabaseClosedError,
  openDatabase,
  Schema,
  SchemaError,
  SqlError,
  Table,
  type OpenDatabaseOptions,
  type SluiceDatabase,
} from './index.ts';

const INSERT = 'INSERT INTO lists (id, name) VALUES (?, ?)';
const NAMES = 'SELECT name FROM lists ORDER BY name';
/** Takes some hundred milliseconds and reads nothing. */
const LONG = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) AS n FROM n`;

/** Threads begin slowly from the sources, on a busy machine above all. */
const TIMEOUT = { timeout: 90_000 };

let dir: string;
let shared: string;
let problems: unknown[];

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-node-'));
  problems = [];
});

afterEach(() => rmSync(dir, { recursive: true }));

function open(options: Partial<OpenDatabaseOptions> = {}): Promise<SluiceDatabase> {
  return openDatabase({
    file: path.join(dir, 'app.sqlite'),
    schema: new Schema({ lists: new Table({ name: column.text }) }),
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
}

describe.each([
  { name: 'a reader', options: { maxReaders: 1 } },
  { name: "the caller's thread", options: { thread: 'caller' } },
] as const)('with $name', ({ options }) => {
  test(
    'writes, reads and watches, and is the same after it was closed and opened again',
    TIMEOUT,
    async () => {
      const db = await open(options);
      const watched = db.watch(NAMES, [], { throttleMs: 0 });
      expect((await watched.next()).value.array).toEqual([]);
      await db.execute(INSERT, ['a', 'A']);
      expect((await watched.next()).value.array).toEqual([{ name: 'A' }]);
      await db.writeTransaction(async (tx) => {
        await tx.execute(INSERT, ['b', 'B']);
        expect(await db.getAll(NAMES)).toHaveLength(1);
        await tx.savepoint((inner) => inner.execute(INSERT, ['c', 'C']));
      });
      await db.readTransaction(async (tx) => {
        expect(await tx.getAll(NAMES)).toHaveLength(3);
        await db.execute(INSERT, ['d', 'D']);
        expect(await tx.getAll(NAMES)).toHaveLength(3);
      });
      const clientId = await db.getClientId();
      await db.close();
      expect((await watched.return?.())?.done).toBe(true);
      await expect(db.getAll(NAMES)).rejects.toThrow(DatabaseClosedError);
      const again = await open(options);
      expect((await again.getAll(NAMES)).map(({ name }) => name)).toEqual(['A', 'B', 'C', 'D']);
      expect(await again.getClientId()).toBe(clientId);
      await again.close();
      expect(problems).toEqual([]);
    },
  );
});

test('integers come from every thread in the form of the schema', TIMEOUT, async () => {
  const lists = new Table({ name: column.text, size: column.integer });
  const db = await open({ schema: new Schema({ lists }, { integerMode: 'bigint' }) });
  const { array } = await db.execute(
    'INSERT INTO lists (id, name, size) VALUES (?, ?, ?), (?, ?, 5) RETURNING size',
    ['a', 'A', 2n ** 63n - 1n, 'b', 'B'],
  );
  const sizes = [{ size: 2n ** 63n - 1n }, { size: 5n }];
  expect(array).toEqual(sizes);
  const sql = 'SELECT size FROM lists ORDER BY id';
  expect(await db.getAll(sql)).toEqual(sizes);
  await db.readTransaction(async (tx) => expect(await tx.getAll(sql)).toEqual(sizes));
  const watched = db.watch(sql);
  expect((await watched.next()).value.array).toEqual(sizes);
  expect((await db.getCrudBatch())?.crud.map(({ opData }) => opData?.['size'])).toEqual([
    2n ** 63n - 1n,
    5n,
  ]);
  await db.close();
  expect(problems).toEqual([]);
});

describe('with two readers', () => {
  let db: SluiceDatabase;

  beforeAll(async () => {
    shared = mkdtempSync(path.join(tmpdir(), 'sluice-node-'));
    db = await open({ file: path.join(shared, 'app.sqlite') });
  }, TIMEOUT.timeout);

  afterAll(async () => {
    await db.close();
    rmSync(shared, { recursive: true });
  });

  test(
    'reads and writes wait neither for a long read nor for an open transaction',
    TIMEOUT,
    async () => {
      // Both threads have begun when there was a read beside a transaction.
      await db.readTransaction(() => db.get('SELECT 1'));
      const order: string[] = [];
      const long = db.get(LONG).then(() => order.push('long read'));
      await db.writeTransaction(async (tx) => {
        await tx.execute(INSERT, ['a', 'A']);
        expect(await db.getAll(NAMES)).toEqual([]);
        order.push('read beside a transaction');
      });
      expect(await db.getAll(NAMES)).toEqual([{ name: 'A' }]);
      order.push('transaction');
      await long;
      expect(order).toEqual(['read beside a transaction', 'transaction', 'long read']);
    },
  );

  test('more reads than readers take turns, in the order of their calls', TIMEOUT, async () => {
    const order: number[] = [];
    const reads = Array.from({ length: 20 }, async (_, index) => {
      await db.get('SELECT ? AS n', [index]);
      order.push(index);
    });
    await Promise.all(reads);
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from(order.keys()));
  });

  test("reads under a changed schema see it, whichever thread's they are", TIMEOUT, async () => {
    const both = () =>
      Promise.all([db.getAll('SELECT * FROM lists'), db.getAll('SELECT * FROM lists')]);
    await both();
    await db.updateSchema(
      new Schema({ lists: new Table({ name: column.text, color: column.text }) }),
    );
    const row = { id: 'a', name: 'A', color: null };
    expect(await both()).toEqual([[row], [row]]);
  });
});

test(
  'what cannot be opened is refused with the error of the thread that tried',
  TIMEOUT,
  async () => {
    const bare = { maxReaders: 0 };
    const missing = open({ ...bare, file: path.join(dir, 'no', 'app.sqlite') });
    await expect(missing).rejects.toThrow(SqlError);
    const wrong = open({ schema: new Schema({ 'a"b': new Table({}) }) });
    await expect(wrong).rejects.toThrow(SchemaError);
    await expect(open({ file: ':memory:' })).rejects.toThrow(/needs a file/);
    await expect(open({ fetch })).rejects.toThrow(/networkModule/);
    await expect(open({ ...bare, networkModule: 'file:///nowhere.mjs' })).rejects.toThrow(
      /nowhere/,
    );
    expect(problems).toEqual([]);
  },
);

test('a thread that dies closes the database, and says of what it died', TIMEOUT, async () => {
  const networkModule = new URL('./testing/dying-network.mjs', import.meta.url);
  const db = await open({ maxReaders: 0, networkModule });
  const heard: string[] = [];
  db.registerListener({ closed: () => heard.push('closed') });
  const watched = db.watch(NAMES);
  await watched.next();
  const calls = [
    db.connect({
      fetchCredentials: () => Promise.resolve({ endpoint: 'http://127.0.0.1:1', token: 'token' }),
      uploadData: () => Promise.resolve(),
    }),
    db.waitForFirstSync(),
  ];
  for (const call of calls) await expect(call).rejects.toThrow(DatabaseClosedError);
  expect((await watched.next()).done).toBe(true);
  await expect(db.execute(INSERT, ['a', 'A'])).rejects.toThrow(DatabaseClosedError);
  await until('it is told', () => problems.length > 0 && heard.length > 0, 10_000);
  const [problem] = problems;
  expect(problem).toBeInstanceOf(ClientError);
  expect(problem).toMatchObject({ code: 'THREAD_LOST', cause: { message: 'The thread dies' } });
});
