import type { BucketNode } from './bucket-index.ts';
import type { Slot } from './slot.ts';

/** Up to so many, looking at each slot costs less than keeping a map of them. */
const FEW = 32;
const NONE: readonly Slot[] = [];

/**
 * The buckets of one session that changed since it last looked. What a change costs a session
 * depends on how many of its buckets changed, not on how many it has (design D4).
 */
export class TouchedBuckets {
  #nodes: BucketNode[] | undefined;
  /** More changes came than there are buckets, so that which ones is not worth keeping. */
  #isAny = false;
  #mapped: { readonly slots: readonly Slot[]; readonly byNode: Map<BucketNode, Slot> } | undefined;

  add(node: BucketNode): void {
    if (this.#isAny) return;
    this.#nodes ??= [];
    if (this.#nodes.at(-1) !== node) this.#nodes.push(node);
    if (this.#nodes.length > (this.#mapped?.slots.length ?? 0) + FEW) {
      this.#isAny = true;
      this.#nodes = undefined;
    }
  }

  /** The slots of touched buckets, each once, in no particular order. */
  of(slots: readonly Slot[]): readonly Slot[] {
    if (this.#isAny) return slots;
    const nodes = this.#nodes;
    if (nodes === undefined) return NONE;
    if (slots.length <= FEW) return slots.filter((slot) => nodes.includes(slot.node));
    const byNode = this.#byNode(slots);
    return [...new Set(nodes)].flatMap((node) => byNode.get(node) ?? NONE);
  }

  clear(): void {
    this.#nodes = undefined;
    this.#isAny = false;
  }

  #byNode(slots: readonly Slot[]): ReadonlyMap<BucketNode, Slot> {
    if (this.#mapped?.slots !== slots) {
      this.#mapped = { slots, byNode: new Map(slots.map((slot) => [slot.node, slot])) };
    }
    return this.#mapped.byNode;
  }
}
