import type { ChangeSet } from '../changes/change-set.ts';
import { withTriggered } from '../changes/triggered-changes.ts';
import { orAborted } from '../clock.ts';
import type { UploadQueueStats } from '../crud/upload-queue.ts';
import type { StatementResult } from '../database/writer-session.ts';
import { ClientError, DatabaseClosedError } from '../errors.ts';
import { compileSchema } from '../schema/compile-schema.ts';
import type { Schema } from '../schema/schema.ts';
import type { SyncStatus } from '../sync/status/sync-status.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import { LiveQueries } from '../watch/live-queries.ts';
import type { RawRows } from '../watch/query-runner.ts';
import { NO_CALL_CONTEXT } from './call-context.ts';
import { ChangeHub } from './change-hub.ts';
import { clearDatabase } from './clear-database.ts';
import type { Connector, SyncOptions } from './connector.ts';
import { DatabaseListeners, type DatabaseListener } from './database-listeners.ts';
import { LocalDatabase } from './local-database.ts';
import type { Platform } from './platform.ts';
import { Queries } from './queries.ts';
import { QueryResult } from './query-result.ts';
import { Readers, type ReadTransaction } from './readers.ts';
import { SyncControl } from './sync-control.ts';
import { syncStream, type SyncStream } from './sync-stream.ts';
import { Turns } from './turns.ts';
import { UploadAccess, type WaitingBatch, type WaitingTransaction } from './upload-access.ts';
import { WriteTransaction } from './write-transaction.ts';

export type DatabaseConnector = Connector<SluiceDatabase>;

export interface DatabaseOptions {
  readonly schema: Schema;
  readonly platform: Platform;
  /** Mistakes of the app, like rows with the same key in a live query, are reported as errors. */
  readonly development?: boolean | undefined;
}

export interface TransactionOptions {
  /** How long to wait for those before; 120,000 ms if left out. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A local database and its sync, as an app sees them (spec/client.md 1). Everything runs in the thread that opened it: statements are
 * synchronous inside, and a promise resolves when what it stands for is done. Reads outside transactions see what is committed, and wait for nobody.
 * After `close` every call is refused with DatabaseClosedError (`watch`, `query` and `onChange` throw it).
 */
export class SluiceDatabase extends Queries {
  /** See `LiveQueries`. */
  readonly watch: LiveQueries['watch'];
  readonly query: LiveQueries['query'];
  readonly customQuery: LiveQueries['customQuery'];
  readonly onChange: LiveQueries['onChange'];
  readonly #platform: Platform;
  readonly #local: LocalDatabase;
  readonly #turns: Turns;
  readonly #readers: Readers;
  readonly #changes: ChangeHub;
  readonly #listeners: DatabaseListeners;
  readonly #sync: SyncControl;
  readonly #uploads: UploadAccess;
  readonly #closing = new AbortController();
  #transaction: WriteTransaction | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Opens the database and makes its tables fit the schema. Nothing of the data is read, so it takes no longer for a large one.
   *
   * @throws SchemaError; ClientError `LAYOUT` for a database of a newer version; SqlError
   */
  static async open(options: DatabaseOptions): Promise<SluiceDatabase> {
    const schema = compileSchema(options.schema);
    const connection = options.platform.openWriter();
    try {
      return new SluiceDatabase(options, new LocalDatabase(connection, schema));
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private constructor({ platform, development = false }: DatabaseOptions, local: LocalDatabase) {
    super();
    const { clock, onProblem, callContext: context = NO_CALL_CONTEXT } = platform;
    this.#platform = platform;
    this.#local = local;
    this.#turns = new Turns({ clock, context });
    this.#readers = new Readers(platform.openReader, { clock, context });
    this.#changes = new ChangeHub(onProblem);
    this.#listeners = new DatabaseListeners(onProblem);
    this.#sync = new SyncControl({
      platform,
      connection: local.connection,
      turn: this.#turns,
      schema: () => local.schema,
      onPublished: (changes) => this.#tellChanged(changes),
    });
    const { queue, status } = this.#sync.created;
    this.#uploads = new UploadAccess({
      queue,
      turns: this.#turns,
      now: () => clock.now(),
      onCompleted: () => this.#sync.created.wroteLocally(),
    });
    status.listen((next) => this.#listeners.tell((listener) => listener.statusChanged?.(next)));
    const live = this.#liveQueries(development);
    this.watch = this.#unlessClosed(live.watch.bind(live) as LiveQueries['watch']);
    this.query = this.#unlessClosed(live.query.bind(live));
    this.customQuery = this.#unlessClosed(live.customQuery.bind(live));
    this.onChange = this.#unlessClosed(live.onChange.bind(live) as LiveQueries['onChange']);
    this.#report(local.warnings);
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  get currentStatus(): SyncStatus {
    return this.#sync.created.status.current;
  }

  /** One statement in a transaction of its own. */
  async execute(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult> {
    return new QueryResult(await this.#executed(sql, parameters));
  }

  /** The same with rows as arrays, so that columns of the same name stay apart. */
  async executeRaw(sql: string, parameters: readonly unknown[] = []): Promise<RawRows> {
    const { columns, rows } = await this.#executed(sql, parameters);
    return { columns, rows };
  }

  /** Runs the statement for every set of parameters, all or nothing. */
  async executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
  ): Promise<{ readonly rowsAffected: number }> {
    const { session } = this.#local;
    const run = () => session.executeBatch(sql, parameterSets);
    const { rowsAffected, committed } = await this.#turns.run(run);
    this.#committed(committed);
    return { rowsAffected };
  }

  /**
   * Runs `body` alone, and commits when it is done; if it throws, nothing is kept, and this rejects with the same. Inside, only
   * `transaction` is used: this database's own writing methods refuse, its reading ones see the state before.
   *
   * @throws ClientError `BUSY`, `REENTRANT`
   */
  async writeTransaction<T>(
    body: (transaction: WriteTransaction) => T | Promise<T>,
    { timeoutMs }: TransactionOptions = {},
  ): Promise<T> {
    let committed: ChangeSet | undefined;
    const { session } = this.#local;
    const ends = {
      commit: () => void (committed = session.commit()),
      rollback: () => session.rollback(),
    };
    try {
      return await this.#turns.run(async () => {
        session.begin();
        const transaction = new WriteTransaction(session, ends);
        this.#transaction = transaction;
        try {
          const result = await body(transaction);
          transaction.finish('commit');
          return result;
        } catch (error) {
          transaction.finish('rollback');
          throw error;
        } finally {
          this.#transaction = undefined;
        }
      }, timeoutMs);
    } finally {
      this.#committed(committed);
    }
  }

  /** All that `body` reads is of one state. */
  readTransaction<T>(
    body: (transaction: ReadTransaction) => T | Promise<T>,
    { timeoutMs }: TransactionOptions = {},
  ): Promise<T> {
    return this.#readers.transaction(body, timeoutMs);
  }

  /**
   * Begins to sync, or anew with others. Resolves when it is first connected, or an error is known: `currentStatus` tells.
   *
   * @throws ClientError `PARAMETER`
   */
  async connect(connector: DatabaseConnector, options: SyncOptions = {}): Promise<void> {
    this.#checkUsable();
    const { fetchCredentials, uploadData, postCheckpointRequest } = connector;
    const own = {
      fetchCredentials: () => fetchCredentials.call(connector),
      uploadData: (_: unknown, signal: AbortSignal) => uploadData.call(connector, this, signal),
      postCheckpointRequest: postCheckpointRequest?.bind(connector),
    };
    await this.#sync.connect(own, options);
  }

  /** Stops to sync and keeps the data. */
  async disconnect(): Promise<void> {
    this.#checkUsable();
    await this.#sync.disconnect();
  }

  /** For the next user: forgets what was synced and what waits for upload, and local-only tables too if not told otherwise. */
  async disconnectAndClear({
    clearLocal = true,
  }: { readonly clearLocal?: boolean | undefined } = {}): Promise<void> {
    await this.disconnect();
    await this.#sync.whileStopped(async () => {
      const tables = await this.#turns.run(() => {
        const { connection, schema } = this.#local;
        const emptied = clearDatabase(connection, schema, clearLocal);
        this.#sync.restore();
        return emptied;
      });
      const everything = { columns: 'all', rows: 'many' } as const;
      this.#tellChanged(new Map(tables.map((table) => [table, everything])));
    });
  }

  /**
   * Changes the tables, also while connected: sync stops for that.
   *
   * @throws SchemaError; SqlError
   */
  async updateSchema(schema: Schema): Promise<void> {
    this.#checkUsable();
    const compiled = compileSchema(schema);
    await this.#sync.whileStopped(async () => {
      this.#report(await this.#turns.run(() => this.#local.changeSchema(compiled)));
    });
    this.#changes.tell({ kind: 'schema' });
    this.#listeners.tell((listener) => listener.schemaChanged?.(compiled));
  }

  /** @throws the signal's reason; DatabaseClosedError */
  async waitForFirstSync(
    options: { readonly signal?: AbortSignal; readonly priority?: number } = {},
  ): Promise<void> {
    const { status } = this.#sync.created;
    await orAborted(status.waitForFirstSync(options), this.#closing.signal);
  }

  /** The first status that `isMeant`, the one of now included. */
  waitForStatus(
    isMeant: (status: SyncStatus) => boolean,
    signal?: AbortSignal,
  ): Promise<SyncStatus> {
    const { status } = this.#sync.created;
    return orAborted(status.waitFor(isMeant, signal), this.#closing.signal);
  }

  /** Describes a stream; `subscribe` asks for it. */
  syncStream(name: string, params: StreamParams | null = null): SyncStream {
    const { streams } = this.#sync.created;
    return syncStream({ streams, turns: this.#turns, closing: this.#closing.signal }, name, params);
  }

  /** The oldest entries, whatever their transactions; null for an empty queue. */
  getCrudBatch(limit?: number): Promise<WaitingBatch | null> {
    return this.#uploads.batch(limit);
  }

  /** The oldest transaction; null for an empty queue. */
  getNextCrudTransaction(): Promise<WaitingTransaction | null> {
    return this.#uploads.transactionAfter(0);
  }

  /** From the oldest on, without removing them: completing one completes all before it. */
  getCrudTransactions(): AsyncIterableIterator<WaitingTransaction> {
    return this.#uploads.transactions();
  }

  getUploadQueueStats(withSize = false): Promise<UploadQueueStats> {
    return this.#uploads.stats(withSize);
  }

  /** The name of this database at the service and the backend. */
  async getClientId(): Promise<string> {
    this.#checkUsable();
    return this.#sync.created.clientId;
  }

  /** Returns what ends it. */
  registerListener(listener: DatabaseListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Stops to sync, undoes an open transaction, and ends what watches. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  protected async select(sql: string, parameters: readonly unknown[]): Promise<RawRows> {
    return this.#readers.run(sql, parameters);
  }

  #liveQueries(development: boolean): LiveQueries {
    const { clock, onProblem } = this.#platform;
    const runner = {
      run: async (sql: string, parameters: readonly unknown[]) =>
        this.#readers.run(sql, parameters),
      analyse: async (sql: string) => this.#readers.analyse(sql),
      changes: this.#changes,
    };
    return new LiveQueries(runner, { clock, development, onListenerError: onProblem });
  }

  #unlessClosed<Method extends (...parameters: never[]) => unknown>(method: Method): Method {
    const guarded = (...parameters: never[]) => {
      if (this.closed) throw new DatabaseClosedError();
      return method(...parameters);
    };
    return guarded as Method;
  }

  async #executed(sql: string, parameters: readonly unknown[]): Promise<StatementResult> {
    const result = await this.#turns.run(() => this.#local.session.execute(sql, parameters));
    this.#committed(result.committed);
    return result;
  }

  /** After the turn, as who is told may write, and before the promise of whoever wrote resolves. */
  #committed(changes: ChangeSet | undefined): void {
    if (changes === undefined) return;
    this.#changes.tell({ kind: 'committed', changes });
    this.#sync.created.wroteLocally();
  }

  #tellChanged(changes: ChangeSet): void {
    const { analyzer } = this.#local;
    const all = withTriggered(changes, (table) => analyzer.triggeredBy(table));
    this.#changes.tell({ kind: 'committed', changes: all });
  }

  #report(warnings: readonly string[]): void {
    for (const text of warnings) this.#platform.onProblem(new ClientError('SCHEMA_LOSS', text));
  }

  #checkUsable(): void {
    if (this.closed) throw new DatabaseClosedError();
    this.#turns.checkOutside();
  }

  async #close(): Promise<void> {
    this.#listeners.tell((listener) => listener.closing?.());
    const reason = new DatabaseClosedError();
    this.#closing.abort(reason);
    this.#transaction?.end(reason);
    this.#local.session.rollback();
    this.#turns.close();
    await this.#sync.disconnect();
    this.#readers.close();
    this.#changes.close();
    this.#local.connection.close();
    this.#listeners.tell((listener) => listener.closed?.());
  }
}
