import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from '@sluice/testing';
import { WebSocket } from 'ws';
import type { CrudEntry } from '../crud/crud-entry.ts';
import type { SluiceDatabase } from '../facade/sluice-database.ts';
import { column } from '../schema/column.ts';
import { Schema } from '../schema/schema.ts';
import { Table } from '../schema/table.ts';
import type { WebSocketLike } from '../sync/transport/websocket-transport.ts';
import { APP_DATABASES } from './app-databases.ts';
import { RecordedService, type Wire } from './recorded-service.ts';
import { CLIENT_ID } from './session-world.ts';

const TABLES = {
  lists: new Table({ name: column.text, owner_id: column.text }),
  todos: new Table({ list_id: column.text, title: column.text, qty: column.integer }),
};
/** Whose SETUP frame spec/protocol.md 11.7 has. */
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.e30.AA';
const USER_AGENT = 'example/1.0';

/** A whole client, with real sockets and a real clock, of a service of recorded bytes. */
export class RecordedClient implements AsyncDisposable {
  readonly service: RecordedService;
  readonly db: SluiceDatabase;
  readonly uploaded: CrudEntry[] = [];
  readonly problems: unknown[];
  fetchedCredentials = 0;
  readonly #dir: string;
  readonly #wire: Wire;

  private constructor(parts: {
    readonly service: RecordedService;
    readonly db: SluiceDatabase;
    readonly dir: string;
    readonly wire: Wire;
    readonly problems: unknown[];
  }) {
    this.service = parts.service;
    this.db = parts.db;
    this.problems = parts.problems;
    this.#dir = parts.dir;
    this.#wire = parts.wire;
  }

  static async open(wire: Wire, chunkBytes?: number): Promise<RecordedClient> {
    const service = await RecordedService.start(wire, chunkBytes);
    const dir = mkdtempSync(path.join(tmpdir(), 'sluice-recorded-'));
    const problems: unknown[] = [];
    const [inThread] = APP_DATABASES;
    if (inThread === undefined) throw new Error('There is a kind of database');
    const db = await inThread.open({
      file: path.join(dir, 'app.sqlite'),
      schema: new Schema(TABLES),
      fetch: (...call) => fetch(...call),
      openSocket: (url) => new WebSocket(url) as unknown as WebSocketLike,
      newId: () => CLIENT_ID,
      userAgent: USER_AGENT,
      onProblem: (problem) => problems.push(problem),
    });
    return new RecordedClient({ service, db, dir, wire, problems });
  }

  /** Subscribes as the session of 11.5 does, and waits until the service has its request. */
  async connect(): Promise<void> {
    await this.db.syncStream('todos', { list_id: 'L1' }).subscribe({ priority: undefined });
    const before = this.service.streams.length;
    const connected = this.db.connect(
      {
        fetchCredentials: () => {
          this.fetchedCredentials += 1;
          return Promise.resolve({ endpoint: this.service.url, token: TOKEN });
        },
        uploadData: async (db) => {
          const batch = await db.getCrudBatch();
          this.uploaded.push(...(batch?.crud ?? []));
          await batch?.complete();
        },
      },
      {
        connectionMethod: this.#wire === 'RSocket' ? 'websocket' : 'http',
        uploadThrottleMs: 1,
      },
    );
    connected.catch((error: unknown) => this.problems.push(error));
    await until('a request', () => this.service.streams.length > before, 10_000);
  }

  /** Sum of the checksums, position, counts of a bucket; undefined while it is not there. */
  async bucket(name: string): Promise<unknown> {
    const columns = 'checksum, position, count_at_last, count_since_last';
    const sql = `SELECT ${columns} FROM sluice_bucket WHERE name = ?`;
    const row = await this.db.getOptional(sql, [name]);
    return row === null ? undefined : Object.values(row);
  }

  rows(table: keyof typeof TABLES): Promise<readonly unknown[]> {
    return this.db.getAll(`SELECT * FROM ${table} ORDER BY id`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.db.close();
    await this.service[Symbol.asyncDispose]();
    rmSync(this.#dir, { recursive: true });
  }
}
