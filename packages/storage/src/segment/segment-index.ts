import { StorageError } from '@sluice/base';
import type { OpId } from '@sluice/model';

/**
 * The binary index in front of a segment: a run of consecutive operations of one bucket.
 *
 * A *dropped* op (superseded, see compaction) keeps only its op id and checksum. A *visible* op
 * has its BSON element in the payload, in op order, without gaps. All words are u32 little endian:
 *
 *     0 magic "SLG1"      5,6 lowest op id (low, high)          12 flags: 1 = begins with a CLEAR
 *     1 visible ops       7,8 requiresCheckpoint (low, high)    13..15 zero
 *     2 dropped ops       9   sum of visible checksums
 *     3 hidden ops        10  sum of dropped checksums
 *     4 payload bytes     11  sum of hidden checksums
 *     then  dropped: op id deltas[] checksums[]
 *           visible: op id deltas[] checksums[] ends[]
 *
 * Deltas count from the lowest op id. `ends` holds where the element ends in the payload (29 bits),
 * the kind (2 bits) and whether the op is *hidden* (top bit): a REMOVE whose PUTs are all dropped,
 * which a client that downloads from nothing need not see.
 */
export const HEADER_WORDS = 16;
export const MAGIC = 0x31474c53;
/** Exclusive: a segment spans fewer op ids and holds fewer payload bytes than these. */
export const MAX_DELTA = 2 ** 32;
export const MAX_PAYLOAD_BYTES = 2 ** 29;

export const KIND_PUT = 0;
export const KIND_REMOVE = 1;
export const KIND_CLEAR = 2;
export type VisibleKind = typeof KIND_PUT | typeof KIND_REMOVE | typeof KIND_CLEAR;

const END_MASK = 0x1fffffff;
const KIND_SHIFT = 29;
const HIDDEN_BIT = 0x80000000;

export function packEnd(end: number, kind: VisibleKind, hidden: boolean): number {
  return (end | (kind << KIND_SHIFT) | (hidden ? HIDDEN_BIT : 0)) >>> 0;
}

/** What storage keeps beside a segment, so that sums need not read the index. */
export interface SegmentSummary {
  /** Lowest and highest op id, dropped ones included. */
  readonly firstOpId: OpId;
  readonly lastOpId: OpId;
  /** Ops including dropped ones. */
  readonly opCount: number;
  readonly visibleCount: number;
  /** Ops that a client receives which downloads the whole segment from nothing. */
  readonly freshCount: number;
  /** Sum of all checksums, as unsigned 32 bit. */
  readonly checksum: number;
  /** A checkpoint below this one must not be completed with ops of this segment; 0n for any. */
  readonly requiresCheckpoint: OpId;
  /** Whether it begins with a CLEAR, which also stands for everything before. */
  readonly startsWithClear: boolean;
}

/** Sums over the operations up to some op id. */
export interface SegmentSums {
  readonly checksum: number;
  /** About how many ops a client that starts now receives. */
  readonly freshCount: number;
  /** The last op up to there; 0n when there is none. */
  readonly lastOpId: OpId;
}

/** Typed views on an index. Reading it allocates nothing per op. */
export class SegmentIndex {
  readonly bytes: Uint8Array;
  readonly visibleCount: number;
  readonly droppedCount: number;
  readonly hiddenCount: number;
  readonly payloadBytes: number;
  readonly firstOpId: OpId;
  readonly lastOpId: OpId;
  readonly requiresCheckpoint: OpId;
  readonly visibleSum: number;
  readonly droppedSum: number;
  readonly hiddenSum: number;
  readonly startsWithClear: boolean;
  readonly droppedDeltas: Uint32Array;
  readonly droppedChecksums: Uint32Array;
  readonly deltas: Uint32Array;
  readonly checksums: Uint32Array;
  /** Packed; see `endOf`, `kindOf`, `isHidden`. */
  readonly ends: Uint32Array;

  /** @throws StorageError `STORAGE_CORRUPT` when the bytes cannot be an index. */
  constructor(bytes: Uint8Array) {
    const words = wordsOf(bytes);
    if (words.length < HEADER_WORDS || words[0] !== MAGIC) throw corrupt('it has no header');
    this.bytes = bytes;
    this.visibleCount = word(words, 1);
    this.droppedCount = word(words, 2);
    this.hiddenCount = word(words, 3);
    this.payloadBytes = word(words, 4);
    this.firstOpId = joinWords(word(words, 5), word(words, 6));
    this.requiresCheckpoint = joinWords(word(words, 7), word(words, 8));
    this.visibleSum = word(words, 9);
    this.droppedSum = word(words, 10);
    this.hiddenSum = word(words, 11);
    this.startsWithClear = (word(words, 12) & 1) === 1;
    const [dropped, visible] = [this.droppedCount, this.visibleCount];
    if (words.length !== indexWords(dropped, visible)) throw corrupt('its length is wrong');
    let at = HEADER_WORDS;
    const column = (length: number) => words.subarray(at, (at += length));
    this.droppedDeltas = column(dropped);
    this.droppedChecksums = column(dropped);
    this.deltas = column(visible);
    this.checksums = column(visible);
    this.ends = column(visible);
    const last = Math.max(lastOf(this.droppedDeltas), lastOf(this.deltas));
    this.lastOpId = this.firstOpId + BigInt(last);
  }

  get opCount(): number {
    return this.visibleCount + this.droppedCount;
  }

  get checksum(): number {
    return (this.visibleSum + this.droppedSum) >>> 0;
  }

  /** Where the element of visible op `index` ends; 0 for -1. */
  endOf(index: number): number {
    return index < 0 ? 0 : word(this.ends, index) & END_MASK;
  }

  kindOf(index: number): VisibleKind {
    return ((word(this.ends, index) >>> KIND_SHIFT) & 3) as VisibleKind;
  }

  isHidden(index: number): boolean {
    return word(this.ends, index) >= HIDDEN_BIT;
  }

  opIdOf(delta: number): OpId {
    return this.firstOpId + BigInt(delta);
  }

  /** The delta of an op id, limited to -1 (before all) and `MAX_DELTA` (after all). */
  deltaOf(opId: OpId): number {
    if (opId < this.firstOpId) return -1;
    const delta = opId - this.firstOpId;
    return delta >= MAX_DELTA ? MAX_DELTA : Number(delta);
  }

  summary(): SegmentSummary {
    const folded = this.droppedCount + this.hiddenCount;
    return {
      firstOpId: this.firstOpId,
      lastOpId: this.lastOpId,
      opCount: this.opCount,
      visibleCount: this.visibleCount,
      freshCount: this.visibleCount - this.hiddenCount + (folded > 0 ? 1 : 0),
      checksum: this.checksum,
      requiresCheckpoint: this.requiresCheckpoint,
      startsWithClear: this.startsWithClear,
    };
  }

  /** Sums over the operations up to `opId` (inclusive). */
  sumsUpTo(opId: OpId): SegmentSums {
    const limit = this.deltaOf(opId);
    const visible = countUpTo(this.deltas, limit);
    const dropped = countUpTo(this.droppedDeltas, limit);
    let hidden = 0;
    for (let index = 0; index < visible; index++) if (this.isHidden(index)) hidden += 1;
    const checksum =
      sumRange(this.checksums, 0, visible) + sumRange(this.droppedChecksums, 0, dropped);
    const last = Math.max(
      visible === 0 ? -1 : word(this.deltas, visible - 1),
      dropped === 0 ? -1 : word(this.droppedDeltas, dropped - 1),
    );
    return {
      checksum: checksum >>> 0,
      freshCount: visible - hidden + (dropped + hidden > 0 ? 1 : 0),
      lastOpId: last < 0 ? 0n : this.opIdOf(last),
    };
  }

  /**
   * Checks everything that reading relies on: order of op ids, of offsets, and all sums.
   * @throws StorageError `STORAGE_CORRUPT`
   */
  validate(): this {
    const { deltas, droppedDeltas, checksums } = this;
    if (this.opCount === 0) throw corrupt('it is empty');
    if (!rises(deltas) || !rises(droppedDeltas)) throw corrupt('its op ids do not rise');
    const first = Math.min(deltas[0] ?? Infinity, droppedDeltas[0] ?? Infinity);
    if (first !== 0) throw corrupt('its first op is not the lowest');
    let end = 0;
    let hidden = 0;
    let hiddenSum = 0;
    for (let index = 0; index < this.visibleCount; index++) {
      if (this.endOf(index) <= end) throw corrupt('its offsets do not rise');
      end = this.endOf(index);
      if (!this.isHidden(index)) continue;
      hidden += 1;
      hiddenSum += word(checksums, index);
    }
    if (end !== this.payloadBytes) throw corrupt('its offsets do not fit the payload');
    if (hidden !== this.hiddenCount) throw corrupt('its count of hidden ops is wrong');
    const right =
      hiddenSum >>> 0 === this.hiddenSum &&
      sumRange(checksums, 0, this.visibleCount) >>> 0 === this.visibleSum &&
      sumRange(this.droppedChecksums, 0, this.droppedCount) >>> 0 === this.droppedSum;
    if (!right) throw corrupt('its checksums do not add up');
    return this;
  }
}

/** Length of an index in words. */
export function indexWords(dropped: number, visible: number): number {
  return HEADER_WORDS + 2 * dropped + 3 * visible;
}

/** How many of the rising `deltas` are at most `limit`. */
export function countUpTo(deltas: Uint32Array, limit: number): number {
  let low = 0;
  let high = deltas.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (word(deltas, middle) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Exact for up to 2^21 words. */
export function sumRange(words: Uint32Array, from: number, to: number): number {
  let sum = 0;
  for (let index = from; index < to; index++) sum += word(words, index);
  return sum;
}

/** Element of an array that is known to be that long. */
export function word(words: Uint32Array, index: number): number {
  return words[index] as number;
}

export function corrupt(what: string, cause?: unknown): StorageError {
  return new StorageError('STORAGE_CORRUPT', `A segment cannot be read: ${what}`, { cause });
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteLength % 4 !== 0) throw corrupt('its length is wrong');
  // Typed views need alignment, which a slice of a database page does not promise.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

function joinWords(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

function lastOf(deltas: Uint32Array): number {
  return deltas.length === 0 ? 0 : word(deltas, deltas.length - 1);
}

function rises(deltas: Uint32Array): boolean {
  for (let index = 1; index < deltas.length; index++) {
    if (word(deltas, index) <= word(deltas, index - 1)) return false;
  }
  return true;
}
