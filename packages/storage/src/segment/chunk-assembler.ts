import type { OpId } from '@sluice/model';
import { encodeMoveElement } from '@sluice/protocol';
import type { OpsChunk } from '../contract.ts';
import type { Segment, SegmentSlice, SliceRequest } from './segment.ts';

/** More segments than this make a chunk of their own, so that one read stays short. */
const MAX_SEGMENTS = 256;
/** A segment at least this large is served alone, so that its chunk is the same for everybody. */
const SHARED_MIN_BYTES = 64 * 1024;

/**
 * Builds the chunk that `GenerationReader.readOps` gives out of consecutive segments of a bucket,
 * fed oldest first from the one that holds the first op after `after`:
 *
 *     while (assembler.wantsMore && (segment = next())) assembler.add(segment);
 *     return assembler.finish({ epoch, moreSegments: whether another one starts at or below upTo });
 */
export class ChunkAssembler {
  readonly #request: SliceRequest;
  readonly #slices: SegmentSlice[] = [];
  #after: OpId;
  #bytes = 0;
  #stopped = false;

  constructor(request: SliceRequest) {
    this.#request = request;
    this.#after = request.after;
  }

  get wantsMore(): boolean {
    const hasRoom = this.#bytes < this.#request.maxBytes && this.#slices.length < MAX_SEGMENTS;
    return !this.#stopped && hasRoom;
  }

  /** The position after what was taken so far; where the next segment has to begin. */
  get position(): OpId {
    return this.#after;
  }

  /** Takes what it can of a segment. False when the segment was left for the next chunk. */
  add(segment: Segment): boolean {
    const isShareable = segment.payload.length >= SHARED_MIN_BYTES;
    if (isShareable && this.#bytes > 0) return this.#stop();
    const maxBytes = this.#request.maxBytes - this.#bytes;
    const slice = segment.slice({ ...this.#request, after: this.#after, maxBytes });
    if (slice === undefined) return true;
    // A slice is cut to the room left; a single op larger than that waits for its own chunk.
    if (this.#bytes > 0 && slice.runBytes > maxBytes && slice.runOps === 1) return this.#stop();
    this.#slices.push(slice);
    this.#bytes += slice.runBytes;
    this.#after = slice.lastOpId;
    if (slice.cut || isShareable) this.#stopped = true;
    return true;
  }

  finish(state: { readonly epoch: number; readonly moreSegments: boolean }): OpsChunk | undefined {
    const last = this.#slices.at(-1);
    if (last === undefined) return undefined;
    const fold = foldOf(this.#slices);
    const parts = joinParts(this.#slices, fold);
    let byteLength = 0;
    for (const part of parts) byteLength += part.length;
    const hasMore = last.cut || state.moreSegments;
    return {
      parts,
      opCount: this.#slices.reduce((sum, slice) => sum + slice.runOps, fold === undefined ? 0 : 1),
      byteLength,
      lastOpId: last.lastOpId,
      hasMore,
      requiresCheckpoint: highestRequirement(this.#slices),
      epoch: state.epoch,
      // Slices are shared; two objects of one, because lines built from them say has_more.
      identity: this.#slices.length > 1 ? undefined : hasMore ? last : last.runs,
    };
  }

  #stop(): false {
    this.#stopped = true;
    return false;
  }
}

interface Fold {
  readonly slice: SegmentSlice;
  readonly sum: number;
}

/** All dropped ops of the chunk together: their sum, and the slice that holds the last of them. */
function foldOf(slices: readonly SegmentSlice[]): Fold | undefined {
  let sum = 0;
  let slice: SegmentSlice | undefined;
  for (const one of slices) {
    if (one.foldOpId === 0n) continue;
    sum = (sum + one.foldSum) >>> 0;
    slice = one;
  }
  return slice === undefined ? undefined : { slice, sum };
}

function joinParts(slices: readonly SegmentSlice[], fold: Fold | undefined): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const slice of slices) {
    if (slice !== fold?.slice) {
      parts.push(...slice.runs);
      continue;
    }
    parts.push(...slice.runs.slice(0, slice.foldBefore));
    parts.push(encodeMoveElement(slice.foldOpId, fold.sum));
    parts.push(...slice.runs.slice(slice.foldBefore));
  }
  return parts;
}

function highestRequirement(slices: readonly SegmentSlice[]): OpId {
  let highest = 0n;
  for (const { requiresCheckpoint } of slices) {
    if (requiresCheckpoint > highest) highest = requiresCheckpoint;
  }
  return highest;
}
