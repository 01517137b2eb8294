/** Bounds of what clients may cost (spec/protocol.md 10). */
export interface SyncLimits {
  readonly maxBucketsPerConnection: number;
  /** Results of all parameter queries of one connection. */
  readonly maxParameterQueryResults: number;
  /** Reads of operations that run at the same time, over all sessions. */
  readonly maxConcurrentReads: number;
  /** How long a session waits for its turn to read before it fails. */
  readonly readWaitMs: number;
  /** About how large one data line becomes; a larger row comes alone. */
  readonly chunkBytes: number;
  /** A batch goes out when it has this much, even if more could follow at once. */
  readonly batchBytes: number;
  /** A download gives way to a newer checkpoint once it has sent this many operations. */
  readonly supersedeAfterOps: number;
  /** Checkpoints that follow each other faster than this are shown to clients as one. */
  readonly minCheckpointIntervalMs: number;
}

export const DEFAULT_SYNC_LIMITS: SyncLimits = {
  maxBucketsPerConnection: 1000,
  maxParameterQueryResults: 1000,
  maxConcurrentReads: 10,
  readWaitMs: 30_000,
  chunkBytes: 256 * 1024,
  batchBytes: 64 * 1024,
  supersedeAfterOps: 1000,
  minCheckpointIntervalMs: 5,
};
