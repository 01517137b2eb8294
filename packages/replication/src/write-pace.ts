import type { ReplicationLimits } from './limits.ts';

/**
 * After a write of many changes the next one waits this many times as long as it took: a batch costs
 * a segment for each bucket and a sync of the disk, however few changes it has.
 */
const WRITE_SHARE = 2;
/** A slow disk must not hold up clients for longer than this. */
const MAX_GROUP_MS = 250;
/** A write of fewer changes than this shows that the source is not busy. */
const MANY_CHANGES = 100;

/** Decides how long changes are gathered: not at all under light load, longer under heavy load. */
export class WritePace {
  readonly #limits: ReplicationLimits;
  #writtenAtMs = 0;
  #shareMs = 0;

  constructor(limits: ReplicationLimits) {
    this.#limits = limits;
  }

  written(write: {
    readonly startedAtMs: number;
    readonly endedAtMs: number;
    readonly changes: number;
  }): void {
    const tookMs = write.endedAtMs - write.startedAtMs;
    this.#writtenAtMs = write.endedAtMs;
    this.#shareMs = write.changes < MANY_CHANGES ? 0 : Math.min(WRITE_SHARE * tookMs, MAX_GROUP_MS);
  }

  /** Milliseconds until changes that wait between transactions should be written. */
  delayMs(now: {
    readonly nowMs: number;
    /** More has arrived already. */
    readonly isBehind: boolean;
    /** Nothing can be published yet, so only full batches pay. */
    readonly isSnapshot: boolean;
  }): number {
    const { snapshotCommitMs, groupCommitMs } = this.#limits;
    const busyMs = now.isBehind ? Math.max(groupCommitMs, this.#shareMs) : this.#shareMs;
    const groupMs = now.isSnapshot ? snapshotCommitMs : busyMs;
    return Math.max(0, this.#writtenAtMs + groupMs - now.nowMs);
  }
}
