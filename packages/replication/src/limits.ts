/** The bounds of one generation's replication, in one place. */
export interface ReplicationLimits {
  /** A batch is written once it holds about this much, also within a source transaction. */
  readonly batchBytes: number;
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
  /** Time given to storage for compaction in one go, and the pause between goes. */
  readonly compactSliceMs: number;
  readonly compactEveryMs: number;
}

export const DEFAULT_LIMITS: ReplicationLimits = {
  batchBytes: 8 * 1024 * 1024,
  groupCommitMs: 20,
  snapshotCommitMs: 2000,
  queuedRows: 4000,
  tablePollMs: 2000,
  idleCheckpointMs: 1000,
  compactSliceMs: 50,
  compactEveryMs: 60_000,
};
