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
