import { assert } from '@sluice/base';
import type { OpId } from '@sluice/model';
import {
  HEADER_WORDS,
  indexWords,
  KIND_CLEAR,
  MAGIC,
  MAX_DELTA,
  MAX_PAYLOAD_BYTES,
  packEnd,
  type SegmentSummary,
  type VisibleKind,
} from './segment-index.ts';

/** A segment as storage keeps it. */
export interface SegmentData {
  readonly index: Uint8Array;
  /** Concatenated BSON elements of the visible ops (protocol, `op-codec.ts`). */
  readonly payload: Uint8Array;
  readonly summary: SegmentSummary;
}

export interface IndexSize {
  readonly dropped: number;
  readonly visible: number;
  readonly firstOpId: OpId;
  readonly requiresCheckpoint: OpId;
}

/** Fills an index whose size is known beforehand. Ops come in the order of their ids. */
export class IndexEncoder {
  readonly #words: Uint32Array;
  readonly #size: IndexSize;
  #dropped = 0;
  #visible = 0;
  #hidden = 0;
  #visibleSum = 0;
  #droppedSum = 0;
  #hiddenSum = 0;
  #end = 0;
  #lastDelta = 0;
  #startsWithClear = false;

  constructor(size: IndexSize) {
    this.#size = size;
    this.#words = new Uint32Array(indexWords(size.dropped, size.visible));
  }

  drop(delta: number, checksum: number): void {
    const at = HEADER_WORDS + this.#dropped;
    this.#words[at] = delta;
    this.#words[at + this.#size.dropped] = checksum;
    this.#droppedSum += checksum;
    if (delta > this.#lastDelta) this.#lastDelta = delta;
    this.#dropped += 1;
  }

  /** `elementBytes` is the size of the op's element, which follows the one before. */
  keep(
    delta: number,
    checksum: number,
    elementBytes: number,
    kind: VisibleKind,
    hidden: boolean,
  ): void {
    const { dropped, visible } = this.#size;
    const at = HEADER_WORDS + 2 * dropped + this.#visible;
    this.#end += elementBytes;
    this.#words[at] = delta;
    this.#words[at + visible] = checksum;
    this.#words[at + 2 * visible] = packEnd(this.#end, kind, hidden);
    this.#visibleSum += checksum;
    if (delta > this.#lastDelta) this.#lastDelta = delta;
    if (hidden) {
      this.#hidden += 1;
      this.#hiddenSum += checksum;
    }
    if (kind === KIND_CLEAR && delta === 0) this.#startsWithClear = true;
    this.#visible += 1;
  }

  finish(payload: Uint8Array): SegmentData {
    const { dropped, visible, firstOpId, requiresCheckpoint } = this.#size;
    assert(this.#dropped === dropped && this.#visible === visible, 'an index is filled');
    assert(this.#end === payload.length, 'an index fits its payload');
    assert(this.#end < MAX_PAYLOAD_BYTES, 'a segment is small');
    const words = this.#words;
    words[0] = MAGIC;
    words[1] = visible;
    words[2] = dropped;
    words[3] = this.#hidden;
    words[4] = this.#end;
    words[5] = Number(firstOpId & 0xffffffffn);
    words[6] = Number(firstOpId >> 32n);
    words[7] = Number(requiresCheckpoint & 0xffffffffn);
    words[8] = Number(requiresCheckpoint >> 32n);
    words[9] = this.#visibleSum >>> 0;
    words[10] = this.#droppedSum >>> 0;
    words[11] = this.#hiddenSum >>> 0;
    words[12] = this.#startsWithClear ? 1 : 0;
    const index = new Uint8Array(words.buffer);
    return { index, payload, summary: this.#summary() };
  }

  /** What `SegmentIndex.summary` would read from the index. */
  #summary(): SegmentSummary {
    const { dropped, visible, firstOpId, requiresCheckpoint } = this.#size;
    const folded = dropped + this.#hidden;
    return {
      firstOpId,
      lastOpId: firstOpId + BigInt(this.#lastDelta),
      opCount: visible + dropped,
      visibleCount: visible,
      freshCount: visible - this.#hidden + (folded > 0 ? 1 : 0),
      checksum: (this.#visibleSum + this.#droppedSum) >>> 0,
      requiresCheckpoint,
      startsWithClear: this.#startsWithClear,
    };
  }
}

/** Whether ops this far apart can share a segment. */
export function fitsOneSegment(firstOpId: OpId, lastOpId: OpId): boolean {
  return lastOpId - firstOpId < BigInt(MAX_DELTA);
}
