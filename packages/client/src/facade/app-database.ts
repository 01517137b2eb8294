import { orAborted, withTimeout, type ClientClock } from '../clock.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import { ClientError, DatabaseClosedError } from '../errors.ts';
import { compileSchema } from '../schema/compile-schema.ts';
import type { AnySchema } from '../schema/schema.ts';
import type { SyncStatus } from '../sync/status/sync-status.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import { LiveQueries } from '../watch/live-queries.ts';
import type { QueryRunner, RawRows } from '../watch/query-runner.ts';
import { AppReadTransaction } from './app-read-transaction.ts';
import { AppTransaction, settleTransaction } from './app-transaction.ts';
import { RequestedCheckpoint, type CheckpointRequest } from './checkpoint-request.ts';
import type { ClearOptions } from './clear-database.ts';
import type { SyncOptions } from './connector.ts';
import type { AppConnector, DatabaseAccess } from './database-access.ts';
import { AccessedDeadLetters, type DeadLetterBox } from './dead-letter-box.ts';
import { DatabaseListeners, type DatabaseListener } from './database-listeners.ts';
import { Queries } from './queries.ts';
import { QueryResult } from './query-result.ts';
import type {
  DatabaseConnector,
  ReadTransaction,
  SluiceDatabase,
  SyncOnceOptions,
  TransactionOptions,
  WriteTransaction,
} from './sluice-database.ts';
import type { ResultOptions, RowsAffected } from './statements.ts';
import { syncStream, type SyncStream } from './sync-stream.ts';
import {
  WaitingUploads,
  type BatchOptions,
  type UploadQueueStats,
  type WaitingBatch,
  type WaitingTransaction,
} from './upload-access.ts';

export interface AppDatabaseOptions {
  readonly clock: ClientClock;
  /** What the app's callbacks throw where they have no error callback of their own. */
  readonly onProblem: (problem: unknown) => void;
  /** Mistakes of the app, like rows with the same key in a live query, are reported as errors. */
  readonly development?: boolean | undefined;
  /** The schema's. */
  readonly integerMode: IntegerMode;
}

const SYNC_ONCE_TIMEOUT_MS = 120_000;

/** `SluiceDatabase` over a database that may be on this thread or another: live queries, listeners and waits are on the app's. */
export class AppDatabase extends Queries implements SluiceDatabase {
  /** See `LiveQueries`. */
  readonly watch: LiveQueries['watch'];
  readonly query: LiveQueries['query'];
  readonly customQuery: LiveQueries['customQuery'];
  readonly onChange: LiveQueries['onChange'];
  readonly deadLetters: DeadLetterBox;
  readonly #access: DatabaseAccess;
  readonly #results: ResultOptions;
  readonly #clock: ClientClock;
  readonly #listeners: DatabaseListeners;
  readonly #uploads: WaitingUploads;
  #isClosed = false;
  #done = Promise.resolve();

  protected constructor(access: DatabaseAccess, options: AppDatabaseOptions) {
    super();
    const { clock, development = false, integerMode: integers, onProblem } = options;
    this.#access = access;
    this.#results = { integers };
    this.#clock = clock;
    this.#listeners = new DatabaseListeners(onProblem);
    this.#uploads = new WaitingUploads(access.uploads, integers);
    this.deadLetters = new AccessedDeadLetters(access, integers);
    access.status.listen((status) => this.#listeners.tell((each) => each.statusChanged?.(status)));
    access.changes.subscribe(({ kind }) => {
      if (kind === 'schema') this.#listeners.tell((each) => each.schemaChanged?.(access.schema));
      if (kind === 'uploaded') this.#listeners.tell((each) => each.uploadsChanged?.());
    });
    // It may also be closed by others, or lost.
    access.closing.addEventListener('abort', () => this.close().catch(onProblem), { once: true });
    const runner: QueryRunner = {
      run: (sql, parameters, signal) => access.select(sql, parameters, { signal, integers }),
      analyse: access.analyse.bind(access),
      changes: access.changes,
    };
    const live = new LiveQueries(runner, { clock, development, onListenerError: onProblem });
    this.watch = this.#unlessClosed(live.watch.bind(live) as LiveQueries['watch']);
    this.query = this.#unlessClosed(live.query.bind(live));
    this.customQuery = this.#unlessClosed(live.customQuery.bind(live));
    this.onChange = this.#unlessClosed(live.onChange.bind(live) as LiveQueries['onChange']);
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  get currentStatus(): SyncStatus {
    return this.#access.status.current;
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult> {
    return new QueryResult(await this.#access.execute(sql, parameters, this.#results));
  }

  async executeRaw(sql: string, parameters: readonly unknown[] = []): Promise<RawRows> {
    const { columns, rows } = await this.#access.execute(sql, parameters, this.#results);
    return { columns, rows };
  }

  executeBatch(sql: string, parameterSets: readonly (readonly unknown[])[]): Promise<RowsAffected> {
    return this.#access.executeBatch(sql, parameterSets);
  }

  writeTransaction<T>(
    body: (transaction: WriteTransaction) => T | Promise<T>,
    { timeoutMs }: TransactionOptions = {},
  ): Promise<T> {
    const { closing } = this.#access;
    return this.#access.writeTransaction(async (statements) => {
      const transaction = new AppTransaction(statements, this.#results);
      const lose = () => transaction.end(new DatabaseClosedError());
      closing.addEventListener('abort', lose, { once: true });
      try {
        return await settleTransaction(transaction, body);
      } finally {
        closing.removeEventListener('abort', lose);
      }
    }, timeoutMs);
  }

  readTransaction<T>(
    body: (transaction: ReadTransaction) => T | Promise<T>,
    { timeoutMs }: TransactionOptions = {},
  ): Promise<T> {
    return this.#access.readTransaction(async (statements) => {
      const transaction = new AppReadTransaction(statements, this.#results);
      try {
        return await body(transaction);
      } finally {
        transaction.end();
      }
    }, timeoutMs);
  }

  async connect(connector: DatabaseConnector, options: SyncOptions = {}): Promise<void> {
    await this.#access.connect(this.#ownConnector(connector), options);
  }

  disconnect(): Promise<void> {
    return this.#access.disconnect();
  }

  disconnectAndClear({
    clearLocal = true,
    soft = false,
  }: Partial<ClearOptions> = {}): Promise<void> {
    return this.#access.clear({ clearLocal, soft });
  }

  pause(): Promise<void> {
    return this.#access.pause();
  }

  resume(): Promise<void> {
    return this.#access.resume();
  }

  hint(): void {
    this.#access.hint();
  }

  async syncOnce(
    connector?: DatabaseConnector,
    { signal, timeoutMs = SYNC_ONCE_TIMEOUT_MS, ...options }: SyncOnceOptions = {},
  ): Promise<void> {
    const own = connector && this.#ownConnector(connector);
    const { closing } = this.#access;
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    const onTimeout = () => new ClientError('TIMEOUT', `Sync took longer than ${timeoutMs} ms`);
    await withTimeout(this.#clock, { ms: timeoutMs, signal: either, onTimeout }, (aborted) =>
      this.#access.syncOnce(own, options, aborted),
    );
  }

  async requestCheckpoint(): Promise<CheckpointRequest> {
    return new RequestedCheckpoint(this.#access, await this.#access.requestCheckpoint());
  }

  async updateSchema(schema: AnySchema): Promise<void> {
    this.#access.checkUsable();
    if (schema.integerMode !== this.#results.integers) {
      throw new ClientError('PARAMETER', 'The integerMode of a database that is open stays');
    }
    await this.#access.updateSchema(compileSchema(schema));
  }

  async waitForFirstSync(
    options: { readonly signal?: AbortSignal; readonly priority?: number } = {},
  ): Promise<void> {
    const { status, closing } = this.#access;
    await orAborted(status.waitForFirstSync(options), closing);
  }

  waitForStatus(
    isMeant: (status: SyncStatus) => boolean,
    signal?: AbortSignal,
  ): Promise<SyncStatus> {
    const { status, closing } = this.#access;
    return orAborted(status.waitFor(isMeant, signal), closing);
  }

  syncStream(name: string, params: StreamParams | null = null): SyncStream {
    return syncStream(this.#access, name, params);
  }

  getCrudBatch(limit?: number, options?: BatchOptions): Promise<WaitingBatch | null> {
    return this.#uploads.batch(limit, options);
  }

  getNextCrudTransaction(): Promise<WaitingTransaction | null> {
    return this.#uploads.transactionAfter(0);
  }

  getCrudTransactions(): AsyncIterableIterator<WaitingTransaction> {
    return this.#uploads.transactions();
  }

  async getUploadQueueStats(withSize = false): Promise<UploadQueueStats> {
    const figures = await this.#access.uploads.stats(withSize);
    const { uploadAttempts: attempts, nextUploadAt: nextRetryAt } = this.currentStatus;
    return { ...figures, attempts, nextRetryAt };
  }

  async getClientId(): Promise<string> {
    this.#access.checkUsable();
    return this.#access.clientId;
  }

  registerListener(listener: DatabaseListener): () => void {
    return this.#listeners.add(listener);
  }

  close(): Promise<void> {
    if (this.#isClosed) return this.#done;
    this.#isClosed = true;
    this.#listeners.tell((listener) => listener.closing?.());
    this.#done = this.#close();
    return this.#done;
  }

  protected select(sql: string, parameters: readonly unknown[]): Promise<RawRows> {
    return this.#access.select(sql, parameters, this.#results);
  }

  #ownConnector(connector: DatabaseConnector): AppConnector {
    const { fetchCredentials, uploadData, postCheckpointRequest } = connector;
    return {
      fetchCredentials: () => fetchCredentials.call(connector),
      uploadData: (signal: AbortSignal) => uploadData.call(connector, this, signal),
      postCheckpointRequest: postCheckpointRequest?.bind(connector),
    };
  }

  #unlessClosed<Method extends (...parameters: never[]) => unknown>(method: Method): Method {
    const guarded = (...parameters: never[]) => {
      if (this.closed) throw new DatabaseClosedError();
      return method(...parameters);
    };
    return guarded as Method;
  }

  async #close(): Promise<void> {
    await this.#access.close();
    this.#listeners.tell((listener) => listener.closed?.());
  }
}
