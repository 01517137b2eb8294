export type { DeployOutcome, Replication, ReplicationOptions } from './contract.ts';
export { createReplication } from './create-replication.ts';
export type { EvaluationProblem } from './evaluation-errors.ts';
export type { ConfigRole } from './fills.ts';
export { DEFAULT_LIMITS, type ReplicationLimits } from './limits.ts';
export type { ConfigStatus, ReplicationStatus, SnapshotStatus, TableFailure } from './status.ts';
export { valueOptions } from './value-options.ts';
