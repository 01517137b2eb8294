import type { OpId } from '@sluice/model';
import type { CheckpointBucket } from '@sluice/protocol';
import type { BucketState, ReadOps } from '@sluice/storage';
import type { SubscriptionReason } from '@sluice/sync-config';
import type { BucketNode } from './bucket-index.ts';

/** One bucket of one session. There are many of these, so it is small and shares what it can. */
export interface Slot {
  readonly node: BucketNode;
  priority: number;
  /** Interned: equal lists are the same object. */
  subscriptions: readonly SubscriptionReason[];
  /** The state that the client was told last. */
  sent: BucketState;
  /** Up to where the client has the operations. */
  position: OpId;
  /** Whether the client may lack some of the operations that belong to `sent`. */
  pending: boolean;
  /** Set during the download of a bucket that the client holds nothing of (`ReadOps.fresh`). */
  fresh: ReadOps['fresh'];
}

/** A bucket that the session is to have from now on. Its node's state is known. */
export interface WantedBucket {
  readonly node: BucketNode;
  readonly priority: number;
  readonly subscriptions: readonly SubscriptionReason[];
}

/** What a new checkpoint means for a session: its slots from now on, and what the client is told. */
export interface SlotChange {
  readonly slots: readonly Slot[];
  /** New buckets, and those whose content or terms changed. */
  readonly updated: readonly Slot[];
  readonly removed: readonly Slot[];
}

/** The state of a bucket whose state is not known yet; no storage hands it out. */
const NOTHING_SENT: BucketState = {
  checksum: 0,
  count: 0,
  lastOpId: 0n,
  requiresCheckpoint: 0n,
};

/** The same buckets at another checkpoint: gives those of them that the client is told of. */
export function refreshSlots(slots: readonly Slot[]): readonly Slot[] {
  return slots.filter((slot) => slot.node.state !== slot.sent && adoptState(slot));
}

/**
 * Another set of buckets. `after` gives the position of a bucket that the session did not have;
 * 0n when the client does not hold it.
 */
export function replaceSlots(
  slots: readonly Slot[],
  wanted: readonly WantedBucket[],
  after: (name: string) => OpId,
): SlotChange {
  const held = new Map(slots.map((slot) => [slot.node, slot]));
  const updated: Slot[] = [];
  const kept = wanted.map((bucket) => {
    const slot = held.get(bucket.node) ?? newSlot(bucket, after(bucket.node.name));
    const isNew = !held.delete(bucket.node);
    const isOnOtherTerms =
      slot.priority !== bucket.priority || slot.subscriptions !== bucket.subscriptions;
    slot.priority = bucket.priority;
    slot.subscriptions = bucket.subscriptions;
    const hasNewState = adoptState(slot);
    if (isNew || isOnOtherTerms || hasNewState) updated.push(slot);
    return slot;
  });
  return { slots: kept, updated, removed: [...held.values()] };
}

/** Whether something that the client can see is new. A count alone is not worth a line. */
function adoptState(slot: Slot): boolean {
  const state = slot.node.state ?? slot.sent;
  const { checksum, lastOpId } = slot.sent;
  slot.sent = state;
  return state.checksum !== checksum || state.lastOpId > lastOpId;
}

function newSlot({ node, priority, subscriptions }: WantedBucket, position: OpId): Slot {
  return {
    node,
    priority,
    subscriptions,
    sent: NOTHING_SENT,
    position,
    pending: true,
    fresh: position === 0n ? 'start' : undefined,
  };
}

/** Whether everything that belongs to the state sent is with the client. */
export function isUpToDate(slot: Slot): boolean {
  return slot.position >= slot.sent.lastOpId;
}

export function markDone(slot: Slot): void {
  slot.pending = false;
  slot.fresh = undefined;
  // The state's own object instead of an equal one: less memory, and equal reads for everybody.
  if (slot.position <= slot.sent.lastOpId) slot.position = slot.sent.lastOpId;
}

/** The buckets to send for a checkpoint, most urgent first (spec/protocol.md 2.5). */
export function sendingOrder(slots: Iterable<Slot>): Slot[] {
  return [...slots].toSorted(
    (a, b) => a.priority - b.priority || (a.node.name < b.node.name ? -1 : 1),
  );
}

export function toCheckpointBucket(slot: Slot): CheckpointBucket {
  return {
    bucket: slot.node.name,
    checksum: slot.sent.checksum,
    count: slot.sent.count,
    priority: slot.priority,
    subscriptions: slot.subscriptions,
  };
}
