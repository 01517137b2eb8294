import { must } from '@sluice/base';
import type { OpId } from '@sluice/model';
import type { OpsChunk } from '@sluice/storage';
import { isUpToDate, markDone, sendingOrder, type Slot } from './slot.ts';

const NOTHING: readonly Slot[] = [];

/** How far a session has come with sending one checkpoint after the other. */
export class Download {
  /** The checkpoint of the last `checkpoint` or `checkpoint_diff` line; undefined before. */
  checkpoint: OpId | undefined;
  completed = false;
  /** Data sent so far makes a consistent state only from this checkpoint on (spec 2.8). */
  requires: OpId = 0n;
  /** Operations sent for `checkpoint`. */
  opsSent = 0;
  /** Of the bucket before `next`; undefined at the start and after each completed priority. */
  priority: number | undefined;
  #sending: readonly Slot[] = NOTHING;
  #at = 0;

  begin(checkpoint: OpId, slots: readonly Slot[]): void {
    this.checkpoint = checkpoint;
    this.completed = false;
    this.opsSent = 0;
    this.priority = undefined;
    this.#sending = sendingOrder(slots);
    this.#at = 0;
  }

  get isInvalid(): boolean {
    return this.checkpoint !== undefined && this.requires > this.checkpoint;
  }

  /** The next bucket to send. */
  get next(): Slot | undefined {
    return this.#sending[this.#at];
  }

  sentChunk(slot: Slot, chunk: OpsChunk): void {
    if (slot.fresh !== undefined) slot.fresh = chunk.epoch;
    slot.position = chunk.lastOpId;
    this.priority = slot.priority;
    this.opsSent += chunk.opCount;
    this.require(chunk.requiresCheckpoint);
  }

  require(checkpoint: OpId): void {
    if (checkpoint > this.requires) this.requires = checkpoint;
  }

  /**
   * Nothing more comes of the next bucket for this checkpoint. If that makes the download invalid,
   * the bucket goes on from where it is under a newer checkpoint.
   */
  passNext(): void {
    const slot = must(this.next, 'a bucket that is being sent');
    this.priority = slot.priority;
    if (isUpToDate(slot) || !this.isInvalid) markDone(slot);
    this.#at += 1;
  }

  /**
   * Passes the next bucket, which needs nothing, and those behind it of its priority as long as
   * they need nothing, up to `most`. Whether it may be gone on with.
   */
  skip(most: number): boolean {
    const priority = this.next?.priority;
    for (let left = most; left > 0; left -= 1) {
      this.passNext();
      const { next } = this;
      if (next === undefined || next.priority !== priority || !isUpToDate(next)) return false;
    }
    return true;
  }

  completePriority(): void {
    this.priority = undefined;
  }

  /** Nothing of the download is kept. */
  complete(): void {
    this.completed = true;
    this.#sending = NOTHING;
    this.#at = 0;
  }
}
