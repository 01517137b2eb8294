import type { AnySchema } from '../schema/schema.ts';
import type { SyncStatus } from '../sync/status/sync-status.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import type { LiveQueries } from '../watch/live-queries.ts';
import type { RawRows } from '../watch/query-runner.ts';
import type { CheckpointRequest } from './checkpoint-request.ts';
import type { Connector, SyncOptions } from './connector.ts';
import type { DeadLetterBox } from './dead-letter-box.ts';
import type { DatabaseListener } from './database-listeners.ts';
import type { Queries } from './queries.ts';
import type { QueryResult } from './query-result.ts';
import type { SyncStream } from './sync-stream.ts';
import type {
  BatchOptions,
  UploadQueueStats,
  WaitingBatch,
  WaitingTransaction,
} from './upload-access.ts';

export type DatabaseConnector = Connector<SluiceDatabase>;

export interface TransactionOptions {
  /** How long to wait for those before; 120,000 ms if left out. */
  readonly timeoutMs?: number | undefined;
}

export interface SyncOnceOptions extends SyncOptions {
  readonly signal?: AbortSignal | undefined;
  /** 120,000 ms if left out. */
  readonly timeoutMs?: number | undefined;
}

/** The ways to read rows. */
export type Readable = Pick<Queries, 'get' | 'getAll' | 'getOptional'>;

/** The ways to write rows: each statement as a whole, or not. */
export interface Writable {
  execute(sql: string, parameters?: readonly unknown[]): Promise<QueryResult>;
  /** The same with rows as arrays, so that columns of the same name stay apart. */
  executeRaw(sql: string, parameters?: readonly unknown[]): Promise<RawRows>;
  /** Runs the statement for every set of parameters, all or nothing. */
  executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
  ): Promise<{ readonly rowsAffected: number }>;
}

/** What the callback of `readTransaction` works with: everything is as it was at its first statement. */
export type ReadTransaction = Readable;

/** What the callback of `writeTransaction` works with. It ends with the callback, or before by `commit` or `rollback`. */
export interface WriteTransaction extends Readable, Writable {
  /**
   * A part that is undone alone if its callback throws, which this call then rejects with.
   *
   * @throws ClientError `TRANSACTION` while another savepoint of this one is open: they nest, and do not run beside each other
   */
  savepoint<T>(body: (inner: WriteTransaction) => T | Promise<T>): Promise<T>;
  /** Now instead of at the end of the callback. Nothing can follow. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/**
 * A local database and its sync, as an app sees them (spec/client.md 1), on whatever thread it runs. Statements outside transactions are
 * transactions of their own. Reads outside transactions see what is committed, and wait for nobody. A promise resolves when what it stands for
 * is done, and a write is known to live queries by then. After `close` every call is refused with DatabaseClosedError (`watch`, `query` and `onChange` throw it).
 */
export interface SluiceDatabase
  extends Readable, Writable, Pick<LiveQueries, 'watch' | 'query' | 'customQuery' | 'onChange'> {
  /** Whether `close` was called. */
  readonly closed: boolean;
  readonly currentStatus: SyncStatus;
  readonly deadLetters: DeadLetterBox;

  /**
   * Runs `body` alone, and commits when it is done; if it throws, nothing is kept, and this rejects with the same. Inside, only
   * `transaction` is used: this database's own writing methods refuse, its reading ones see the state before.
   *
   * @throws ClientError `BUSY`, `REENTRANT`
   */
  writeTransaction<T>(
    body: (transaction: WriteTransaction) => T | Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;

  /** All that `body` reads is of one state. */
  readTransaction<T>(
    body: (transaction: ReadTransaction) => T | Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;

  /**
   * Begins to sync, or anew with others. Resolves when it is first connected, or an error is known: `currentStatus` tells.
   *
   * @throws ClientError `PARAMETER`
   */
  connect(connector: DatabaseConnector, options?: SyncOptions): Promise<void>;

  /** Stops to sync and keeps the data. */
  disconnect(): Promise<void>;

  /** Neither downloads nor uploads until `resume`, in all apps that share this connection. `currentStatus.paused` tells. */
  pause(): Promise<void>;
  /** Goes on as before `pause`. */
  resume(): Promise<void>;
  /** For platforms that do not tell by themselves that the network is back, or the app in front: what waits tries at once. */
  hint(): void;

  /**
   * Uploads what waits, downloads what there is, and resolves when it is in the tables. While connected, the running connection does it,
   * and `connector` may be left out; else it connects for this alone.
   *
   * @throws ClientError that says what failed first, `TIMEOUT`, `PAUSED`, `PARAMETER`, `BUSY` while another process syncs this file;
   *   the signal's reason
   */
  syncOnce(connector?: DatabaseConnector, options?: SyncOnceOptions): Promise<void>;

  /**
   * For changes that were made at the backend: what it has committed by now is in the tables when `waitForSync` of the result resolves.
   *
   * @throws ClientError `OFFLINE` while not connected; what the request fails by
   */
  requestCheckpoint(): Promise<CheckpointRequest>;

  /**
   * For the next user: forgets what was synced and what waits for upload. `clearLocal`, true if left out: local-only tables too. `soft`:
   * tables are empty as well, but what was downloaded is kept aside, so that the same user is up to date sooner after signing in again;
   * others do not see it.
   */
  disconnectAndClear(options?: {
    readonly clearLocal?: boolean | undefined;
    readonly soft?: boolean | undefined;
  }): Promise<void>;

  /**
   * Changes the tables, also while connected: sync stops for that. The form of integers stays as the database was opened with.
   *
   * @throws SchemaError; ClientError `PARAMETER` for another `integerMode`; SqlError
   */
  updateSchema(schema: AnySchema): Promise<void>;

  /** @throws the signal's reason; DatabaseClosedError */
  waitForFirstSync(options?: {
    readonly signal?: AbortSignal;
    readonly priority?: number;
  }): Promise<void>;

  /** The first status that `isMeant`, the one of now included. */
  waitForStatus(
    isMeant: (status: SyncStatus) => boolean,
    signal?: AbortSignal,
  ): Promise<SyncStatus>;

  /** Describes a stream; `subscribe` asks for it. */
  syncStream(name: string, params?: StreamParams | null): SyncStream;

  /** The oldest entries, whatever their transactions, 100 if not told otherwise; null for an empty queue. */
  getCrudBatch(limit?: number, options?: BatchOptions): Promise<WaitingBatch | null>;

  /** The oldest transaction; null for an empty queue. */
  getNextCrudTransaction(): Promise<WaitingTransaction | null>;

  /** From the oldest on, without removing them: completing one completes all before it. */
  getCrudTransactions(): AsyncIterableIterator<WaitingTransaction>;

  /** `attempts` and `nextRetryAt` are also in `currentStatus`, which tells of every change; the rest changes with `uploadsChanged` too. */
  getUploadQueueStats(withSize?: boolean): Promise<UploadQueueStats>;

  /** The name of this database at the service and the backend. */
  getClientId(): Promise<string>;

  /** Returns what ends it. */
  registerListener(listener: DatabaseListener): () => void;

  /** Stops to sync, undoes an open transaction, and ends what watches. May be called twice. */
  close(): Promise<void>;
}
