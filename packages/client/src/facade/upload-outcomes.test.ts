import { until } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import type { DeadLetter } from '../crud/dead-letters.ts';
import type { EntryOutcome } from '../crud/outcomes.ts';
import { APP_DATABASES } from '../testing/app-databases.ts';
import { SPEC_LINES } from '../testing/session-world.ts';
import { useAppDatabase } from '../testing/use-app-database.ts';
import { uploadEntries } from './upload-entries.ts';

const INSERT = 'INSERT INTO lists (id, name) VALUES (?, ?)';
const ok: EntryOutcome = { kind: 'ok' };
const reject: EntryOutcome = { kind: 'reject', reason: 'not yours' };

describe.each(APP_DATABASES)('outcomes of single entries, $name', (kind) => {
  const app = useAppDatabase(kind);

  const waiting = async () => (await app.db.getCrudBatch())?.crud.map(({ id }) => id) ?? [];
  const dead = async () =>
    (await app.db.deadLetters.list()).map(({ entry, state, reason }) => [entry.id, state, reason]);

  async function write(...ids: readonly string[]): Promise<void> {
    for (const id of ids) await app.db.execute(INSERT, [id, id]);
  }

  /** By the entries' row ids. */
  async function settle(outcomes: Readonly<Record<string, EntryOutcome>>) {
    const batch = await app.db.getCrudBatch();
    const told = batch?.crud.flatMap(({ clientId, id }) => {
      const outcome = outcomes[id];
      return outcome === undefined ? [] : [[clientId, outcome] as const];
    });
    return batch?.settle(told ?? []);
  }

  test('each entry goes its own way, and what was left out waits', async () => {
    await write('a', 'b', 'c', 'd');
    const later: EntryOutcome = { kind: 'retry', afterMs: 50 };
    const result = await settle({
      a: ok,
      b: reject,
      c: { kind: 'park', reason: 'until Monday' },
      d: later,
    });
    expect(result).toEqual({ retryAfterMs: 50 });
    expect(await waiting()).toEqual(['d']);
    expect(await dead()).toEqual([
      ['c', 'parked', 'until Monday'],
      ['b', 'rejected', 'not yours'],
    ]);
    expect(await app.db.getUploadQueueStats(true)).toMatchObject({
      count: 1,
      size: '{"op":"PUT","id":"d","type":"lists","data":{"name":"d"}}'.length,
      deadLetters: 2,
    });
  });

  test('changes of one row that stand side by side are sent as one, if the app wants that', async () => {
    await write('a');
    for (const name of ['b', 'c']) await app.db.execute('UPDATE lists SET name = ?', [name]);
    const sent: unknown[] = [];
    const send: Parameters<typeof uploadEntries>[0] = async (entries) => {
      sent.push(...entries.map(({ op, opData }) => [op, opData]));
      return entries.map(({ clientId }) => [clientId, ok] as const);
    };
    const { signal } = new AbortController();
    const told: string[] = [];
    app.db.registerListener({ uploadsChanged: () => told.push('changed') });
    await uploadEntries(send, { coalesce: true })(app.db, signal);
    expect(sent).toEqual([['PUT', { name: 'c' }]]);
    expect(told).not.toEqual([]);
    for (const name of ['d', 'e']) await app.db.execute('UPDATE lists SET name = ?', [name]);
    await uploadEntries(send)(app.db, signal);
    expect(sent.slice(1)).toEqual([
      ['PATCH', { name: 'd' }],
      ['PATCH', { name: 'e' }],
    ]);
    expect(await waiting()).toEqual([]);
  });

  test('statistics tell of the attempts, as the status does to whoever listens', async () => {
    const { connector } = app;
    let isDown = true;
    const uploadData: typeof connector.uploadData = async (...call) => {
      if (isDown) throw new Error('down');
      return connector.uploadData(...call);
    };
    await write('a');
    const told: number[] = [];
    app.db.registerListener({ statusChanged: (status) => told.push(status.uploadAttempts) });
    await app.db.connect({ ...connector, uploadData });
    await app.db.waitForStatus((status) => status.nextUploadAt !== undefined);
    const { count, attempts, nextRetryAt } = await app.db.getUploadQueueStats();
    expect([count, attempts]).toEqual([1, 1]);
    expect(nextRetryAt?.getTime()).toBeGreaterThan(Date.now() - 5_000);
    isDown = false;
    app.db.hint();
    await app.db.waitForStatus((status) => !status.uploading && status.uploadAttempts === 0);
    await until('it is uploaded', async () => (await waiting()).length === 0);
    expect(told).toContain(1);
    expect(await app.db.getUploadQueueStats()).toMatchObject({
      attempts: 0,
      nextRetryAt: undefined,
    });
  });

  test('an outcome that is told twice counts once', async () => {
    await write('a', 'b');
    const batch = await app.db.getCrudBatch();
    const [first] = batch?.crud ?? [];
    const outcomes = [[first?.clientId ?? 0, reject]] as const;
    await batch?.settle(outcomes);
    await batch?.settle(outcomes);
    expect(await waiting()).toEqual(['b']);
    expect(await dead()).toEqual([['a', 'rejected', 'not yours']]);
  });

  test('transactions are settled too, and only their own entries', async () => {
    await write('a', 'b');
    for await (const { crud, settle } of app.db.getCrudTransactions()) {
      const [entry] = crud;
      if (entry?.id === 'b') await settle([[entry.clientId, ok]]);
    }
    expect(await waiting()).toEqual(['a']);
  });

  test('dead letters are queued again oldest first, or forgotten: all that are named, or none', async () => {
    await write('a', 'b', 'c');
    await settle({ a: reject, b: reject, c: reject });
    const [c, b, a] = (await app.db.deadLetters.list()).map(({ entry }) => entry.clientId);
    await expect(app.db.deadLetters.requeue([a ?? 0, 99])).rejects.toMatchObject({
      code: 'DEAD_LETTER',
    });
    await expect(app.db.deadLetters.discard([a ?? 0, 99])).rejects.toMatchObject({
      code: 'DEAD_LETTER',
    });
    expect(await dead()).toHaveLength(3);
    await app.db.deadLetters.requeue([c ?? 0, a ?? 0]);
    await app.db.deadLetters.discard(b ?? 0);
    expect(await waiting()).toEqual(['a', 'c']);
    expect(await dead()).toEqual([]);
  });

  test('whoever watches dead letters is told of each that comes or goes', async () => {
    let changes = 0;
    app.db.registerListener({ uploadsChanged: () => (changes += 1) });
    const letters = app.db.deadLetters.watch();
    const next = async () =>
      (await letters.next()).value?.map((letter: DeadLetter) => letter.entry.id);
    expect(await next()).toEqual([]);
    await write('a', 'b');
    await settle({ a: ok });
    await settle({ b: reject });
    expect(await next()).toEqual(['b']);
    const [letter] = await app.db.deadLetters.list();
    await app.db.deadLetters.requeue(letter?.entry.clientId ?? 0);
    expect(await next()).toEqual([]);
    expect(changes).toBe(3);
    await settle({ b: reject });
    expect(await next()).toEqual(['b']);
    await app.db.disconnectAndClear();
    expect(await next()).toEqual([]);
    await app.db.close();
    expect((await letters.next()).done).toBe(true);
  });

  test('a refused write is undone by the next checkpoint, and what is queued again is sent without another write', async () => {
    let taken: (id: string) => boolean = (id) => id !== 'bad';
    const sent: string[] = [];
    const uploadData = uploadEntries((entries) => {
      sent.push(...entries.map(({ id }) => id));
      const outcomes = entries.map(
        ({ clientId, id }) => [clientId, taken(id) ? ok : reject] as const,
      );
      return Promise.resolve(outcomes);
    });
    await app.db.connect({ ...app.connector, uploadData }, { uploadThrottleMs: 10 });
    await write('bad', 'good');
    await until('the upload', async () => (await dead()).length === 1, 5_000);
    await until('the write checkpoint', () => app.service.writeCheckpoint === 1, 5_000);
    const { checkpoint, lists, partial, todos, complete } = SPEC_LINES;
    const answered = { checkpoint: { ...checkpoint.checkpoint, write_checkpoint: '1' } };
    app.service.stream.send(answered, lists, partial, todos, complete);
    await app.db.waitForFirstSync();
    expect(await app.names()).toEqual(['Groceries']);
    taken = () => true;
    const [letter] = await app.db.deadLetters.list();
    await app.db.deadLetters.requeue(letter?.entry.clientId ?? 0);
    await until('it is sent again', async () => (await waiting()).length === 0, 5_000);
    expect(sent.at(-1)).toBe('bad');
    expect(await dead()).toEqual([]);
  });
});
