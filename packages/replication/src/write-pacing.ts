import type { ReplicationLimits } from './limits.ts';

/**
 * Under load the next write waits this many times as long as the last one took: a batch costs a
 * segment for each bucket and a sync of the disk however few changes it has.
 */
const WRITE_SHARE = 2;
/** A write of fewer changes than this shows that the source is not busy. */
const MANY_CHANGES = 100;
/** A slow disk must not hold up clients for longer than this. */
const MAX_GROUP_MS = 250;

/** The replication loop between two pieces of work, as far as it matters for when to write. */
export interface WriteSituation {
  readonly nowMs: number;
  /** About how much waits to be written. */
  readonly pendingBytes: number;
  readonly hasChanges: boolean;
  /** A write now would cut a source transaction in two. */
  readonly inTransaction: boolean;
  /** More work has arrived already. */
  readonly isBehind: boolean;
  /** Nothing can be published before the snapshots are complete. */
  readonly snapshotRuns: boolean;
  /** A config is filled beside the one that serves. */
  readonly isFilling: boolean;
}

/**
 * Decides when to write: under light load every commit at once (latency), under heavy load many
 * together (throughput).
 */
export class WritePacing {
  readonly #limits: ReplicationLimits;
  #writtenAtMs = 0;
  #writeMs = 0;
  #writtenChanges = 0;

  constructor(limits: ReplicationLimits) {
    this.#limits = limits;
  }

  /** Milliseconds until what is pending should be written; undefined while it must or may wait. */
  delayMs(situation: WriteSituation): number | undefined {
    const { batchBytes, fillBatchBytes } = this.#limits;
    const maxBytes = situation.isFilling ? Math.min(batchBytes, fillBatchBytes) : batchBytes;
    if (situation.pendingBytes >= maxBytes) return 0;
    if (situation.inTransaction || !situation.hasChanges) return undefined;
    return Math.max(0, this.#writtenAtMs + this.#groupMs(situation) - situation.nowMs);
  }

  noteWrite(write: { readonly startedAtMs: number; readonly endedAtMs: number; changes: number }) {
    this.#writtenAtMs = write.endedAtMs;
    this.#writeMs = write.endedAtMs - write.startedAtMs;
    this.#writtenChanges = write.changes;
  }

  #groupMs({ isBehind, snapshotRuns }: WriteSituation): number {
    if (snapshotRuns) return this.#limits.snapshotCommitMs; // so only full batches pay
    const isBusy = this.#writtenChanges >= MANY_CHANGES;
    const shareMs = isBusy ? Math.min(WRITE_SHARE * this.#writeMs, MAX_GROUP_MS) : 0;
    return isBehind ? Math.max(this.#limits.groupCommitMs, shareMs) : shareMs;
  }
}
