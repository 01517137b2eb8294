import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openConnection } from '@sluice/client-node';
import { SeededRandom } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CrashingConnection } from '../../testing/crashing-connection.ts';
import { testDatabase } from '../../testing/database.ts';
import { SESSION_TABLES, SessionWorld } from '../../testing/session-world.ts';
import { SimulatedBuckets } from '../../testing/simulated-buckets.ts';

/** Every so many statements of the app's life it is killed once; 1 tries them all. */
const STRIDE = Number(process.env['SLUICE_CRASH_STRIDE'] ?? 5);

let dir: string;
beforeEach(() => void (dir = mkdtempSync(path.join(tmpdir(), 'sluice-crash-'))));
afterEach(() => rmSync(dir, { recursive: true }));

/** The service and its backend, which outlive the app. */
class Server {
  readonly buckets = new SimulatedBuckets(new SeededRandom(1));
  writeCheckpoint = 0;

  constructor() {
    for (const n of [1, 2, 3, 4]) this.buckets.put(`row-${n}`, `server ${n}`);
  }
}

/** One life of the app over the database's file. */
class Life {
  readonly connection: CrashingConnection;
  readonly world: SessionWorld;
  readonly #server: Server;

  constructor(file: string, server: Server) {
    this.#server = server;
    this.connection = new CrashingConnection(openConnection(file));
    this.world = new SessionWorld(testDatabase(SESSION_TABLES, this.connection));
    this.world.service.writeCheckpoint = server.writeCheckpoint;
    this.world.uploadData = async (queue) => {
      const batch = queue.batch();
      for (const { op, id, opData } of batch?.crud ?? []) {
        if (op === 'DELETE') server.buckets.remove(id);
        else server.buckets.put(id, String(opData?.['name']));
      }
      batch?.complete();
    };
  }

  /** Downloads, local writes before, during and behind their upload and a download: what the gate is there for. */
  async live(wrote: (id: string, name: string | undefined) => void): Promise<void> {
    await this.world.connect();
    await this.pump(3);
    this.#write(`INSERT INTO lists (id, name) VALUES ('new-1', 'mine 1')`, () =>
      wrote('new-1', 'mine 1'),
    );
    await this.pump(100);
    await this.#pass(1_000);
    this.#write(`UPDATE lists SET name = 'mine 2' WHERE id = 'row-2'`, () =>
      wrote('row-2', 'mine 2'),
    );
    this.world.service.meanwhile = () =>
      this.#write(`DELETE FROM lists WHERE id = 'row-4'`, () => wrote('row-4', undefined));
    await this.#pass(1_000);
    await this.pump(2);
    await this.#pass(3_000);
    await this.pump(100);
  }

  async pump(lines: number): Promise<void> {
    const { service, clock } = this.world;
    for (let sent = 0; sent < lines && !this.connection.isDead; sent += 1) {
      const stream = service.streams.at(-1);
      if (stream === undefined || stream.closed) return;
      if (!this.#server.buckets.pump(stream, service.writeCheckpoint, false)) return;
      await clock.advance(20);
    }
    this.#server.writeCheckpoint = service.writeCheckpoint;
  }

  /** Until nothing is left to do. */
  async settle(): Promise<void> {
    await this.world.connect();
    for (let second = 0; second < 10; second += 1) {
      await this.#pass(1_000);
      await this.pump(100);
    }
  }

  get rows(): ReadonlyMap<unknown, unknown> {
    const rows = this.world.database.query('SELECT id, name FROM lists ORDER BY id');
    return new Map(rows.map(([id, name]) => [id, name]));
  }

  async #pass(ms: number): Promise<void> {
    if (this.connection.isDead) return;
    await this.world.clock.advance(ms);
    this.#server.writeCheckpoint = this.world.service.writeCheckpoint;
  }

  /** `wrote` is told only of what was acknowledged. */
  #write(sql: string, wrote: () => void): void {
    if (this.connection.isDead) return;
    try {
      this.world.write(sql);
    } catch (error) {
      if (this.connection.isDead) return;
      throw error;
    }
    wrote();
  }
}

/** Returns how many statements there were. */
async function killedAt(crashAt: number): Promise<number> {
  const server = new Server();
  const file = path.join(dir, `${crashAt}.sqlite`);
  const acknowledged = new Map<string, string | undefined>();
  const first = new Life(file, server);
  const laidOut = first.connection.count;
  first.connection.crashAt = laidOut + crashAt;
  await first.live((id, name) => acknowledged.set(id, name));
  const count = first.connection.count - laidOut;
  first.connection.close();

  const second = new Life(file, server);
  const shown = [...acknowledged.keys()].map((id) => [id, second.rows.get(id)]);
  expect(shown, `at once after ${crashAt}`).toEqual([...acknowledged]);
  await second.settle();
  const expected = [...server.buckets.rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
  expect([...second.rows], `in the end after ${crashAt}`).toEqual(expected);
  const uploaded = [...acknowledged.keys()].map((id) => [id, server.buckets.rows.get(id)]);
  expect(uploaded, `uploaded after ${crashAt}`).toEqual([...acknowledged]);
  expect(second.world.created.queue.batch()).toBeUndefined();
  expect(second.world.database.query('SELECT count(*) FROM sluice_staged')).toEqual([[0]]);
  expect(second.world.status).toMatchObject({ hasSynced: true, downloadError: undefined });
  await second.world.session.disconnect();
  second.connection.close();
  return count;
}

// spec/client.md 4.10, 9
test('killed at any statement, the app has every write that was acknowledged, and ends with what the server has', async () => {
  const count = await killedAt(Infinity);
  expect(count).toBeGreaterThan(100);
  for (let at = 1; at <= count; at += STRIDE) await killedAt(at);
});
