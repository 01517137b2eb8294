import { randomUUID } from 'node:crypto';
import {
  createSession,
  createStreamLayout,
  createSyncLayout,
  HttpTransport,
  inProcessLock,
  systemClock,
  WebSocketTransport,
  type CreatedSession,
  type CrudEntry,
  type SyncTransport,
  type WebSocketLike,
} from '@sluice/client';
import { WebSocket } from 'ws';
import { testDatabase, type TestDatabase } from '../../packages/client/src/testing/database.ts';
import { tableOf } from '../../packages/client/src/testing/tables.ts';
import { CLIENT_QUERIES } from './sample-world.ts';

const TABLES = [
  tableOf('lists', ['name TEXT']),
  tableOf('todos', [
    'list_id TEXT',
    'title TEXT',
    'done INTEGER',
    'qty INTEGER',
    'price TEXT',
    'ratio REAL',
    'tags TEXT',
    'meta TEXT',
  ]),
  tableOf('notes', ['owner_id TEXT', 'body TEXT', 'stars INTEGER']),
  tableOf('log_lines', ['line TEXT', 'user_id TEXT']),
  tableOf('catalog', ['sku TEXT', 'region TEXT', 'name TEXT']),
];

export interface OwnClientOptions {
  readonly endpoint: string;
  readonly transport: 'http' | 'http bson' | 'websocket';
  readonly token: () => string;
  /** Throws if the backend did not take them. */
  readonly upload: (entries: readonly CrudEntry[]) => Promise<void>;
}

/** Our own client over better-sqlite3 in this process. */
export class OwnClient {
  readonly database: TestDatabase = testDatabase(TABLES);
  readonly problems: unknown[] = [];
  readonly #options: OwnClientOptions;
  readonly #transport: SyncTransport;
  #created: CreatedSession;

  constructor(options: OwnClientOptions) {
    this.#options = options;
    createSyncLayout(this.database.connection);
    createStreamLayout(this.database.connection);
    this.#transport = transportOf(options);
    this.#created = this.#newSession();
  }

  get status() {
    return this.#created.status;
  }

  get session() {
    return this.#created.session;
  }

  get streams() {
    return this.#created.streams;
  }

  async connect(): Promise<void> {
    await this.session.connect({ transport: this.#transport }).firstConnected;
  }

  async syncOnce(signal: AbortSignal): Promise<void> {
    await this.session.syncOnce({ transport: this.#transport }, signal);
  }

  /** As if the app had ended and begun again: nothing but the database is left. */
  async restart(): Promise<void> {
    await this.session.disconnect();
    this.#created = this.#newSession();
  }

  write(sql: string, parameters: readonly unknown[] = []): number {
    const { rowsAffected } = this.database.session.execute(sql, parameters);
    this.#created.wroteLocally();
    return rowsAffected;
  }

  rows(table: string): readonly Record<string, unknown>[] {
    const query = `${CLIENT_QUERIES[table]} ORDER BY id`;
    const { columns, rows } = this.database.session.execute(query);
    return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  }

  get queued(): number {
    return this.#created.queue.stats(Date.now()).count;
  }

  #newSession(): CreatedSession {
    return createSession({
      connection: this.database.connection,
      schema: { tables: TABLES },
      connector: {
        fetchCredentials: async () => ({
          endpoint: this.#options.endpoint,
          token: this.#options.token(),
        }),
        uploadData: async (queue) => {
          const batch = queue.batch();
          if (batch === undefined) return;
          await this.#options.upload(batch.crud);
          batch.complete();
        },
      },
      lock: inProcessLock(),
      fetch,
      clock: systemClock,
      random: Math.random,
      newId: randomUUID,
      userAgent: 'sluice-test',
      uploadThrottleMs: 10,
      onPublished: () => undefined,
      onProblem: (problem) => this.problems.push(problem),
    });
  }
}

function transportOf({ transport }: OwnClientOptions): SyncTransport {
  const userAgent = 'sluice-test';
  if (transport !== 'websocket') {
    const format = transport === 'http' ? 'ndjson' : 'bson';
    return new HttpTransport({ fetch, clock: systemClock, userAgent, format });
  }
  // The library's types say more of its events than the contract needs.
  const openSocket = (url: string) => new WebSocket(url) as unknown as WebSocketLike;
  return new WebSocketTransport({ openSocket, clock: systemClock, userAgent });
}
