import { until } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import { APP_DATABASES } from '../testing/app-databases.ts';
import { SPEC_LINES } from '../testing/session-world.ts';
import { APP_TABLES, useAppDatabase } from '../testing/use-app-database.ts';

const INSERT = 'INSERT INTO lists (id, name) VALUES (?, ?)';
const { checkpoint, lists, partial, todos, complete } = SPEC_LINES;
const withWriteCheckpoint = (number: number) => ({
  checkpoint: { ...checkpoint.checkpoint, write_checkpoint: String(number) },
});

describe.each(APP_DATABASES)('a database $name', (kind) => {
  const app = useAppDatabase(kind);
  const count = async (table: string) => (await app.db.getAll(`SELECT id FROM ${table}`)).length;

  /** Everything of the specification's example is in the tables. */
  async function synced(): Promise<void> {
    await app.db.connect(app.connector, { uploadThrottleMs: 10 });
    app.service.stream.send(checkpoint, lists, partial, todos, complete);
    await app.db.waitForFirstSync();
  }

  /** As after `synced`, but for what a soft clear does not keep. */
  async function expectCleared(): Promise<void> {
    expect([await count('lists'), await count('todos')]).toEqual([0, 0]);
    expect(app.db.currentStatus.hasSynced).toBe(false);
    expect(await app.db.getUploadQueueStats()).toMatchObject({ count: 0, deadLetters: 0 });
  }

  describe('cleared softly', () => {
    test('is empty until a checkpoint shows what is still there, without another download', async () => {
      await synced();
      const rows = await app.db.getAll('SELECT id, list_id, title, qty FROM todos ORDER BY id');
      await app.db.execute(`UPDATE todos SET title = 'mine'`);
      await app.db.execute(`DELETE FROM lists`);
      await app.db.disconnectAndClear({ soft: true });
      await expectCleared();
      await app.db.connect(app.connector);
      expect(app.service.stream.request.buckets).toHaveLength(checkpoint.checkpoint.buckets.length);
      const watched = app.db.watch('SELECT id FROM todos', [], { throttleMs: 0 });
      expect((await watched.next()).value.array).toEqual([]);
      app.service.stream.send(checkpoint, partial, complete);
      await app.db.waitForFirstSync();
      expect((await watched.next()).value.array).toHaveLength(rows.length);
      expect(await app.db.getAll('SELECT id, list_id, title, qty FROM todos ORDER BY id')).toEqual(
        rows,
      );
      expect(await app.names()).toEqual(['Groceries']);
    });

    test('shows the next user nothing of the one before, whatever comes in between', async () => {
      await synced();
      await app.db.disconnectAndClear({ soft: true });
      await app.db.updateSchema(new Schema({ drafts: APP_TABLES.drafts, lists: APP_TABLES.lists }));
      await app.db.updateSchema(
        new Schema({ ...APP_TABLES, todos: new Table({ title: column.text }) }),
      );
      await expectCleared();
      await app.db.connect(app.connector, { uploadThrottleMs: 10 });
      await app.db.execute(INSERT, ['own', 'own']);
      await until('the upload', () => app.service.writeCheckpoint === 1, 5_000);
      const seen: number[] = [];
      app.db.watch('SELECT id FROM todos', [], {
        onResult: (rows) => seen.push(rows.array.length),
      });
      const { last_op_id: lastOpId } = checkpoint.checkpoint;
      app.service.stream.send(
        { checkpoint: { last_op_id: lastOpId, write_checkpoint: '1', buckets: [], streams: [] } },
        complete,
      );
      await app.db.waitForFirstSync();
      expect([await count('lists'), await count('todos')]).toEqual([0, 0]);
      expect(new Set(seen)).toEqual(new Set([0]));
      expect(await app.db.getAll('SELECT id FROM sluice_row')).toEqual([]);
    });

    test('may be cleared again, for good', async () => {
      await synced();
      await app.db.execute(`INSERT INTO drafts (id) VALUES ('d')`);
      await app.db.disconnectAndClear({ soft: true, clearLocal: false });
      expect(await count('drafts')).toBe(1);
      await app.db.disconnectAndClear({ soft: true });
      expect(await count('drafts')).toBe(0);
      await app.db.disconnectAndClear();
      await app.db.connect(app.connector);
      expect(app.service.stream.request.buckets).toEqual([]);
      app.service.stream.send(checkpoint, lists, partial, todos, complete);
      await app.db.waitForFirstSync();
      expect(await app.names()).toEqual(['Groceries']);
    });
  });

  test.each([true, false])('cleared (soft: %s), it tells a watch once', async (soft) => {
    await synced();
    const seen: number[] = [];
    const onResult = (rows: { readonly array: readonly unknown[] }) =>
      void seen.push(rows.array.length);
    app.db.watch('SELECT id FROM todos', [], { onResult }, { throttleMs: 0 });
    await until('the first result', () => seen.at(-1) === 2, 5_000);
    await app.db.disconnectAndClear({ soft });
    await until('the empty one', () => seen.at(-1) === 0, 5_000);
    await app.db.execute(`INSERT INTO todos (id) VALUES ('next')`);
    await until('the next one', () => seen.at(-1) === 1, 5_000);
    expect(seen.filter((count) => count !== 2)).toEqual([0, 1]);
  });

  describe('syncs once', () => {
    test('uploads, downloads, and is disconnected again', async () => {
      await app.db.execute(INSERT, ['own', 'own']);
      const done = app.db.syncOnce(app.connector, { uploadThrottleMs: 10 });
      await until('the upload', () => app.service.writeCheckpoint === 1, 5_000);
      app.service.stream.send(withWriteCheckpoint(1), lists, partial, todos, complete);
      await done;
      expect(await app.names()).toEqual(['Groceries']);
      expect(app.db.currentStatus.connected).toBe(false);
      await until('the stream is closed', () => app.service.stream.closed, 5_000);
    });

    test('by the connection that there is, which stays', async () => {
      await synced();
      const done = app.db.syncOnce();
      await until('another stream', () => app.service.streams.length === 2, 5_000);
      app.service.stream.send(checkpoint, partial, complete);
      await done;
      expect(app.db.currentStatus.connected).toBe(true);
    });

    test.each([
      ['a service that is down', undefined, 'NETWORK'],
      ['a service that fails', 500, 'SERVICE'],
    ])('tells the first failure: %s', async (_, refusal, code) => {
      app.service.refusals.push(refusal);
      await expect(app.db.syncOnce(app.connector)).rejects.toMatchObject({ code });
      expect(app.db.currentStatus.connecting).toBe(false);
    });

    test('no longer than it may, and not when nobody says how, or it is paused', async () => {
      await expect(app.db.syncOnce(app.connector, { timeoutMs: 50 })).rejects.toMatchObject({
        code: 'TIMEOUT',
      });
      const signal = AbortSignal.abort(new Error('left'));
      await expect(app.db.syncOnce(app.connector, { signal })).rejects.toThrow('left');
      await expect(app.db.syncOnce()).rejects.toMatchObject({ code: 'PARAMETER' });
      await app.db.pause();
      await expect(app.db.syncOnce(app.connector)).rejects.toMatchObject({ code: 'PAUSED' });
    });
  });

  test('paused, it neither downloads nor uploads, also after another connect; then it goes on', async () => {
    await synced();
    await app.db.pause();
    expect(app.db.currentStatus).toMatchObject({ paused: true, connected: false });
    await app.db.connect(app.connector, { uploadThrottleMs: 10 });
    await app.db.execute(INSERT, ['own', 'own']);
    app.db.hint();
    expect((await app.db.getUploadQueueStats()).count).toBe(1);
    expect([app.service.streams.length, app.service.calls]).toEqual([1, []]);
    await app.db.resume();
    await app.db.waitForStatus(({ connected, paused }) => connected && !paused);
    const empty = async () => (await app.db.getUploadQueueStats()).count === 0;
    await until('the upload', empty, 5_000);
    await app.db.disconnect();
    await app.db.pause();
    await app.db.resume();
    expect(app.service.streams).toHaveLength(2);
  });

  test('a hint does not wait for the next attempt', async () => {
    app.service.refusals.push(...Array.from({ length: 20 }, () => undefined));
    await app.db.connect(app.connector);
    expect(app.db.currentStatus.connected).toBe(false);
    app.service.refusals.length = 0;
    app.db.hint();
    await app.db.waitForStatus(({ connected }) => connected);
  });

  describe.each(['legacy', 'requests'] as const)(
    'a checkpoint requested by %s',
    (checkpointMode) => {
      test('is there when what the backend has is in the tables', async () => {
        app.service.takesRequests = true;
        await app.db.connect(app.connector, { checkpointMode });
        const requested = await app.db.requestCheckpoint();
        const number = app.service.writeCheckpoint;
        let isThere = false;
        const waiting = requested.waitForSync().then(() => (isThere = true));
        app.service.stream.send(withWriteCheckpoint(number - 1), lists, partial, todos, complete);
        await app.db.waitForFirstSync();
        expect([requested.hasSynced, isThere]).toEqual([false, false]);
        app.service.stream.send(
          {
            checkpoint_diff: {
              ...checkpoint.checkpoint,
              write_checkpoint: String(number),
              updated_buckets: [],
              removed_buckets: [],
            },
          },
          complete,
        );
        await waiting;
        expect(requested.hasSynced).toBe(true);
        await requested.waitForSync();
      });
    },
  );

  test('a checkpoint is requested while connected; a disconnect and the signal end the wait', async () => {
    await expect(app.db.requestCheckpoint()).rejects.toMatchObject({ code: 'OFFLINE' });
    await app.db.connect(app.connector);
    const requested = await app.db.requestCheckpoint();
    const signal = AbortSignal.abort(new Error('left'));
    await expect(requested.waitForSync({ signal })).rejects.toThrow('left');
    const refused = expect(requested.waitForSync()).rejects.toMatchObject({ code: 'STOPPED' });
    await app.db.disconnect();
    await refused;
  });
});
