import { pacedEach, type Pace } from '@sluice/base';
import type { OpId } from '@sluice/model';
import type { BucketNode } from './bucket-index.ts';
import { adoptState, isOutdated, newSlot, type Slot, type WantedBucket } from './slot.ts';
import { SlotSet } from './slot-set.ts';

/** What a new checkpoint means for a session: its slots from now on, and what the client is told. */
export interface SlotChange {
  readonly set: SlotSet;
  /** New buckets, and those whose content or terms changed. */
  readonly updated: readonly Slot[];
  readonly removed: readonly Slot[];
}

const NONE: readonly Slot[] = [];

/** The same buckets at another checkpoint, which has changed some of them. */
export function refreshedSlots(set: SlotSet, touched: readonly Slot[]): SlotChange {
  const updated = touched.filter((slot) => slot.node.state !== slot.sent && adoptState(slot));
  return { set, updated, removed: NONE };
}

export interface Replacing {
  readonly held: SlotSet;
  /** Each bucket once. */
  readonly wanted: readonly WantedBucket[];
  /** The position of a bucket that the session did not have; 0n when the client does not hold it. */
  readonly after: (name: string) => OpId;
  readonly pace: Pace;
}

/**
 * Another set of buckets, worked out in slices while the feed moves on: the slots that the session
 * has stay as they are until `commit`, so that it can be given up. Whoever works it out keeps note of the
 * buckets that are touched meanwhile.
 */
export class SlotReplacement {
  readonly #held: SlotSet;
  readonly #slots: Slot[] = [];
  readonly #byNode = new Map<BucketNode, Slot>();
  readonly #removed: Slot[] = [];
  /** New slots, and those that `#changes` is about, in the order of the set. */
  readonly #updated: Slot[] = [];
  readonly #changes = new Map<Slot, WantedBucket>();
  /** Buckets without a state when they were looked at. */
  readonly #unknown: BucketNode[] = [];

  private constructor(held: SlotSet) {
    this.#held = held;
  }

  static async prepare({ held, wanted, after, pace }: Replacing): Promise<SlotReplacement> {
    const made = new SlotReplacement(held);
    await pacedEach(wanted, pace, (bucket) => made.#place(bucket, after));
    await pacedEach(held.slots, pace, (slot) => {
      if (!made.#byNode.has(slot.node)) made.#removed.push(slot);
    });
    return made;
  }

  /** Those of the set whose state is not known now, given the buckets touched since `prepare`. */
  unknown(touched: Iterable<BucketNode> | 'any'): readonly BucketNode[] {
    const suspects = touched === 'any' ? this.#byNode.keys() : [...this.#unknown, ...touched];
    return [...suspects].filter((node) => this.#byNode.has(node) && node.state === undefined);
  }

  /** Takes effect, with the states as they are now, which must all be known. */
  commit(touched: Iterable<BucketNode> | 'any'): SlotChange {
    for (const [slot, { priority, subscriptions }] of this.#changes) {
      slot.priority = priority;
      slot.subscriptions = subscriptions;
      adoptState(slot);
    }
    const nodes = touched === 'any' ? this.#byNode.keys() : [...this.#unknown, ...touched];
    for (const node of nodes) {
      const slot = this.#byNode.get(node);
      if (slot === undefined || slot.node.state === slot.sent) continue;
      const isToldAlready = this.#changes.has(slot) || this.#held.get(node) === undefined;
      if (adoptState(slot) && !isToldAlready) this.#updated.push(slot);
    }
    const set = SlotSet.of(this.#slots, this.#byNode);
    return { set, updated: this.#updated, removed: this.#removed };
  }

  #place(bucket: WantedBucket, after: Replacing['after']): void {
    const { node } = bucket;
    if (this.#byNode.has(node)) return;
    if (node.state === undefined) this.#unknown.push(node);
    const held = this.#held.get(node);
    const slot = held ?? newSlot(bucket, after(node.name));
    this.#byNode.set(node, slot);
    this.#slots.push(slot);
    if (held === undefined) this.#updated.push(slot);
    else if (isOnOtherTerms(held, bucket) || isOutdated(held)) {
      this.#changes.set(slot, bucket);
      this.#updated.push(slot);
    }
  }
}

function isOnOtherTerms(slot: Slot, { priority, subscriptions }: WantedBucket): boolean {
  return slot.priority !== priority || slot.subscriptions !== subscriptions;
}
