import type { OpId } from '@sluice/model';
import { IndexEncoder, type SegmentData } from '../segment/encode-index.ts';
import type { Segment } from '../segment/segment.ts';
import { type SegmentIndex, word } from '../segment/segment-index.ts';

/** A change of stored segments, to be made atomically. */
export interface Rewrite {
  /** Segments of the bucket with a first op id from here to `toOpId` (both inclusive) go. */
  readonly fromOpId: OpId;
  readonly toOpId: OpId;
  /** They come instead, oldest first. */
  readonly segments: readonly SegmentData[];
  /**
   * Whether readers notice: ops were dropped, hidden or cleared. Then the bucket's epoch rises by
   * one and its `hiddenUpTo` becomes 0n in the same transaction. Otherwise segments only moved
   * together.
   */
  readonly changesOps: boolean;
}

/** What becomes of a visible op; 0 keeps it as it is, and not hidden. */
export const HIDE = 1;
export const DROP = 2;

/** The segment with some visible ops dropped or hidden; `fates` has one entry per visible op. */
export function rewriteSegment(
  segment: Segment,
  fates: Uint8Array,
  requiresCheckpoint: OpId,
): SegmentData {
  const { index } = segment;
  const { droppedNow, keptBytes } = measure(segment, fates);
  const encoder = new IndexEncoder({
    dropped: index.droppedCount + droppedNow,
    visible: index.visibleCount - droppedNow,
    firstOpId: index.firstOpId,
    requiresCheckpoint,
  });
  dropInOrder(encoder, index, fates);
  const kept = new Uint8Array(keptBytes);
  let length = 0;
  for (let at = 0; at < fates.length; at++) {
    if (fates[at] === DROP) continue;
    const [start, end] = [index.endOf(at - 1), index.endOf(at)];
    kept.set(segment.payload.subarray(start, end), length);
    length += end - start;
    const [delta, checksum] = [word(index.deltas, at), word(index.checksums, at)];
    encoder.keep(delta, checksum, end - start, index.kindOf(at), fates[at] === HIDE);
  }
  return encoder.finish(kept);
}

function measure(segment: Segment, fates: Uint8Array) {
  let droppedNow = 0;
  let keptBytes = segment.payload.length;
  for (let at = 0; at < fates.length; at++) {
    if (fates[at] !== DROP) continue;
    droppedNow += 1;
    keptBytes -= segment.index.endOf(at) - segment.index.endOf(at - 1);
  }
  return { droppedNow, keptBytes };
}

/** The ops dropped before and those dropped now, merged in the order of their ids. */
function dropInOrder(encoder: IndexEncoder, index: SegmentIndex, fates: Uint8Array): void {
  let before = 0;
  const dropBefore = (limit: number) => {
    for (; before < index.droppedCount; before++) {
      const delta = word(index.droppedDeltas, before);
      if (delta > limit) return;
      encoder.drop(delta, word(index.droppedChecksums, before));
    }
  };
  for (let at = 0; at < fates.length; at++) {
    if (fates[at] !== DROP) continue;
    const delta = word(index.deltas, at);
    dropBefore(delta);
    encoder.drop(delta, word(index.checksums, at));
  }
  dropBefore(Infinity);
}
