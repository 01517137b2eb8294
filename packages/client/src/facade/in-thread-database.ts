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
import type { SyncOptions } from './connector.ts';
import { DatabaseListeners, type DatabaseListener } from './database-listeners.ts';
import { LocalDatabase } from './local-database.ts';
import type { Platform } from './platform.ts';
import { Queries } from './queries.ts';
import { QueryResult } from './query-result.ts';
import { Readers } from './readers.ts';
import type {
  DatabaseConnector,
  ReadTransaction,
  SluiceDatabase,
  TransactionOptions,
  WriteTransaction,
} from './sluice-database.ts';
import { SyncControl } from './sync-control.ts';
import { syncStream, type SyncStream } from './sync-stream.ts';
import { Turns } from './turns.ts';
import { UploadAccess, type WaitingBatch, type WaitingTransaction } from './upload-access.ts';
import { InThreadTransaction } from './in-thread-transaction.ts';

export interface DatabaseOptions {
  readonly schema: Schema;
  readonly platform: Platform;
  /** Mistakes of the app, like rows with the same key in a live query, are reported as errors. */
  readonly development?: boolean | undefined;
}

/** A database whose SQLite, sync and live queries run in the thread that opened it. */
export class InThreadDatabase extends Queries implements SluiceDatabase {
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
  #transaction: InThreadTransaction | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Opens the database and makes its tables fit the schema. Nothing of the data is read, so it takes no longer for a large one.
   *
   * @throws SchemaError; ClientError `LAYOUT` for a database of a newer version; SqlError
   */
  static async open(options: DatabaseOptions): Promise<InThreadDatabase> {
    const schema = compileSchema(options.schema);
    const connection = options.platform.openWriter();
    try {
      return new InThreadDatabase(options, new LocalDatabase(connection, schema));
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
      onCompleted: () => {
        this.#sync.created.wroteLocally();
        this.#listeners.tell((listener) => listener.uploadsChanged?.());
      },
    });
    status.listen((next) => this.#listeners.tell((listener) => listener.statusChanged?.(next)));
    const live = this.#liveQueries(development);
    this.watch = this.#unlessClosed(live.watch.bind(live) as LiveQueries['watch']);
    this.query = this.#unlessClosed(live.query.bind(live));
    this.customQuery = this.#unlessClosed(live.customQuery.bind(live));
    this.onChange = this.#unlessClosed(live.onChange.bind(live) as LiveQueries['onChange']);
    this.#report(local.warnings);
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  get currentStatus(): SyncStatus {
    return this.#sync.created.status.current;
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult> {
    return new QueryResult(await this.#executed(sql, parameters));
  }

  async executeRaw(sql: string, parameters: readonly unknown[] = []): Promise<RawRows> {
    const { columns, rows } = await this.#executed(sql, parameters);
    return { columns, rows };
  }

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
        const transaction = new InThreadTransaction(session, ends);
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

  readTransaction<T>(
    body: (transaction: ReadTransaction) => T | Promise<T>,
    { timeoutMs }: TransactionOptions = {},
  ): Promise<T> {
    return this.#readers.transaction(body, timeoutMs);
  }

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

  async disconnect(): Promise<void> {
    this.#checkUsable();
    await this.#sync.disconnect();
  }

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

  async updateSchema(schema: Schema): Promise<void> {
    this.#checkUsable();
    const compiled = compileSchema(schema);
    await this.#sync.whileStopped(async () => {
      this.#report(await this.#turns.run(() => this.#local.changeSchema(compiled)));
    });
    this.#changes.tell({ kind: 'schema' });
    this.#listeners.tell((listener) => listener.schemaChanged?.(compiled));
  }

  async waitForFirstSync(
    options: { readonly signal?: AbortSignal; readonly priority?: number } = {},
  ): Promise<void> {
    const { status } = this.#sync.created;
    await orAborted(status.waitForFirstSync(options), this.#closing.signal);
  }

  waitForStatus(
    isMeant: (status: SyncStatus) => boolean,
    signal?: AbortSignal,
  ): Promise<SyncStatus> {
    const { status } = this.#sync.created;
    return orAborted(status.waitFor(isMeant, signal), this.#closing.signal);
  }

  syncStream(name: string, params: StreamParams | null = null): SyncStream {
    const { streams } = this.#sync.created;
    return syncStream({ streams, turns: this.#turns, closing: this.#closing.signal }, name, params);
  }

  getCrudBatch(limit?: number): Promise<WaitingBatch | null> {
    return this.#uploads.batch(limit);
  }

  getNextCrudTransaction(): Promise<WaitingTransaction | null> {
    return this.#uploads.transactionAfter(0);
  }

  getCrudTransactions(): AsyncIterableIterator<WaitingTransaction> {
    return this.#uploads.transactions();
  }

  getUploadQueueStats(withSize = false): Promise<UploadQueueStats> {
    return this.#uploads.stats(withSize);
  }

  async getClientId(): Promise<string> {
    this.#checkUsable();
    return this.#sync.created.clientId;
  }

  registerListener(listener: DatabaseListener): () => void {
    return this.#listeners.add(listener);
  }

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
