export type { ChangeSet, KnownValues, RowChange, TableChange } from './changes/change-set.ts';
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
export { column, type Column, type ReferenceOptions, type SqliteType } from './schema/column.ts';
export { compileSchema } from './schema/compile-schema.ts';
export { Schema, type SchemaJson, type TableJson } from './schema/schema.ts';
export {
  Table,
  type AnyTable,
  type Columns,
  type IndexDeclaration,
  type Row,
  type StoredRow,
  type TableOptions,
} from './schema/table.ts';
export { installSchema, type SyncedRows } from './schema/install-schema.ts';
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
