export { DEFAULT_LIMITS, type ReplicationLimits } from './limits.ts';
export { runReplication, type ReplicationOptions } from './run-replication.ts';
export type { ReplicationStatus, SnapshotStatus } from './status.ts';
export { valueOptions } from './value-options.ts';
