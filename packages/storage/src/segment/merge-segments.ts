import { assert, must } from '@sluice/base';
import { fitsOneSegment, IndexEncoder, type SegmentData } from './encode-index.ts';
import type { Segment } from './segment.ts';
import { type SegmentIndex, word } from './segment-index.ts';

/** What planning a merge needs to know of a segment. */
export interface MergeCandidate {
  readonly payloadBytes: number;
  readonly visibleCount: number;
  readonly droppedCount: number;
  readonly firstOpId: bigint;
  readonly lastOpId: bigint;
}

/** A merged segment stays within these. */
export const MERGED_MAX_BYTES = 192 * 1024;
export const MERGED_MAX_OPS = 2000;
export const MERGED_MAX_DROPPED = 32_768;

/** Whether neighbours can become one segment without it growing too large. */
export function canMerge(neighbours: readonly MergeCandidate[]): boolean {
  const total = { bytes: 0, visible: 0, dropped: 0 };
  for (const one of neighbours) {
    total.bytes += one.payloadBytes;
    total.visible += one.visibleCount;
    total.dropped += one.droppedCount;
  }
  return (
    total.bytes <= MERGED_MAX_BYTES &&
    total.visible <= MERGED_MAX_OPS &&
    total.dropped <= MERGED_MAX_DROPPED &&
    fitsOneSegment(must(neighbours[0]).firstOpId, must(neighbours.at(-1)).lastOpId)
  );
}

/**
 * Joins neighbours, oldest first, into one segment. Payloads are concatenated as they are; only
 * the index is written anew. `requiresCheckpoint` is the highest of theirs.
 */
export function mergeSegments(segments: readonly Segment[]): SegmentData {
  const indexes = segments.map((segment) => segment.index);
  const first = must(indexes[0], 'a segment to merge');
  const last = must(indexes.at(-1));
  assert(fitsOneSegment(first.firstOpId, last.lastOpId), 'merged op ids fit one segment');
  const encoder = new IndexEncoder({
    dropped: indexes.reduce((sum, index) => sum + index.droppedCount, 0),
    visible: indexes.reduce((sum, index) => sum + index.visibleCount, 0),
    firstOpId: first.firstOpId,
    requiresCheckpoint: indexes.reduce(
      (highest, index) => (index.requiresCheckpoint > highest ? index.requiresCheckpoint : highest),
      0n,
    ),
  });
  for (const index of indexes) append(encoder, index, Number(index.firstOpId - first.firstOpId));
  return encoder.finish(Buffer.concat(segments.map((segment) => segment.payload)));
}

function append(encoder: IndexEncoder, index: SegmentIndex, shift: number): void {
  for (let at = 0; at < index.droppedCount; at++) {
    encoder.drop(word(index.droppedDeltas, at) + shift, word(index.droppedChecksums, at));
  }
  for (let at = 0; at < index.visibleCount; at++) {
    const bytes = index.endOf(at) - index.endOf(at - 1);
    const checksum = word(index.checksums, at);
    encoder.keep(
      word(index.deltas, at) + shift,
      checksum,
      bytes,
      index.kindOf(at),
      index.isHidden(at),
    );
  }
}
