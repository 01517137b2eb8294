export {
  UNCHANGED,
  type ChangedValue,
  type ChangeEvent,
  type ChangeSource,
  type PeekedRows,
  type PeekRows,
  type ReplicationOptions,
  type SnapshotChunk,
  type SnapshotOptions,
  type SourceCheck,
  type SourceReplication,
  type SourceTable,
  type StreamOptions,
  type TableSnapshot,
  type ValueOptions,
} from './contract.ts';
export { rowKey, wholeRowKey } from './row-key.ts';
