import type { OpId } from '@sluice/model';
import { encodeOpElement } from '@sluice/protocol';
import { IndexEncoder, type SegmentData } from '../segment/encode-index.ts';
import type { Segment } from '../segment/segment.ts';
import {
  countUpTo,
  KIND_CLEAR,
  KIND_PUT,
  type SegmentIndex,
  sumRange,
  word,
} from '../segment/segment-index.ts';
import type { Rewrite } from './rewrite.ts';

interface Boundary {
  readonly segment: Segment;
  readonly visible: number;
  readonly dropped: number;
}

/**
 * Goes through a bucket from the oldest segment on and turns everything before the first live PUT
 * into one CLEAR (spec/protocol.md 4.5.5). Run it after superseded ops were dropped.
 */
export class LeadingRun {
  #opCount = 0;
  #sum = 0;
  #lastOpId: OpId = 0n;
  #requires: OpId = 0n;
  /** The segment with the first live PUT, and how many of its ops come before. */
  #boundary: Boundary | undefined;
  #toOpId: OpId = 0n;

  /** Takes the next newer segment; false when the run ends in it. */
  add(segment: Segment): boolean {
    const { index } = segment;
    const firstPut = firstPutOf(index);
    const isWhole = firstPut === index.visibleCount;
    const limit = isWhole ? Infinity : word(index.deltas, firstPut) - 1;
    const dropped = isWhole ? index.droppedCount : countUpTo(index.droppedDeltas, limit);
    if (firstPut + dropped > 0) this.#take(index, firstPut, dropped);
    if (isWhole) return true;
    this.#boundary = { segment, visible: firstPut, dropped };
    return false;
  }

  /** The change to make; undefined when the run is not worth a CLEAR. */
  finish(): Rewrite | undefined {
    // One op is no shorter as a CLEAR.
    if (this.#opCount < 2) return undefined;
    const clear = { kind: 'CLEAR', opId: this.#lastOpId, checksum: this.#sum } as const;
    const element = encodeOpElement(clear);
    const rest = this.#boundary;
    const isTouched = rest !== undefined && rest.visible + rest.dropped > 0;
    const segment = this.#encode(element, isTouched ? rest : undefined);
    return { fromOpId: 0n, toOpId: this.#toOpId, segments: [segment], changesOps: true };
  }

  #take(index: SegmentIndex, visible: number, dropped: number): void {
    this.#opCount += visible + dropped;
    const sum =
      sumRange(index.checksums, 0, visible) + sumRange(index.droppedChecksums, 0, dropped);
    this.#sum = (this.#sum + sum) >>> 0;
    const last = Math.max(
      visible === 0 ? 0 : word(index.deltas, visible - 1),
      dropped === 0 ? 0 : word(index.droppedDeltas, dropped - 1),
    );
    this.#lastOpId = index.opIdOf(last);
    this.#toOpId = index.firstOpId;
    if (index.requiresCheckpoint > this.#requires) this.#requires = index.requiresCheckpoint;
  }

  #encode(element: Uint8Array, rest: Boundary | undefined): SegmentData {
    const index = rest?.segment.index;
    const encoder = new IndexEncoder({
      dropped: (index?.droppedCount ?? 0) - (rest?.dropped ?? 0),
      visible: 1 + (index?.visibleCount ?? 0) - (rest?.visible ?? 0),
      firstOpId: this.#lastOpId,
      requiresCheckpoint: this.#requires,
    });
    encoder.keep(0, this.#sum, element.length, KIND_CLEAR, false);
    if (rest === undefined || index === undefined) return encoder.finish(element);
    // The CLEAR has the op id of the last op it replaces, which lies in this very segment.
    const shift = Number(this.#lastOpId - index.firstOpId);
    for (let at = rest.dropped; at < index.droppedCount; at++) {
      encoder.drop(word(index.droppedDeltas, at) - shift, word(index.droppedChecksums, at));
    }
    for (let at = rest.visible; at < index.visibleCount; at++) {
      const bytes = index.endOf(at) - index.endOf(at - 1);
      const delta = word(index.deltas, at) - shift;
      encoder.keep(delta, word(index.checksums, at), bytes, index.kindOf(at), index.isHidden(at));
    }
    const payload = rest.segment.payload.subarray(index.endOf(rest.visible - 1));
    return encoder.finish(Buffer.concat([element, payload]));
  }
}

function firstPutOf(index: SegmentIndex): number {
  let at = 0;
  while (at < index.visibleCount && index.kindOf(at) !== KIND_PUT) at += 1;
  return at;
}
