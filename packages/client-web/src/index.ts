export { openDatabase, type OpenDatabaseOptions, type WebDatabase } from './open-database.ts';
export { requestPersistence } from './persistence.ts';
export type { StorageKind } from './storage/stored-database.ts';
export {
  backendConnector,
  ClientError,
  column,
  DatabaseClosedError,
  Schema,
  SchemaError,
  SqlError,
  Table,
} from '@sluice/client';
export type {
  BackendConnectorOptions,
  Credentials,
  CrudEntry,
  DatabaseConnector,
  DatabaseListener,
  QueryResult,
  ReadTransaction,
  Row,
  SluiceDatabase,
  SqlValue,
  StoredRow,
  SyncOptions,
  SyncStatus,
  SyncStream,
  SyncStreamSubscription,
  WaitingBatch,
  WaitingTransaction,
  WriteTransaction,
} from '@sluice/client';
