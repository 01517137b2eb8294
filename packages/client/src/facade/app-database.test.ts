import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '@sluice/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DatabaseClosedError } from '../errors.ts';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import { APP_DATABASES, type AppDatabaseSettings } from '../testing/app-databases.ts';
import { SPEC_LINES } from '../testing/session-world.ts';
import { ScriptedService } from '../testing/scripted-service.ts';
import type { WebSocketLike } from '../sync/transport/websocket-transport.ts';
import type { SluiceDatabase } from './sluice-database.ts';

const TABLES = {
  lists: new Table({ name: column.text, owner_id: column.text }),
  todos: new Table({ list_id: column.text, title: column.text, qty: column.integer }),
  drafts: Table.createLocalOnly({ body: column.text }),
};
const INSERT = 'INSERT INTO lists (id, name) VALUES (?, ?)';
const NAMES = 'SELECT name FROM lists ORDER BY name';

describe.each(APP_DATABASES)('a database $name', (kind) => {
  let dir: string;
  let service: ScriptedService;
  let problems: unknown[];
  let db: SluiceDatabase;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'sluice-facade-'));
    service = new ScriptedService();
    problems = [];
    db = await open();
  });

  afterEach(async () => {
    await db.close();
    rmSync(dir, { recursive: true });
    expect(problems).toEqual([]);
  });

  function open(options: Partial<AppDatabaseSettings> = {}): Promise<SluiceDatabase> {
    return kind.open({
      file: path.join(dir, 'app.sqlite'),
      schema: new Schema(TABLES),
      fetch: service.fetch,
      onProblem: (problem) => problems.push(problem),
      ...options,
    });
  }

  const connector = {
    fetchCredentials: () => Promise.resolve({ endpoint: 'http://service', token: 'token' }),
    uploadData: async (database: SluiceDatabase) => {
      await (await database.getNextCrudTransaction())?.complete();
    },
  };

  async function names(): Promise<readonly unknown[]> {
    return (await db.getAll(NAMES)).map(({ name }) => name);
  }

  test('a schema that has problems is refused, with all of them', async () => {
    const schema = new Schema({ 'a b': new Table({ x: column.text, X: column.text }) });
    await expect(async () => open({ schema })).rejects.toThrow(/a b[^]*"X"/);
  });

  test('a statement tells what it changed, and its rows as objects', async () => {
    const inserted = await db.execute(`${INSERT}, ('b', 'B') RETURNING id`, ['a', 'A']);
    expect([...inserted]).toEqual([{ id: 'a' }, { id: 'b' }]);
    expect(inserted.rowsAffected).toBe(2);
    expect(await db.executeRaw('SELECT id, 1 AS id FROM lists')).toEqual({
      columns: ['id', 'id'],
      rows: [
        ['a', 1],
        ['b', 1],
      ],
    });
    expect(
      await db.executeBatch(INSERT, [
        ['c', 'C'],
        ['d', 'D'],
      ]),
    ).toEqual({ rowsAffected: 2 });
    expect(await db.get('SELECT count(*) AS n FROM lists WHERE id > ?', ['a'])).toEqual({ n: 3 });
    expect(await db.getOptional(`SELECT * FROM lists WHERE id = 'x'`)).toBeNull();
    await expect(db.get(`SELECT * FROM lists WHERE id = 'x'`)).rejects.toThrow(
      'Result set is empty',
    );
  });

  test('transactions run one after the other, in the order of their calls', async () => {
    const log: string[] = [];
    const slow = (name: string) =>
      db.writeTransaction(async (tx) => {
        log.push(`${name} begins`);
        await tx.execute(INSERT, [name, name]);
        await new Promise(setImmediate);
        log.push(`${name} ends`);
      });
    await Promise.all([slow('a'), slow('b'), db.execute(INSERT, ['c', 'c']), slow('d')]);
    const expected = ['a begins', 'a ends', 'b begins', 'b ends', 'd begins', 'd ends'];
    expect(log).toEqual(expected);
    expect(await names()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a transaction that throws leaves nothing, and rejects with what it threw', async () => {
    const error = new Error('mine');
    const failing = db.writeTransaction(async (tx) => {
      await tx.execute(INSERT, ['a', 'A']);
      expect(await tx.getAll(NAMES)).toHaveLength(1);
      expect(await names()).toEqual([]);
      throw error;
    });
    await expect(failing).rejects.toBe(error);
    expect(await names()).toEqual([]);
    expect(await db.getUploadQueueStats()).toMatchObject({ count: 0 });
  });

  test('a savepoint is undone alone', async () => {
    await db.writeTransaction(async (tx) => {
      await tx.execute(INSERT, ['a', 'A']);
      const part = tx.savepoint(async (inner) => {
        await inner.execute(INSERT, ['b', 'B']);
        await inner.savepoint((innermost) => innermost.execute(INSERT, ['c', 'C']));
        await inner.execute(INSERT, ['a', 'twice']);
      });
      await expect(part).rejects.toThrow(/UNIQUE/);
      await tx.savepoint((inner) => inner.execute(INSERT, ['d', 'D']));
    });
    expect(await names()).toEqual(['A', 'D']);
  });

  test('a transaction ends early when it is told to, and nothing follows', async () => {
    await db.writeTransaction(async (tx) => {
      await tx.execute(INSERT, ['a', 'A']);
      await tx.commit();
      await tx.rollback();
      await expect(tx.execute(INSERT, ['b', 'B'])).rejects.toThrow(/has ended/);
    });
    await db.writeTransaction(async (tx) => {
      await tx.execute(INSERT, ['c', 'C']);
      await tx.rollback();
    });
    expect(await names()).toEqual(['A']);
  });

  test('a call that would wait for its own transaction is refused at once, with what to do instead', async () => {
    await db.writeTransaction(async (tx) => {
      await new Promise(setImmediate);
      const calls = [
        () => db.execute(INSERT, ['b', 'B']),
        () => db.writeTransaction(() => undefined),
        () => db.getCrudBatch(),
        () => db.disconnect(),
      ];
      for (const call of calls)
        await expect(call()).rejects.toThrow(/use the `tx` .*tx\.savepoint/);
      await tx.execute(INSERT, ['a', 'A']);
    });
    await db.readTransaction(async () => {
      await expect(db.readTransaction(() => undefined)).rejects.toThrow(/use the `tx`/);
      await db.execute(INSERT, ['c', 'C']);
    });
    expect(await names()).toEqual(['A', 'C']);
  });

  test('whoever waits too long for a transaction is told, and the next one goes on', async () => {
    let end: () => void = () => undefined;
    const long = db.writeTransaction(() => new Promise<void>((resolve) => (end = resolve)));
    const late = db.writeTransaction(() => undefined, { timeoutMs: 20 });
    await expect(late).rejects.toMatchObject({ code: 'BUSY' });
    end();
    await long;
    await db.execute(INSERT, ['a', 'A']);
  });

  test('a read transaction sees one state', async () => {
    await db.readTransaction(async (tx) => {
      expect(await tx.getAll(NAMES)).toEqual([]);
      await db.execute(INSERT, ['a', 'A']);
      expect(await tx.getAll(NAMES)).toEqual([]);
      expect(await names()).toEqual(['A']);
    });
  });

  test('a live query is told of a write before its promise resolves', async () => {
    const events: string[] = [];
    db.onChange(
      { onChange: ({ changedTables }) => events.push(...changedTables) },
      { throttleMs: 0 },
    );
    const results = db.watch(NAMES, [], { throttleMs: 0 });
    expect((await results.next()).value.array).toEqual([]);
    await db.execute(INSERT, ['a', 'A']);
    expect((await results.next()).value.array).toEqual([{ name: 'A' }]);
    await db.writeTransaction(async (tx) => {
      await tx.execute(INSERT, ['b', 'B']);
      await tx.execute(INSERT, ['c', 'C']);
    });
    expect((await results.next()).value.array).toHaveLength(3);
    await until('the events', () => events.length > 0, 5_000);
    expect(new Set(events)).toEqual(new Set(['lists']));
    await db.close();
    expect((await results.next()).done).toBe(true);
  });

  test('a watched query is fetching, or has fetched, once the promise of a write resolves', async () => {
    const startedAt = performance.now();
    const query = db.query({ sql: NAMES }).watch({ throttleMs: 0 });
    await until('the first result', () => !query.state.isLoading, 5_000);
    const restedAt = 2 * performance.now() - startedAt;
    await until('it has rested as long as it ran', () => performance.now() > restedAt, 5_000);
    const states: unknown[] = [];
    query.registerListener({
      onStateChange: ({ isFetching, data }) => states.push([isFetching, data.length]),
    });
    await db.execute(INSERT, ['a', 'A']);
    expect(states[0]).toEqual([true, 0]);
    await until('the next result', () => query.state.data.length === 1, 5_000);
  });

  test('what watches may write', async () => {
    db.watch('SELECT count(*) AS n FROM drafts', [], {
      onResult: async (rows) => {
        const [{ n } = { n: 0 }] = rows.array;
        if (Number(n) < 3) await db.execute('INSERT INTO drafts (id) VALUES (?)', [String(n)]);
      },
    });
    const full = async () => (await db.getAll('SELECT id FROM drafts')).length === 3;
    await until('three drafts', full, 5_000);
  });

  test('syncs: rows come, local writes go, an open transaction keeps what sync does out', async () => {
    const todos = await db.syncStream('todos', { list_id: 'L1' }).subscribe();
    await db.connect(connector, { uploadThrottleMs: 10 });
    const { checkpoint, lists, partial, todos: rows, complete } = SPEC_LINES;
    await db.writeTransaction(async (tx) => {
      service.stream.send(checkpoint, lists, partial, rows, complete);
      await until(
        'the local write',
        async () => (await tx.execute(INSERT, ['own', 'own'])) !== null,
      );
      await tx.rollback();
    });
    await db.waitForFirstSync();
    await todos.waitForFirstSync();
    expect(await names()).toEqual(['Groceries']);
    await db.execute(INSERT, ['own', 'mine']);
    const empty = async () => (await db.getUploadQueueStats()).count === 0;
    await until('the upload', empty, 5_000);
    expect(db.currentStatus.connected).toBe(true);
    await db.disconnect();
    expect(db.currentStatus.connected).toBe(false);
  });

  test('entries are completed in turn with transactions', async () => {
    for (const id of ['a', 'b', 'c']) await db.execute(INSERT, [id, id]);
    const batch = await db.getCrudBatch(2);
    expect(batch?.crud.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(batch?.haveMore).toBe(true);
    const ids: string[] = [];
    for await (const { crud, complete } of db.getCrudTransactions()) {
      ids.push(...crud.map(({ id }) => id));
      if (ids.length === 2) await complete();
    }
    expect(ids).toEqual(['a', 'b', 'c']);
    expect((await db.getNextCrudTransaction())?.crud[0]?.id).toBe('c');
  });

  test('clearing keeps nothing but the client id, and handles of streams', async () => {
    const clientId = await db.getClientId();
    await db.syncStream('todos', { list_id: 'L1' }).subscribe();
    await db.connect(connector);
    const { checkpoint, lists, partial, todos, complete } = SPEC_LINES;
    service.stream.send(checkpoint, lists, partial, todos, complete);
    await db.waitForFirstSync();
    await db.execute(`INSERT INTO drafts (id, body) VALUES ('d', 'x')`);
    const watched = db.watch(NAMES, [], { throttleMs: 0 });
    expect((await watched.next()).value.array).toHaveLength(1);
    await db.disconnectAndClear({ clearLocal: false });
    expect((await watched.next()).value.array).toEqual([]);
    expect(await db.getAll('SELECT id FROM drafts')).toHaveLength(1);
    await db.disconnectAndClear();
    expect(await db.getAll('SELECT id FROM drafts')).toEqual([]);
    expect(db.currentStatus.hasSynced).toBe(false);
    expect(await db.getClientId()).toBe(clientId);
    expect((await db.getUploadQueueStats()).count).toBe(0);
    await db.connect(connector);
    expect(service.stream.request.buckets).toEqual([]);
    expect(service.stream.request.streams.subscriptions).toHaveLength(1);
    service.stream.send(checkpoint, lists, partial, todos, complete);
    await db.waitForFirstSync();
    expect(await names()).toEqual(['Groceries']);
  });

  test('another schema while connected: new columns at once, and sync goes on', async () => {
    await db.connect(connector);
    await db.execute(INSERT, ['a', 'A']);
    const watched = db.watch('SELECT * FROM lists', [], { throttleMs: 0 });
    expect((await watched.next()).value.columns).toEqual(['id', 'name', 'owner_id']);
    await db.execute('SELECT * FROM lists');
    const lists = new Table({ ...TABLES.lists.columns, color: column.text });
    await db.updateSchema(new Schema({ ...TABLES, lists }));
    expect((await watched.next()).value.columns).toContain('color');
    expect((await db.execute('SELECT * FROM lists')).columns).toContain('color');
    await db.waitForStatus(({ connected }) => connected);
    expect(service.streams).toHaveLength(2);
  });

  test('is the same after it was closed and opened again, and closed means refused', async () => {
    const clientId = await db.getClientId();
    await db.execute(INSERT, ['a', 'A']);
    const closed = db;
    const heard: string[] = [];
    closed.registerListener({
      closing: () => heard.push('closing'),
      closed: () => heard.push('closed'),
    });
    const waiting = expect(closed.waitForFirstSync()).rejects.toThrow(DatabaseClosedError);
    let goOn: () => void = () => undefined;
    const interrupted = closed.writeTransaction(async (tx) => {
      await tx.execute(INSERT, ['b', 'B']);
      await new Promise<void>((resolve) => (goOn = resolve));
      await tx.execute(INSERT, ['c', 'C']);
    });
    const queued = closed.execute(INSERT, ['d', 'D']);
    const refused = [interrupted, queued].map((call) =>
      expect(call).rejects.toThrow(DatabaseClosedError),
    );
    await Promise.all([closed.close(), closed.close()]);
    goOn();
    await Promise.all([...refused, waiting]);
    expect(heard).toEqual(['closing', 'closed']);
    const calls = [
      () => closed.execute(INSERT, ['e', 'E']),
      () => closed.getAll(NAMES),
      () => closed.readTransaction(() => undefined),
      () => closed.writeTransaction(() => undefined),
      () => closed.connect(connector),
      () => closed.getCrudBatch(),
      () => closed.watch(NAMES).next(),
    ];
    for (const call of calls) {
      await expect(async () => call()).rejects.toThrow(DatabaseClosedError);
    }
    db = await open();
    expect(await names()).toEqual(['A']);
    expect(await db.getClientId()).toBe(clientId);
  });

  test('connects by the WebSocket that it was given', async () => {
    class Socket {
      static readonly urls: string[] = [];
      constructor(url: string) {
        Socket.urls.push(url);
      }
      close(): void {}
    }
    await db.close();
    db = await open({ openSocket: (url) => new Socket(url) as unknown as WebSocketLike });
    const connected = db.connect(connector, { connectionMethod: 'websocket' });
    await until('a socket', () => Socket.urls.length > 0, 5_000);
    expect(Socket.urls).toEqual(['ws://service/sync/stream']);
    await db.close();
    await connected;
  });
});
