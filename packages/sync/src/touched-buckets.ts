import type { BucketNode } from './bucket-index.ts';
import type { Slot } from './slot.ts';
import type { SlotSet } from './slot-set.ts';

/** Kept beyond the number of buckets before they are given up as too many. */
const SPARE = 32;
const NONE: readonly never[] = [];

/**
 * The buckets of one session that changed since it last looked. What a change costs a session
 * depends on how many of its buckets changed, not on how many it has (design D4).
 */
export class TouchedBuckets {
  #nodes: BucketNode[] | undefined;
  /** More changes came than there are buckets, so that which ones is not worth keeping. */
  #isAny = false;

  /** `buckets`: how many the session has, or is about to have. */
  add(node: BucketNode, buckets: number): void {
    if (this.#isAny) return;
    this.#nodes ??= [];
    if (this.#nodes.at(-1) !== node) this.#nodes.push(node);
    if (this.#nodes.length > buckets + SPARE) {
      this.#isAny = true;
      this.#nodes = undefined;
    }
  }

  /** Perhaps some of them more than once; `any` when they were too many to keep. */
  get nodes(): readonly BucketNode[] | 'any' {
    return this.#isAny ? 'any' : (this.#nodes ?? NONE);
  }

  /** Their slots, each once, in no particular order. */
  of(set: SlotSet): readonly Slot[] {
    if (this.#isAny) return set.slots;
    return this.#nodes === undefined ? NONE : set.of(this.#nodes);
  }

  clear(): void {
    this.#nodes = undefined;
    this.#isAny = false;
  }
}
