import { FakeClock } from '@sluice/testing';
import type { WriterTurn } from '../database/writer-turn.ts';
import type { Credentials } from '../sync/session/credentials.ts';
import {
  createSession,
  type CreatedSession,
  type SyncConnector,
} from '../sync/session/create-session.ts';
import type { SyncStatus } from '../sync/status/sync-status.ts';
import { createSyncLayout } from '../sync/store/sync-layout.ts';
import { createStreamLayout } from '../sync/streams/stream-layout.ts';
import { HttpTransport } from '../sync/transport/http-transport.ts';
import { inProcessLock } from '../upload/upload-lock.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { ScriptedService } from './scripted-service.ts';
import { tableOf } from './tables.ts';

export const SESSION_TABLES = [
  tableOf('lists', ['name TEXT', 'owner_id TEXT']),
  tableOf('todos', ['list_id TEXT', 'title TEXT', 'qty INTEGER']),
];

export const CLIENT_ID = 'f799e8d4-1598-435b-80c6-9197c4c48b02';

/** A session over a database in memory, a scripted service and a clock that the test moves. */
export class SessionWorld {
  readonly clock = new FakeClock();
  readonly service = new ScriptedService();
  readonly database: TestDatabase;
  readonly statuses: SyncStatus[] = [];
  readonly problems: unknown[] = [];
  /** Calls of the app's function. */
  fetches = 0;
  /** What the app's function does. */
  fetchCredentials: () => Promise<Credentials | null> = () =>
    Promise.resolve({ endpoint: 'http://service', token: `token ${this.fetches}` });
  uploadData: SyncConnector['uploadData'] = async (queue) => queue.batch()?.complete();
  checkpointMode: 'legacy' | 'requests' = 'legacy';
  created: CreatedSession;
  #waiting: (() => void)[] = [];

  constructor(database = testDatabase(SESSION_TABLES)) {
    this.database = database;
    createSyncLayout(this.database.connection);
    createStreamLayout(this.database.connection);
    this.created = this.newSession();
  }

  get session() {
    return this.created.session;
  }

  get status(): SyncStatus {
    return this.created.status.current;
  }

  get streams() {
    return this.created.streams;
  }

  /** As after a restart of the app: only the database is left. */
  newSession(): CreatedSession {
    this.created = createSession({
      connection: this.database.connection,
      schema: { tables: SESSION_TABLES },
      connector: {
        fetchCredentials: () => {
          this.fetches += 1;
          return this.fetchCredentials();
        },
        uploadData: (queue, signal) => this.uploadData(queue, signal),
      },
      lock: inProcessLock(),
      turn: this.#turn(),
      fetch: this.service.fetch,
      clock: this.clock,
      random: () => 0.5,
      newId: () => CLIENT_ID,
      userAgent: 'sluice-test',
      checkpointMode: this.checkpointMode,
      onPublished: () => undefined,
      onProblem: (problem) => this.problems.push(problem),
    });
    this.created.status.listen((status) => this.statuses.push(status));
    return this.created;
  }

  connectOptions() {
    const { fetch } = this.service;
    return {
      transport: new HttpTransport({ fetch, clock: this.clock, userAgent: 'sluice-test' }),
    };
  }

  /** Connects, and lets the stream open. */
  async connect(): Promise<void> {
    this.session.connect(this.connectOptions());
    await this.clock.advance(0);
  }

  /** Sends lines on the newest stream, and lets them be stored. */
  async send(...lines: readonly unknown[]): Promise<void> {
    this.service.stream.send(...lines);
    await this.clock.advance(20);
  }

  /** Ends the transaction that the test has begun on `database.session`. */
  end(how: 'commit' | 'rollback'): void {
    this.database.session[how]();
    this.created.wroteLocally();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #turn(): WriterTurn {
    const { session } = this.database;
    return {
      get isFree() {
        return !session.inTransaction;
      },
      whenFree: () => new Promise((resolve) => this.#waiting.push(resolve)),
    };
  }

  write(sql: string): void {
    this.database.session.execute(sql);
    this.created.wroteLocally();
  }
}

// The session of spec/protocol.md 11.5.
export const LISTS = '7#lists|0["u1"]';
export const TODOS = '7#todos|0["L1"]';

const listsBucket = {
  bucket: LISTS,
  checksum: -607037875,
  count: 1,
  priority: 1,
  subscriptions: [{ default: 0 }],
};
const todosBucket = {
  bucket: TODOS,
  checksum: -1739258475,
  count: 2,
  priority: 3,
  subscriptions: [{ sub: 0 }],
};

export const SPEC_LINES = {
  checkpoint: {
    checkpoint: {
      last_op_id: '3',
      buckets: [listsBucket, todosBucket],
      streams: [
        { name: 'lists', is_default: true, errors: [] },
        { name: 'todos', is_default: false, errors: [] },
      ],
    },
  },
  lists: dataLine(LISTS, [
    {
      op_id: '1',
      op: 'PUT',
      object_type: 'lists',
      object_id: 'L1',
      checksum: 3687929421,
      subkey: 'T-lists/1',
      data: '{"id":"L1","name":"Groceries","owner_id":"u1"}',
    },
  ]),
  partial: { partial_checkpoint_complete: { last_op_id: '3', priority: 1 } },
  todos: dataLine(TODOS, [
    {
      op_id: '2',
      op: 'PUT',
      object_type: 'todos',
      object_id: 'T1',
      checksum: 3603514498,
      subkey: 'T-todos/1',
      data: '{"id":"T1","list_id":"L1","title":"Milk","qty":2}',
    },
    {
      op_id: '3',
      op: 'PUT',
      object_type: 'todos',
      object_id: 'T2',
      checksum: 3247161619,
      subkey: 'T-todos/2',
      data: '{"id":"T2","list_id":"L1","title":"Bread","qty":1}',
    },
  ]),
  complete: { checkpoint_complete: { last_op_id: '3' } },
  diff: {
    checkpoint_diff: {
      last_op_id: '4',
      write_checkpoint: '1',
      removed_buckets: [],
      updated_buckets: [{ ...todosBucket, checksum: -611357420, count: 3 }],
    },
  },
  removal: dataLine(TODOS, [
    {
      op_id: '4',
      op: 'REMOVE',
      object_type: 'todos',
      object_id: 'T1',
      checksum: 1127901055,
      subkey: 'T-todos/1',
      data: null,
    },
  ]),
  completeDiff: { checkpoint_complete: { last_op_id: '4' } },
} as const;

function dataLine(bucket: string, data: readonly unknown[]) {
  return { data: { bucket, after: '0', has_more: false, data, next_after: '0' } };
}

/** A connected world that subscribes as the spec's session does. */
export async function specWorld(): Promise<SessionWorld> {
  const world = new SessionWorld();
  world.streams.subscribe([{ name: 'todos', params: { list_id: 'L1' } }]);
  await world.connect();
  return world;
}
