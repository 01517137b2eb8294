/** The bounds of one generation's replication, in one place. */
export interface ReplicationLimits {
  /** A batch is written once it holds about this much, also within a source transaction. */
  readonly batchBytes: number;
  /** The same while a config is filled beside the one that serves, so that clients do not wait long. */
  readonly fillBatchBytes: number;
  /** Under steady load, source commits are grouped for about this long before they are written. */
  readonly groupCommitMs: number;
  /** During a snapshot, what is less than a batch is written after this time. */
  readonly snapshotCommitMs: number;
  /**
   * Source events and snapshot rows that may wait between reading and writing. One thread does both,
   * and the socket holds more than this, so waiting in large numbers only costs memory.
   */
  readonly queuedRows: number;
  /** How often tables are looked for that no change announces (created, dropped, renamed). */
  readonly tablePollMs: number;
  /** How often a position without changes is made durable when nobody waits for it. */
  readonly idleCheckpointMs: number;
  /** Time given to storage for compaction in one go, and the pauses while there is more and after. */
  readonly compactSliceMs: number;
  readonly compactPauseMs: number;
  readonly compactEveryMs: number;
  /** How long the buckets of a replaced config are kept up to date, so that going back is one step. */
  readonly rollbackKeepMs: number;
  /** What cannot be read while a config is filled is tried again after this time. */
  readonly fillRetryMs: number;
}

export const DEFAULT_LIMITS: ReplicationLimits = {
  batchBytes: 8 * 1024 * 1024,
  fillBatchBytes: 1024 * 1024,
  groupCommitMs: 20,
  snapshotCommitMs: 2000,
  queuedRows: 4000,
  tablePollMs: 2000,
  idleCheckpointMs: 1000,
  compactSliceMs: 50,
  compactPauseMs: 500,
  compactEveryMs: 60_000,
  rollbackKeepMs: 3_600_000,
  fillRetryMs: 5000,
};
