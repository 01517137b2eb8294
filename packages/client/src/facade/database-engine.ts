import type { ChangeSet } from '../changes/change-set.ts';
import type { StatementReads } from '../changes/statement-analyzer.ts';
import { withTriggered } from '../changes/triggered-changes.ts';
import { DeadLetters } from '../crud/dead-letters.ts';
import type { ExecuteOptions, StatementResult } from '../database/writer-session.ts';
import type { CompiledSchema } from '../schema/compiled-schema.ts';
import { ClientError, DatabaseClosedError } from '../errors.ts';
import { CallRecords } from '../remote/call-records.ts';
import type { StatusTracker } from '../sync/status/status-tracker.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import type { StreamSubscription } from '../sync/streams/sync-streams.ts';
import type { ChangeEvent, ChangeFeed, RawRows } from '../watch/query-runner.ts';
import { NO_CALL_CONTEXT } from './call-context.ts';
import { ChangeHub } from './change-hub.ts';
import { clearDatabase, type ClearOptions } from './clear-database.ts';
import type { SyncOptions } from './connector.ts';
import type { AppConnector, DatabaseAccess, HeldStream } from './database-access.ts';
import { watchOtherWriters } from './file-sharing.ts';
import { LocalDatabase } from './local-database.ts';
import type { Platform } from './platform.ts';
import { Readers } from './readers.ts';
import { SyncControl } from './sync-control.ts';
import type { ReadStatements, ResultOptions, RowsAffected } from './statements.ts';
import { Turns } from './turns.ts';
import { QueueInTurn } from './upload-access.ts';
import { WriterStatements } from './writer-statements.ts';

export interface EngineOptions {
  readonly schema: CompiledSchema;
  readonly platform: Platform;
}

/**
 * A database and its sync on this thread. An app has it as `SluiceDatabase`: in the same thread (`InThreadDatabase`), or in another one
 * (`DatabaseHost` serves it there).
 */
export class DatabaseEngine implements DatabaseAccess {
  readonly uploads: QueueInTurn;
  /** Calls of apps on other threads that were answered. */
  readonly records: CallRecords;
  readonly #platform: Platform;
  readonly #local: LocalDatabase;
  readonly #turns: Turns;
  readonly #readers: Readers;
  readonly #changes: ChangeHub;
  readonly #sync: SyncControl;
  readonly #closing = new AbortController();
  #stopFollowing: () => void = () => undefined;
  #closed = Promise.resolve();

  /**
   * Opens the database and makes its tables fit the schema. Nothing of the data is read, so it takes no longer for a large one.
   *
   * @throws ClientError `LAYOUT` for a database of a newer version; SqlError
   */
  static open(options: EngineOptions): DatabaseEngine {
    const connection = options.platform.openWriter();
    try {
      const local = new LocalDatabase(connection, options.schema);
      return new DatabaseEngine(options.platform, local);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private constructor(platform: Platform, local: LocalDatabase) {
    const { clock, onProblem, callContext: context = NO_CALL_CONTEXT } = platform;
    this.#platform = platform;
    this.#local = local;
    this.#turns = new Turns({ clock, context });
    this.#readers = new Readers(platform.openReader, { clock, context });
    this.#changes = new ChangeHub(onProblem);
    this.records = new CallRecords(local.connection, () => clock.now());
    this.#sync = new SyncControl({
      platform,
      connection: local.connection,
      turn: this.#turns,
      schema: () => local.schema,
      onPublished: (changes) => this.#tellChanged(changes),
    });
    this.uploads = new QueueInTurn({
      queue: this.#sync.created.queue,
      letters: new DeadLetters(local.connection),
      turns: this.#turns,
      now: () => clock.now(),
      onChanged: () => {
        this.#sync.created.wroteLocally();
        this.#changes.tell({ kind: 'uploaded' });
      },
    });
    this.#followOthers();
    this.#report(local.warnings);
  }

  get changes(): ChangeFeed {
    return this.#changes;
  }

  get status(): StatusTracker {
    return this.#sync.created.status;
  }

  get clientId(): string {
    return this.#sync.created.clientId;
  }

  get schema(): CompiledSchema {
    return this.#local.schema;
  }

  /** Aborts with DatabaseClosedError when `close` begins. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async execute(
    sql: string,
    parameters: readonly unknown[],
    options?: ExecuteOptions,
  ): Promise<StatementResult> {
    const { session } = this.#local;
    const result = await this.#turns.run(() => session.execute(sql, parameters, options));
    this.#committed(result.committed);
    return result;
  }

  async executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
    beforeCommit?: (rowsAffected: number) => void,
  ): Promise<RowsAffected> {
    const { session } = this.#local;
    const run = () => session.executeBatch(sql, parameterSets, beforeCommit);
    const { rowsAffected, committed } = await this.#turns.run(run);
    this.#committed(committed);
    return { rowsAffected };
  }

  /** What `body` leaves open is rolled back. */
  async writeTransaction<T>(
    body: (statements: WriterStatements) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    const { session } = this.#local;
    const statements = new WriterStatements(session, this.closing);
    try {
      return await this.#turns.run(async () => {
        session.begin();
        try {
          return await body(statements);
        } finally {
          statements.abandon();
        }
      }, timeoutMs);
    } finally {
      this.#committed(statements.committed);
    }
  }

  readTransaction<T>(
    body: (statements: ReadStatements) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    return this.#readers.transaction(body, timeoutMs);
  }

  async select(
    sql: string,
    parameters: readonly unknown[],
    options?: ResultOptions,
  ): Promise<RawRows> {
    return this.#readers.run(sql, parameters, options);
  }

  async analyse(sql: string): Promise<StatementReads> {
    return this.#readers.analyse(sql);
  }

  /** @throws ClientError `PARAMETER` */
  async connect(connector: AppConnector, options: SyncOptions): Promise<void> {
    this.checkUsable();
    const uploadData = (_: unknown, signal: AbortSignal) => connector.uploadData(signal);
    await this.#sync.connect({ ...connector, uploadData }, options);
  }

  /** The network is back, or the app is in front: what waits tries at once. */
  hint(): void {
    if (!this.closing.aborted) this.#sync.created.session.hint();
  }

  async disconnect(): Promise<void> {
    this.checkUsable();
    await this.#sync.disconnect();
  }

  async pause(): Promise<void> {
    this.checkUsable();
    await this.#sync.pause();
  }

  async resume(): Promise<void> {
    this.checkUsable();
    await this.#sync.resume();
  }

  async syncOnce(
    connector: AppConnector | undefined,
    options: SyncOptions,
    signal: AbortSignal,
  ): Promise<void> {
    this.checkUsable();
    const uploadData =
      connector && ((_: unknown, aborted: AbortSignal) => connector.uploadData(aborted));
    await this.#sync.syncOnce(
      connector && uploadData && { ...connector, uploadData },
      options,
      signal,
    );
  }

  async requestCheckpoint(): Promise<string> {
    this.checkUsable();
    return String(await this.#sync.requestCheckpoint(this.closing));
  }

  async checkpointApplied(checkpoint: string, signal: AbortSignal): Promise<void> {
    this.checkUsable();
    await this.#sync.checkpointApplied(BigInt(checkpoint), signal);
  }

  /** Disconnects, and forgets what was synced; `beforeCommit` is the last thing of that transaction. */
  async clear(options: ClearOptions, beforeCommit?: () => void): Promise<void> {
    await this.disconnect();
    await this.#sync.whileStopped(async () => {
      const tables = await this.#turns.run(() => {
        const { connection, schema } = this.#local;
        const emptied = clearDatabase(connection, schema, options, beforeCommit);
        this.#sync.restore();
        return emptied;
      });
      const everything = { columns: 'all', rows: 'many' } as const;
      this.#tellChanged(new Map(tables.map((table) => [table, everything])));
      this.#changes.tell({ kind: 'uploaded' });
    });
  }

  async updateSchema(schema: CompiledSchema): Promise<void> {
    this.checkUsable();
    await this.#sync.whileStopped(async () => {
      this.#report(await this.#turns.run(() => this.#local.changeSchema(schema)));
    });
    this.#changes.tell({ kind: 'schema' });
  }

  async subscribe(subscription: StreamSubscription): Promise<HeldStream> {
    const { streams } = this.#sync.created;
    const [handle] = await this.#turns.run(() => streams.subscribe([subscription]));
    if (handle === undefined) throw new Error('A subscription has a handle');
    const { name, params } = handle;
    return { name, params, release: () => this.#turns.run(() => handle.unsubscribe()) };
  }

  async unsubscribeAll(name: string, params: StreamParams | null): Promise<void> {
    const { streams } = this.#sync.created;
    await this.#turns.run(() => streams.unsubscribeAll(name, params));
  }

  /** @throws DatabaseClosedError; ClientError `REENTRANT` */
  checkUsable(): void {
    if (this.closing.aborted) throw new DatabaseClosedError();
    this.#turns.checkOutside();
  }

  /** Stops to sync, undoes an open transaction, and ends what watches. May be called twice. */
  close(): Promise<void> {
    if (this.closing.aborted) return this.#closed;
    this.#closing.abort(new DatabaseClosedError());
    this.#local.session.rollback();
    this.#turns.close();
    this.#stopFollowing();
    this.#closed = this.#close();
    return this.#closed;
  }

  /** After the turn, as who is told may write, and before the promise of whoever wrote resolves. */
  #committed(changes: ChangeSet | undefined): void {
    if (changes === undefined) return;
    this.#changes.tell({ kind: 'committed', changes });
    this.#sync.created.wroteLocally();
  }

  #followOthers(): void {
    const { sharing } = this.#platform;
    if (sharing === undefined) return;
    const everything = { columns: 'all', rows: 'many' } as const;
    this.#stopFollowing = watchOtherWriters({
      connection: this.#local.connection,
      sharing,
      turn: this.#turns,
      onWritten: (tables) => {
        const changes = new Map(tables.map((table) => [table, everything]));
        this.#changes.tell({ kind: 'committed', changes });
        this.#changes.tell({ kind: 'uploaded' });
        this.#sync.changedElsewhere();
      },
    });
  }

  #tellChanged(changes: ChangeSet): void {
    const { analyzer } = this.#local;
    const all = withTriggered(changes, (table) => analyzer.triggeredBy(table));
    const event: ChangeEvent = { kind: 'committed', changes: all };
    this.#changes.tell(event);
  }

  #report(warnings: readonly string[]): void {
    for (const text of warnings) this.#platform.onProblem(new ClientError('SCHEMA_LOSS', text));
  }

  async #close(): Promise<void> {
    await this.#sync.disconnect();
    this.#readers.close();
    this.#changes.close();
    this.#local.connection.close();
  }
}
