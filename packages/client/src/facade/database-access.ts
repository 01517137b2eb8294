import type { StatementReads } from '../changes/statement-analyzer.ts';
import type { StatementResult } from '../database/writer-session.ts';
import type { CompiledSchema } from '../schema/compiled-schema.ts';
import type { StatusTracker } from '../sync/status/status-tracker.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import type { StreamSubscription } from '../sync/streams/sync-streams.ts';
import type { StreamKey } from '../sync/streams/subscription-store.ts';
import type { ChangeFeed, RawRows } from '../watch/query-runner.ts';
import type { SyncConnector } from '../sync/session/create-session.ts';
import type { ClearOptions } from './clear-database.ts';
import type { SyncOptions } from './connector.ts';
import type {
  ReadStatements,
  ResultOptions,
  RowsAffected,
  TransactionStatements,
} from './statements.ts';
import type { UploadAccess } from './upload-access.ts';

/** What the app gives to sync; how `uploadData` gets at the queue is its own business. */
export interface AppConnector extends Omit<SyncConnector, 'uploadData'> {
  readonly uploadData: (signal: AbortSignal) => ReturnType<SyncConnector['uploadData']>;
}

/** Keeps a subscription alive until it is given back. */
export interface HeldStream extends StreamKey {
  /** May be called twice. */
  release(): Promise<void>;
}

export interface SelectOptions extends ResultOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * What `AppDatabase` makes a `SluiceDatabase` of: a database and its sync in plain values, on this thread (`DatabaseEngine`) or behind a
 * channel (`RemoteEngine`). Every method rejects with DatabaseClosedError once it is closed.
 */
export interface DatabaseAccess {
  /** A commit is told before the promise of whoever wrote resolves; `schema` is the new one when its change is told. */
  readonly changes: ChangeFeed;
  readonly status: StatusTracker;
  readonly clientId: string;
  readonly schema: CompiledSchema;
  readonly uploads: UploadAccess;
  /** Aborts with DatabaseClosedError when it begins to close, whoever closes it. */
  readonly closing: AbortSignal;
  execute(
    sql: string,
    parameters: readonly unknown[],
    options?: ResultOptions,
  ): Promise<StatementResult>;
  executeBatch(sql: string, parameterSets: readonly (readonly unknown[])[]): Promise<RowsAffected>;
  /** What `body` leaves open is rolled back. */
  writeTransaction<T>(
    body: (statements: TransactionStatements) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T>;
  readTransaction<T>(
    body: (statements: ReadStatements) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T>;
  select(sql: string, parameters: readonly unknown[], options?: SelectOptions): Promise<RawRows>;
  analyse(sql: string): Promise<StatementReads>;
  connect(connector: AppConnector, options: SyncOptions): Promise<void>;
  disconnect(): Promise<void>;
  /** Disconnects, and forgets what was synced. */
  clear(options: ClearOptions): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The network is back, or the app is in front: what waits tries at once. */
  hint(): void;
  /** `connector` may be left out while connected. */
  syncOnce(
    connector: AppConnector | undefined,
    options: SyncOptions,
    signal: AbortSignal,
  ): Promise<void>;
  /** Gives the number that stands for everything the backend has committed by now, as decimal text. */
  requestCheckpoint(): Promise<string>;
  /** Resolves when a checkpoint with that number, or a later one, is in the tables. */
  checkpointApplied(checkpoint: string, signal: AbortSignal): Promise<void>;
  updateSchema(schema: CompiledSchema): Promise<void>;
  subscribe(subscription: StreamSubscription): Promise<HeldStream>;
  unsubscribeAll(name: string, params: StreamParams | null): Promise<void>;
  /** @throws DatabaseClosedError; ClientError `REENTRANT` from inside a transaction that writes */
  checkUsable(): void;
  /** May be called twice. */
  close(): Promise<void>;
}
