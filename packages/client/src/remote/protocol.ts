import type { StatementReads } from '../changes/statement-analyzer.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import type { EntryOutcome } from '../crud/outcomes.ts';
import type { Complete, QueueFigures } from '../crud/upload-queue.ts';
import type { StatementResult } from '../database/writer-session.ts';
import type { ClearOptions } from '../facade/clear-database.ts';
import type { SyncOptions } from '../facade/connector.ts';
import type { RowsAffected } from '../facade/statements.ts';
import type {
  BatchRequest,
  EntryRange,
  PlainBatch,
  PlainTransaction,
} from '../facade/upload-access.ts';
import type { CompiledSchema } from '../schema/compiled-schema.ts';
import type { Credentials } from '../sync/session/credentials.ts';
import type { StreamSubscription } from '../sync/streams/sync-streams.ts';
import type { StreamKey } from '../sync/streams/subscription-store.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import type { UploadResult } from '../upload/upload-loop.ts';
import type { ChangeEvent, RawRows } from '../watch/query-runner.ts';
import type { RecordedCall } from './call-records.ts';
import type { PlainError } from './plain-error.ts';
import type { PlainStatus } from './plain-status.ts';

/** Both sides speak the same; tabs of another version of the library may not. */
export const PROTOCOL_VERSION = 3;

/** A call that must not be done twice; `again` if an earlier host may have done it. */
export interface WritingCall extends RecordedCall {
  readonly again: boolean;
}

export interface Greeting {
  readonly version: number;
  /** Names the app over all its channels. */
  readonly app: string;
}

export interface Introduction {
  readonly clientId: string;
  readonly schema: CompiledSchema;
  readonly status: PlainStatus;
}

/** A statement's result without what it committed, which is told as an event. */
export type PlainResult = Omit<StatementResult, 'committed'>;

type Integers = IntegerMode | undefined;

/** What readers can be asked. Transactions are numbered by the app. */
export type ReadMethods = {
  select(sql: string, parameters: readonly unknown[], integers: Integers): RawRows;
  analyse(sql: string): StatementReads;
  readBegin(transaction: number, timeoutMs: number | undefined): void;
  readSelect(
    transaction: number,
    sql: string,
    parameters: readonly unknown[],
    integers: Integers,
  ): RawRows;
  readEnd(transaction: number): void;
};

type WriteMethods = {
  execute(
    sql: string,
    parameters: readonly unknown[],
    integers: Integers,
    call: WritingCall | undefined,
  ): PlainResult;
  executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
    call: WritingCall | undefined,
  ): RowsAffected;
  begin(transaction: number, timeoutMs: number | undefined): void;
  transactionExecute(
    transaction: number,
    sql: string,
    parameters: readonly unknown[],
    integers: Integers,
  ): PlainResult;
  transactionBatch(
    transaction: number,
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
  ): RowsAffected;
  savepoint(transaction: number, name: string): void;
  release(transaction: number, name: string): void;
  undo(transaction: number, name: string): void;
  commit(transaction: number, call: WritingCall | undefined): void;
  rollback(transaction: number): void;
};

type QueueMethods = {
  crudBatch(request: BatchRequest): PlainBatch | undefined;
  crudAfter(clientId: number, integers: Integers): PlainTransaction | undefined;
  crudComplete(lastId: number, parameters: Parameters<Complete>): void;
  crudSettle(
    range: EntryRange,
    outcomes: readonly (readonly [number, EntryOutcome])[],
  ): UploadResult;
  crudStats(withSize: boolean): QueueFigures;
  requeue(clientIds: readonly number[], call: WritingCall | undefined): void;
  discard(clientIds: readonly number[], call: WritingCall | undefined): void;
};

type SyncMethods = {
  connect(options: SyncOptions, takesCheckpointRequests: boolean): void;
  disconnect(): void;
  clear(options: ClearOptions, call: WritingCall | undefined): void;
  pause(): void;
  resume(): void;
  hint(): void;
  /** Without options: only while sync is connected. The call's signal ends it. */
  syncOnce(options: SyncOptions | undefined, takesCheckpointRequests: boolean): void;
  requestCheckpoint(): string;
  /** The call's signal ends it. */
  checkpointApplied(checkpoint: string): void;
  updateSchema(schema: CompiledSchema): void;
  /** Subscriptions are numbered by the app. */
  subscribe(held: number, subscription: StreamSubscription): StreamKey;
  unsubscribe(held: number): void;
  unsubscribeAll(name: string, params: StreamParams | null): void;
};

/** What the app's side asks of the host's. The first call is `hello`. */
export type HostMethods = ReadMethods &
  WriteMethods &
  QueueMethods &
  SyncMethods & {
    hello(greeting: Greeting): Introduction;
    /** The app ends. Nothing follows. */
    close(): void;
  };

/** What the host's side asks of the app's. */
export type AppMethods = {
  fetchCredentials(): Credentials | null | undefined;
  uploadData(): UploadResult | void;
  postCheckpointRequest(clientId: string, requestId: string): string;
  /** Answered at once, unless the app's thread is frozen or busy. */
  isAwake(): void;
};

export type HostEvent =
  /** Before the answer of the call that made the change. */
  | {
      readonly kind: 'changed';
      readonly change: Exclude<ChangeEvent, { readonly kind: 'closed' }>;
      readonly schema?: CompiledSchema;
    }
  | { readonly kind: 'status'; readonly status: PlainStatus }
  /** Some app wanted sync to end: none of them is to connect again by itself. */
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'problem'; readonly error: PlainError };

/** The app is still there, which its open transaction does not tell while the app thinks. */
export type AppEvent = { readonly kind: 'alive' };

/** How often an app with an open transaction says so, and how long a host believes in one that says nothing. */
export const ALIVE_EVERY_MS = 10_000;
export const MAX_SILENCE_MS = 90_000;
