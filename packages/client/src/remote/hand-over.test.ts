import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SeededRandom, until } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { DatabaseClosedError, type ClientError } from '../errors.ts';
import type { DatabaseEngine } from '../facade/database-engine.ts';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import { openEngine } from '../testing/app-databases.ts';
import { chaosChannels, type ChaosPair } from '../testing/chaos-channel.ts';
import { ScriptedService } from '../testing/scripted-service.ts';
import { DatabaseHost } from './database-host.ts';
import { RemoteDatabase } from './remote-database.ts';

/** Counts how often each operation was done. */
const DO = 'INSERT INTO ops (id, n) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1';
const schema = new Schema({ ops: new Table({ n: column.integer }) });

let dir: string;
let service: ScriptedService;
let problems: unknown[];

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'sluice-hand-over-'));
  service = new ScriptedService();
  problems = [];
});

afterEach(() => {
  rmSync(dir, { recursive: true });
  expect(problems).toEqual([]);
});

/** One host after the other over one file, as when tabs lead in turn. */
class Hosts {
  readonly #random: SeededRandom;
  #engine: DatabaseEngine;
  #host: DatabaseHost;
  #pairs: ChaosPair[] = [];
  readonly #apps: RemoteDatabase[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#engine = this.#opened();
    this.#host = new DatabaseHost(this.#engine, { clock: systemClock, closes: 'channel' });
  }

  async app(timeoutMs?: number): Promise<RemoteDatabase> {
    const app = await RemoteDatabase.open(this.#channel(), {
      clock: systemClock,
      newId: randomUUID,
      onProblem: (problem) => problems.push(problem),
      handOver: { onLost: () => undefined, ...(timeoutMs !== undefined && { timeoutMs }) },
    });
    this.#apps.push(app);
    return app;
  }

  /** The host dies with everything that is under way. */
  async die(): Promise<void> {
    for (const pair of this.#pairs) pair.cut();
    this.#pairs = [];
    await this.#engine.close();
  }

  async follow(): Promise<void> {
    this.#engine = this.#opened();
    this.#host = new DatabaseHost(this.#engine, { clock: systemClock, closes: 'channel' });
    await Promise.all(this.#apps.map((app) => app.replaceChannel(this.#channel())));
  }

  async end(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.close()));
    await this.#engine.close();
  }

  #opened(): DatabaseEngine {
    const onProblem = (problem: unknown) => problems.push(problem);
    const file = path.join(dir, 'app.sqlite');
    return openEngine({ file, schema, fetch: service.fetch, onProblem });
  }

  #channel() {
    const pair = chaosChannels(this.#random);
    this.#pairs.push(pair);
    this.#host.serve(pair.host);
    return pair.app;
  }
}

const immediate = () => new Promise(setImmediate);

test.each([1, 2, 3, 4])(
  'every write is done once, and every promise tells the truth, while hosts die at random (seed %i)',
  async (seed) => {
    const random = new SeededRandom(seed);
    const hosts = new Hosts(random);
    const apps = [await hosts.app(), await hosts.app(), await hosts.app()];
    const done = new Set<string>();
    const undone = new Map<string, unknown>();
    const running = new Set<Promise<void>>();
    let count = 0;
    const note = (ids: readonly string[], work: Promise<unknown>) => {
      const settled = work.then(
        () => ids.forEach((id) => done.add(id)),
        (error: unknown) => ids.forEach((id) => undone.set(id, error)),
      );
      const own: Promise<void> = settled.finally(() => running.delete(own));
      running.add(own);
    };
    const write = (app: RemoteDatabase) => {
      const isSingle = random.chance(0.4);
      const ids = Array.from(
        { length: isSingle ? 1 : 1 + random.int(3) },
        () => `op ${(count += 1)}`,
      );
      if (isSingle) return note(ids, app.execute(`${DO} RETURNING n`, ids));
      if (random.chance(0.3))
        return note(
          ids,
          app.executeBatch(
            DO,
            ids.map((id) => [id]),
          ),
        );
      const transaction = app.writeTransaction(async (tx) => {
        for (const id of ids) {
          await tx.execute(DO, [id]);
          for (let wait = random.int(4); wait > 0; wait -= 1) await immediate();
        }
      });
      note(ids, transaction);
    };
    const seen: unknown[] = [];
    apps[0]?.watch('SELECT count(*) AS n FROM ops', [], {
      onResult: ({ array }) => seen.push(array[0]?.n),
    });
    const reads: Promise<unknown>[] = [];
    for (let round = 0; round < 8; round += 1) {
      for (let step = random.int(30); step > 0; step -= 1) {
        for (let writes = random.int(3); writes > 0; writes -= 1) write(random.pick(apps));
        if (random.chance(0.2)) reads.push(random.pick(apps).getAll('SELECT * FROM ops'));
        await immediate();
      }
      await hosts.die();
      // Some calls come while there is no host.
      write(random.pick(apps));
      await hosts.follow();
    }
    await Promise.all([...running, ...reads]);
    const [app] = apps;
    const rows = (await app?.getAll<{ id: string; n: number }>('SELECT id, n FROM ops')) ?? [];
    expect(rows.filter(({ n }) => n !== 1)).toEqual([]);
    expect(new Set(rows.map(({ id }) => id))).toEqual(done);
    expect(done.size + undone.size).toBe(count);
    const codes = [...undone.values()].map((error) => (error as ClientError).code);
    expect(new Set(codes)).toEqual(new Set(['ROLLED_BACK']));
    await until('the watch shows all', () => seen.at(-1) === rows.length, 5_000);
    await hosts.end();
  },
);

test('a transaction that was open when its host died is rolled back, and says that it may be tried again', async () => {
  const hosts = new Hosts(new SeededRandom(1));
  const app = await hosts.app();
  let goOn: () => void = () => undefined;
  let hasBegun = false;
  let isReplaced = false;
  const open = app.writeTransaction(async (tx) => {
    await tx.execute(DO, ['a']);
    hasBegun = true;
    await new Promise<void>((resolve) => (goOn = resolve));
    await tx.execute(DO, ['b']);
  });
  const reading = app.readTransaction(async (tx) => {
    await tx.getAll('SELECT * FROM ops');
    await until('the next host', () => isReplaced, 5_000);
    return tx.getAll('SELECT * FROM ops');
  });
  const refusals = [open, reading].map((call) =>
    expect(call).rejects.toMatchObject({ code: 'ROLLED_BACK' }),
  );
  await until('the first statement', () => hasBegun, 5_000);
  await hosts.die();
  await hosts.follow();
  isReplaced = true;
  goOn();
  await Promise.all(refusals);
  expect(await app.getAll('SELECT * FROM ops')).toEqual([]);
  await app.writeTransaction((tx) => tx.execute(DO, ['a']));
  expect(await app.getAll('SELECT id, n FROM ops')).toEqual([{ id: 'a', n: 1 }]);
  await hosts.end();
});

test('what an app holds is made known to the next host: its connector and its subscriptions', async () => {
  const hosts = new Hosts(new SeededRandom(2));
  const app = await hosts.app();
  let uploads = 0;
  const held = await app.syncStream('todos', { list: 1 }).subscribe();
  await app.connect(
    {
      fetchCredentials: () => Promise.resolve({ endpoint: 'http://service', token: 'token' }),
      uploadData: async (database) => {
        uploads += 1;
        await (await database.getNextCrudTransaction())?.complete();
      },
    },
    { uploadThrottleMs: 1 },
  );
  await hosts.die();
  await hosts.follow();
  await app.waitForStatus(({ connected }) => connected);
  await until('the next stream', () => service.streams.length === 2, 5_000);
  expect(service.stream.request.streams.subscriptions).toHaveLength(1);
  await app.execute(DO, ['a']);
  await until('the upload', async () => (await app.getUploadQueueStats()).count === 0, 5_000);
  expect(uploads).toBeGreaterThan(0);
  await held.unsubscribe();
  await app.disconnect();
  await hosts.die();
  await hosts.follow();
  await app.execute(DO, ['b']);
  expect(service.streams).toHaveLength(2);
  await hosts.end();
});

test('a host that dies in the middle of an upload costs one call that is repeated, whatever was completed before', async () => {
  const hosts = new Hosts(new SeededRandom(5));
  const app = await hosts.app();
  for (let n = 0; n < 6; n += 1) await app.execute(DO, [`u${n}`]);
  const sent: string[] = [];
  let isHeld = true;
  await app.connect(
    {
      fetchCredentials: () => Promise.resolve({ endpoint: 'http://service', token: 'token' }),
      uploadData: async (database) => {
        const next = await database.getCrudBatch(1);
        sent.push(next?.crud[0]?.id ?? 'nothing');
        if (isHeld && sent.length === 3) await new Promise(() => undefined);
        await next?.settle(next.crud.map(({ clientId }) => [clientId, { kind: 'ok' }]));
      },
    },
    { uploadThrottleMs: 1 },
  );
  await until('the third upload', () => sent.length === 3, 5_000);
  await hosts.die();
  isHeld = false;
  await hosts.follow();
  const empty = async () => (await app.getUploadQueueStats()).count === 0;
  await until('the uploads', empty, 10_000);
  expect(sent).toEqual(['u0', 'u1', 'u2', 'u2', 'u3', 'u4', 'u5']);
  await hosts.end();
});

test('a pause lasts over the end of its host, and dead letters are queued again once', async () => {
  const hosts = new Hosts(new SeededRandom(6));
  const app = await hosts.app();
  await app.execute(DO, ['bad']);
  const batch = await app.getCrudBatch();
  const [id = 0] = batch?.crud.map(({ clientId }) => clientId) ?? [];
  await batch?.settle([[id, { kind: 'park', reason: 'later' }]]);
  await app.pause();
  await hosts.die();
  const requeued = app.deadLetters.requeue(id);
  await hosts.follow();
  await requeued;
  expect(await app.getUploadQueueStats()).toMatchObject({ count: 1, deadLetters: 0 });
  await until('it is paused', () => app.currentStatus.paused, 5_000);
  await hosts.end();
});

test('without a next host in time everything ends as if the database were closed', async () => {
  const hosts = new Hosts(new SeededRandom(3));
  const app = await hosts.app(50);
  const watched = app.watch('SELECT * FROM ops');
  await watched.next();
  await hosts.die();
  await expect(app.execute(DO, ['a'])).rejects.toThrow(DatabaseClosedError);
  expect(app.closed).toBe(true);
  expect((await watched.next()).done).toBe(true);
  await expect(app.getAll('SELECT 1')).rejects.toThrow(DatabaseClosedError);
});

test('the record of calls is as short as what has no answer yet, and goes with the app', async () => {
  const hosts = new Hosts(new SeededRandom(4));
  const app = await hosts.app();
  const other = await hosts.app();
  for (let n = 0; n < 20; n += 1) await app.execute(DO, [`op ${n}`]);
  const records = 'SELECT count(*) AS n FROM sluice_call';
  expect(await other.get(records)).toEqual({ n: 1 });
  await app.close();
  expect(await other.get(records)).toEqual({ n: 0 });
  await hosts.end();
});
