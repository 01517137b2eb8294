import type { OpId } from '@sluice/model';
import { corrupt, countUpTo, SegmentIndex, sumRange, word } from './segment-index.ts';

/** What to take of a segment. */
export interface SliceRequest {
  /** Exclusive. */
  readonly after: OpId;
  /** Inclusive. */
  readonly upTo: OpId;
  /** The slice ends at the first op that reaches this size; a single larger one comes alone. */
  readonly maxBytes: number;
  /**
   * Whether hidden REMOVEs up to this op id are left out; 0n for a client that holds something.
   * For a fresh one: how far the bucket's last *complete* compaction pass reached.
   */
  readonly hideUpTo: OpId;
}

/** A run of ops out of one segment. Slices of a whole segment are built once and shared. */
export interface SegmentSlice {
  /** Elements of the visible ops. */
  readonly runs: readonly Uint8Array[];
  readonly runBytes: number;
  readonly runOps: number;
  /** Sum of the ops that one MOVE stands for, its op id (0n for none), and which run it precedes. */
  readonly foldSum: number;
  readonly foldOpId: OpId;
  readonly foldBefore: number;
  /** The last op of the slice, visible or folded. */
  readonly lastOpId: OpId;
  /** Whether it stopped before `upTo` because of `maxBytes`. */
  readonly cut: boolean;
  readonly requiresCheckpoint: OpId;
}

interface Range {
  readonly visibleFrom: number;
  readonly visibleTo: number;
  readonly droppedFrom: number;
  readonly droppedTo: number;
  /** Hidden ops with an index below this one are folded. */
  readonly hideTo: number;
  readonly cut: boolean;
}

interface Memo {
  readonly range: Range;
  readonly slice: SegmentSlice;
}

/**
 * A segment in memory, ready to serve. Keeps the whole slice and the last partial one, because
 * many clients ask for the same; so it may hold up to three times its payload.
 */
export class Segment {
  readonly index: SegmentIndex;
  readonly payload: Uint8Array;
  #whole: Memo | undefined;
  #wholeFresh: Memo | undefined;
  #partial: Memo | undefined;

  /** @throws StorageError `STORAGE_CORRUPT` when index and payload cannot be right. */
  constructor(index: Uint8Array, payload: Uint8Array) {
    this.index = new SegmentIndex(index).validate();
    this.payload = payload;
    if (payload.length !== this.index.payloadBytes) throw corrupt('its payload has another size');
  }

  /** Undefined when no op of the segment is asked for. The same object for the same question. */
  slice(request: SliceRequest): SegmentSlice | undefined {
    const range = this.#range(request);
    if (range.visibleFrom === range.visibleTo && range.droppedFrom === range.droppedTo) {
      return undefined;
    }
    const memo = this.#memo(range);
    if (memo !== undefined && sameRange(memo.range, range)) return memo.slice;
    const slice = this.#build(range);
    this.#remember({ range, slice });
    return slice;
  }

  #range(request: SliceRequest): Range {
    const { index } = this;
    const after = index.deltaOf(request.after);
    const upTo = index.deltaOf(request.upTo);
    const visibleFrom = countUpTo(index.deltas, after);
    const asked = Math.max(visibleFrom, countUpTo(index.deltas, upTo));
    const visibleTo = this.#cut(visibleFrom, asked, request.maxBytes);
    const cut = visibleTo < asked;
    const droppedFrom = countUpTo(index.droppedDeltas, after);
    // After a cut, dropped ops up to the next visible one come along: they cost nothing.
    const dropLimit = cut ? word(index.deltas, visibleTo) : upTo;
    const droppedTo = Math.max(droppedFrom, countUpTo(index.droppedDeltas, dropLimit));
    const hideTo =
      index.hiddenCount === 0 || request.hideUpTo === 0n
        ? 0
        : countUpTo(index.deltas, index.deltaOf(request.hideUpTo));
    return { visibleFrom, visibleTo, droppedFrom, droppedTo, hideTo, cut };
  }

  /** Where to stop so that the slice reaches `maxBytes`; always takes at least one op. */
  #cut(from: number, to: number, maxBytes: number): number {
    const { index } = this;
    const start = index.endOf(from - 1);
    if (from === to || index.endOf(to - 1) - start <= maxBytes) return to;
    let low = from;
    let high = to - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (index.endOf(middle) - start >= maxBytes) high = middle;
      else low = middle + 1;
    }
    const isLargeAlone = index.endOf(low) - index.endOf(low - 1) > maxBytes;
    return isLargeAlone && low > from ? low : low + 1;
  }

  #memo(range: Range): Memo | undefined {
    if (!this.#isWhole(range)) return this.#partial;
    return range.hideTo > 0 ? this.#wholeFresh : this.#whole;
  }

  #remember(memo: Memo): void {
    if (!this.#isWhole(memo.range)) this.#partial = memo;
    else if (memo.range.hideTo > 0) this.#wholeFresh = memo;
    else this.#whole = memo;
  }

  #isWhole(range: Range): boolean {
    return (
      range.visibleTo - range.visibleFrom === this.index.visibleCount &&
      range.droppedTo - range.droppedFrom === this.index.droppedCount
    );
  }

  #build(range: Range): SegmentSlice {
    const { index } = this;
    const { visibleFrom, visibleTo, droppedFrom, droppedTo, cut } = range;
    const lastVisible = visibleTo > visibleFrom ? word(index.deltas, visibleTo - 1) : -1;
    const lastDropped = droppedTo > droppedFrom ? word(index.droppedDeltas, droppedTo - 1) : -1;
    const hidden = this.#hiddenIn(range);
    const foldDelta = Math.max(lastDropped, hidden.lastDelta);
    const moveAt = foldDelta < 0 ? visibleFrom : countUpTo(index.deltas, foldDelta);
    const before = this.#runs(visibleFrom, moveAt, range.hideTo, hidden.count);
    // Everything hidden comes before the MOVE, which has the op id of the last folded op.
    const behind = this.#runs(moveAt, visibleTo, 0, 0);
    const runs = [...before, ...behind];
    const hasClear = index.startsWithClear && visibleFrom === 0 && visibleTo > 0;
    return {
      runs,
      runBytes: runs.reduce((bytes, run) => bytes + run.length, 0),
      runOps: visibleTo - visibleFrom - hidden.count,
      foldSum: (sumRange(index.droppedChecksums, droppedFrom, droppedTo) + hidden.sum) >>> 0,
      foldOpId: foldDelta < 0 ? 0n : index.opIdOf(foldDelta),
      foldBefore: before.length,
      lastOpId: index.opIdOf(Math.max(lastVisible, lastDropped)),
      cut,
      requiresCheckpoint: foldDelta >= 0 || hasClear ? index.requiresCheckpoint : 0n,
    };
  }

  #hiddenIn(range: Range): { count: number; sum: number; lastDelta: number } {
    let count = 0;
    let sum = 0;
    let lastDelta = -1;
    const to = Math.min(range.visibleTo, range.hideTo);
    for (let at = range.visibleFrom; at < to; at++) {
      if (!this.index.isHidden(at)) continue;
      count += 1;
      sum += word(this.index.checksums, at);
      lastDelta = word(this.index.deltas, at);
    }
    return { count, sum, lastDelta };
  }

  /** The elements of a range: a view where nothing is left out, a copy in one piece otherwise. */
  #runs(from: number, to: number, hideTo: number, hiddenCount: number): Uint8Array[] {
    const { index, payload } = this;
    if (from >= to) return [];
    const [start, end] = [index.endOf(from - 1), index.endOf(to - 1)];
    if (hiddenCount === 0)
      return [start === 0 && end === payload.length ? payload : payload.subarray(start, end)];
    const copy = new Uint8Array(end - start);
    let length = 0;
    let runFrom = start;
    const flush = (runTo: number) => {
      if (runTo > runFrom) copy.set(payload.subarray(runFrom, runTo), length);
      length += runTo - runFrom;
    };
    for (let at = from; at < Math.min(to, hideTo); at++) {
      if (!index.isHidden(at)) continue;
      flush(index.endOf(at - 1));
      runFrom = index.endOf(at);
    }
    flush(end);
    return length === 0 ? [] : [copy.subarray(0, length)];
  }
}

function sameRange(a: Range, b: Range): boolean {
  return (
    a.visibleFrom === b.visibleFrom &&
    a.visibleTo === b.visibleTo &&
    a.droppedFrom === b.droppedFrom &&
    a.droppedTo === b.droppedTo &&
    a.hideTo === b.hideTo &&
    a.cut === b.cut
  );
}
