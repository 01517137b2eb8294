import type { OpId } from '@sluice/model';
import { IndexEncoder, type SegmentData } from '../segment/encode-index.ts';
import type { Segment } from '../segment/segment.ts';
import { word } from '../segment/segment-index.ts';

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

/** What becomes of a visible op. */
export const KEEP = 0;
export const HIDE = 1;
export const DROP = 2;
export type Fate = typeof KEEP | typeof HIDE | typeof DROP;

/** The segment with some visible ops dropped or hidden; `fates` has one entry per visible op. */
export function rewriteSegment(
  segment: Segment,
  fates: Uint8Array,
  requiresCheckpoint: OpId,
): SegmentData {
  const { index, payload } = segment;
  let newlyDropped = 0;
  for (const fate of fates) if (fate === DROP) newlyDropped += 1;
  const encoder = new IndexEncoder({
    dropped: index.droppedCount + newlyDropped,
    visible: index.visibleCount - newlyDropped,
    firstOpId: index.firstOpId,
    requiresCheckpoint,
  });
  const kept = new Uint8Array(keptBytes(segment, fates));
  let length = 0;
  let dropped = 0;
  const copyDroppedBelow = (limit: number) => {
    for (; dropped < index.droppedCount; dropped++) {
      const delta = word(index.droppedDeltas, dropped);
      if (delta > limit) return;
      encoder.drop(delta, word(index.droppedChecksums, dropped));
    }
  };
  for (let at = 0; at < fates.length; at++) {
    const delta = word(index.deltas, at);
    const checksum = word(index.checksums, at);
    if (fates[at] === DROP) {
      copyDroppedBelow(delta);
      encoder.drop(delta, checksum);
      continue;
    }
    const [start, end] = [index.endOf(at - 1), index.endOf(at)];
    kept.set(payload.subarray(start, end), length);
    length += end - start;
    encoder.keep(delta, checksum, end - start, index.kindOf(at), fates[at] === HIDE);
  }
  copyDroppedBelow(Infinity);
  return encoder.finish(kept);
}

function keptBytes(segment: Segment, fates: Uint8Array): number {
  let bytes = 0;
  for (let at = 0; at < fates.length; at++) {
    if (fates[at] !== DROP) bytes += segment.index.endOf(at) - segment.index.endOf(at - 1);
  }
  return bytes;
}
