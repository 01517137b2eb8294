import type { BucketNode } from './bucket-index.ts';
import type { Slot } from './slot.ts';

/** Up to so many, looking at each slot costs less than keeping a map of them. */
const FEW = 32;

/** The buckets of one session, each once. Never changes, though the slots do. */
export class SlotSet {
  readonly slots: readonly Slot[];
  readonly #byNode: ReadonlyMap<BucketNode, Slot> | undefined;

  private constructor(slots: readonly Slot[], byNode: ReadonlyMap<BucketNode, Slot> | undefined) {
    this.slots = slots;
    this.#byNode = byNode;
  }

  /** Takes both over: the same slots in an array, and by their buckets. */
  static of(slots: readonly Slot[], byNode: ReadonlyMap<BucketNode, Slot>): SlotSet {
    return new SlotSet(slots, slots.length > FEW ? byNode : undefined);
  }

  static readonly none = new SlotSet([], undefined);

  get(node: BucketNode): Slot | undefined {
    if (this.#byNode !== undefined) return this.#byNode.get(node);
    return this.slots.find((slot) => slot.node === node);
  }

  /** The slots of these buckets, each once, in no particular order. */
  of(nodes: readonly BucketNode[]): readonly Slot[] {
    const byNode = this.#byNode;
    if (byNode === undefined) return this.slots.filter(({ node }) => nodes.includes(node));
    return [...new Set(nodes)].flatMap((node) => byNode.get(node) ?? []);
  }
}
