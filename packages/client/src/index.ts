export type { ChangeSet, KnownValues, RowChange, TableChange } from './changes/change-set.ts';
export type { ReadColumns, ReadSet } from './changes/read-set.ts';
export type { FilterTerm, FilterTest, Operand, RowFilter } from './changes/row-filter.ts';
export type { Affinity, ComparisonOperator } from './changes/sqlite-comparison.ts';
export { StatementAnalyzer, type StatementReads } from './changes/statement-analyzer.ts';
export { withTriggered } from './changes/triggered-changes.ts';
export type { CrudEntry, CrudOperation, CrudValues } from './crud/crud-entry.ts';
export { MAX_OP, type WriteGate, type WriteGateState } from './crud/write-gate.ts';
export type {
  RunResult,
  SqliteConnection,
  SqliteStatement,
  SqlParameter,
  SqlValue,
} from './driver/contract.ts';
export { ClientError, DatabaseClosedError, SchemaError, SqlError } from './errors.ts';
export { integerIn, type IntegerMode } from './driver/integer-mode.ts';
export { column, type Column, type ReferenceOptions, type SqliteType } from './schema/column.ts';
export { compileSchema } from './schema/compile-schema.ts';
export {
  Schema,
  type AnySchema,
  type SchemaJson,
  type SchemaOptions,
  type TableJson,
} from './schema/schema.ts';
export {
  Table,
  type AnyTable,
  type Columns,
  type IndexDeclaration,
  type Row,
  type StoredRow,
  type TableOptions,
} from './schema/table.ts';
export { installSchema, type Installed } from './schema/install-schema.ts';
export { typeNumber } from './schema/layout.ts';
export { lostTables, planSchemaChange, type SchemaChange } from './schema/schema-change.ts';
export { tableObjects, type SqlObject, type TableObjects } from './schema/table-objects.ts';
export type { SyncedRows } from './schema/synced-rows.ts';
export { DeadLetters, type DeadLetter } from './crud/dead-letters.ts';
export { settleOutcomes, type EntryOutcome, type Settlement } from './crud/outcomes.ts';
export { formatEntry } from './crud/entry-values.ts';
export { LocalWriteGate } from './crud/local-write-gate.ts';
export {
  UploadQueue,
  type Complete,
  type CrudBatch,
  type CrudTransaction,
} from './crud/upload-queue.ts';
export {
  WriterSession,
  type StatementResult,
  type WriterSessionOptions,
  type WrittenTables,
} from './database/writer-session.ts';
export type {
  CompiledColumn,
  CompiledIndex,
  CompiledSchema,
  CompiledTable,
} from './schema/compiled-schema.ts';
export type {
  CheckpointOpening,
  PublishResult,
  PublishScope,
  SyncStore,
} from './sync/sync-store.ts';
export { systemClock, type ClientClock } from './clock.ts';
export type { Credentials, FetchCredentials } from './sync/session/credentials.ts';
export {
  createSession,
  type CreatedSession,
  type CreateSessionOptions,
  type SyncConnector,
} from './sync/session/create-session.ts';
export type { ConnectOptions, SyncSession } from './sync/session/sync-session.ts';
export type { StatusTracker } from './sync/status/status-tracker.ts';
export type { SyncStatus } from './sync/status/sync-status.ts';
export { createSyncLayout } from './sync/store/sync-layout.ts';
export { createStreamLayout } from './sync/streams/stream-layout.ts';
export type { StreamHandle, StreamSubscription, SyncStreams } from './sync/streams/sync-streams.ts';
export { HttpTransport, type HttpTransportOptions } from './sync/transport/http-transport.ts';
export type { SyncTransport } from './sync/transport/transport.ts';
export {
  WebSocketTransport,
  type WebSocketLike,
  type WebSocketTransportOptions,
} from './sync/transport/websocket-transport.ts';
export { outcomeOf, type BackendResult } from './upload/backend-answer.ts';
export { BackendCalls, type BackendCallsOptions, type Sent } from './upload/backend-calls.ts';
export { inProcessLock, type UploadLock } from './upload/upload-lock.ts';
export type { UploadResult } from './upload/upload-loop.ts';
export type { WriterTurn } from './database/writer-turn.ts';
export { LiveQueries, type LiveQueriesOptions } from './watch/live-queries.ts';
export type { ChangeEvent, ChangeFeed, QueryRunner, RawRows } from './watch/query-runner.ts';
export {
  ArrayComparator,
  type ResultComparator,
  type RowComparator,
} from './watch/row-comparison.ts';
export type { RowDifference } from './watch/row-difference.ts';
export { RowSet, type PlainRow } from './watch/row-set.ts';
export type { TableChangeEvent } from './watch/table-changes.ts';
export type {
  ChangeHandler,
  ChangeOptions,
  DifferentialOptions,
  QueryDescription,
  QueryHandle,
  QuerySettings,
  QueryWatchOptions,
  WatchableQuery,
  WatchHandler,
  WatchOptions,
} from './watch/watch-options.ts';
export type { WatchedQueryListener } from './watch/watched-query-listeners.ts';
export type {
  WatchedQuery,
  WatchedQuerySettings,
  WatchedQueryState,
} from './watch/watched-query.ts';
export { backendConnector, type BackendConnectorOptions } from './facade/backend-connector.ts';
export type { CheckpointRequest } from './facade/checkpoint-request.ts';
export type { CallContext } from './facade/call-context.ts';
export type { Connector, SyncOptions } from './facade/connector.ts';
export type { DatabaseListener } from './facade/database-listeners.ts';
export type { FileSharing } from './facade/file-sharing.ts';
export type { Platform } from './facade/platform.ts';
export type { QueryResult } from './facade/query-result.ts';
export { InThreadDatabase, type DatabaseOptions } from './facade/in-thread-database.ts';
export type {
  DatabaseConnector,
  Readable,
  ReadTransaction,
  SluiceDatabase,
  SyncOnceOptions,
  TransactionOptions,
  Writable,
  WriteTransaction,
} from './facade/sluice-database.ts';
export type { SyncStream, SyncStreamSubscription } from './facade/sync-stream.ts';
export type {
  AppConnector,
  DatabaseAccess,
  HeldStream,
  SelectOptions,
} from './facade/database-access.ts';
export { DatabaseEngine, type EngineOptions } from './facade/database-engine.ts';
export type { ReadStatements } from './facade/statements.ts';
export { portChannel, type Channel, type PortLike } from './remote/channel.ts';
export { DatabaseHost, type DatabaseHostOptions } from './remote/database-host.ts';
export type { HandOver } from './remote/host-link.ts';
export { fromPlainError, toPlainError, type PlainError } from './remote/plain-error.ts';
export type { ReadAccess } from './remote/read-access.ts';
export { ReaderLink, serveReader } from './remote/reader-link.ts';
export { refuseApp } from './remote/refuse-app.ts';
export { RemoteDatabase, type RemoteDatabaseOptions } from './remote/remote-database.ts';
export type { DeadLetterBox } from './facade/dead-letter-box.ts';
export type {
  BatchOptions,
  CompleteLater,
  EntryOutcomes,
  Settle,
  UploadQueueStats,
  WaitingBatch,
  WaitingTransaction,
} from './facade/upload-access.ts';
export { uploadEntries, type SendEntries } from './facade/upload-entries.ts';
export { rowOf } from './schema/row-of.ts';
export {
  toObservable,
  toSignal,
  type Observer,
  type ReadonlySignal,
  type StoreObservable,
} from './stores/observable.ts';
export type { KeepTimes, QueryEntry } from './stores/query-entry.ts';
export type {
  QueryOptions,
  QuerySource,
  QueryState,
  QueryStream,
  QueryText,
  StreamRequest,
} from './stores/query-options.ts';
export {
  createQueryStore,
  type PendingUploads,
  type QueryStore,
  type QueryStoreOptions,
} from './stores/query-store.ts';
export type { RowSyncState } from './stores/row-sync-states.ts';
export { sameValue } from './stores/same-value.ts';
export type { Store } from './stores/store.ts';
export type { StreamState } from './stores/stream-state.ts';
