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

/** The state of a bucket whose state is not known yet; no storage hands it out. */
const NOTHING_SENT: BucketState = {
  checksum: 0,
  count: 0,
  lastOpId: 0n,
  requiresCheckpoint: 0n,
};

/** Takes over the node's state. Whether something that the client can see is new. */
export function adoptState(slot: Slot): boolean {
  const isNew = isOutdated(slot);
  slot.sent = slot.node.state ?? slot.sent;
  return isNew;
}

/** Whether the node's state has something that the client can see. A count alone is not worth a line. */
export function isOutdated({ node, sent }: Slot): boolean {
  const { checksum, lastOpId } = node.state ?? sent;
  return checksum !== sent.checksum || lastOpId > sent.lastOpId;
}

/** Shows the node's state, if it is known; `position`: 0n when the client does not hold the bucket. */
export function newSlot({ node, priority, subscriptions }: WantedBucket, position: OpId): Slot {
  return {
    node,
    priority,
    subscriptions,
    sent: node.state ?? NOTHING_SENT,
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

/** Above this many, putting the buckets in order by name would hold others up. */
const SORTED_BUCKETS = 1000;

/**
 * The buckets to send for a checkpoint, most urgent first, those of one priority by name
 * (spec/protocol.md 2.5). Clients do not rely on the names' order, and many buckets go without it.
 */
export function sendingOrder(slots: readonly Slot[]): readonly Slot[] {
  if (slots.length <= SORTED_BUCKETS) {
    return slots.toSorted(
      (a, b) => a.priority - b.priority || (a.node.name < b.node.name ? -1 : 1),
    );
  }
  const byPriority = new Map<number, Slot[]>();
  for (const slot of slots) {
    const same = byPriority.get(slot.priority);
    if (same === undefined) byPriority.set(slot.priority, [slot]);
    else same.push(slot);
  }
  const priorities = [...byPriority.keys()].toSorted((a, b) => a - b);
  return priorities.flatMap((priority) => byPriority.get(priority) ?? []);
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
