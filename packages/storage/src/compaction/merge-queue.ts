import type { SegmentData } from '../segment/encode-index.ts';
import { canMerge, mergeSegments } from '../segment/merge-segments.ts';
import { Segment } from '../segment/segment.ts';
import type { Rewrite } from './rewrite.ts';

/** So small that joining it is always worth copying the other. */
const SMALL_BYTES = 4096;

/**
 * Takes the segments of a bucket from the newest to the oldest and joins small neighbours. A large
 * segment is not copied for the sake of a much smaller one, so that the cost of merging stays
 * logarithmic however often it is done.
 */
export class MergeQueue {
  /** Neighbours that will be one, oldest first. */
  #group: Segment[] = [];
  #groupBytes = 0;
  #changed = false;

  /** `replacement` is the segment's new content, if it has one. Returns a change that is ready. */
  push(original: Segment, replacement: SegmentData | undefined): Rewrite | undefined {
    const isChanged = replacement !== undefined;
    const segment = isChanged ? new Segment(replacement.index, replacement.payload) : original;
    const bytes = segment.payload.length + segment.index.bytes.length;
    const isWorthIt = isChanged || bytes <= 2 * this.#groupBytes + SMALL_BYTES;
    const joins = isWorthIt && canMerge([segment.index, ...this.#group.map((one) => one.index)]);
    const ready = joins ? undefined : this.flush();
    this.#group.unshift(segment);
    this.#groupBytes += bytes;
    this.#changed ||= isChanged;
    return ready;
  }

  /** The change for what is still waiting. */
  flush(): Rewrite | undefined {
    const group = this.#group;
    const changesOps = this.#changed;
    this.#group = [];
    this.#groupBytes = 0;
    this.#changed = false;
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    if (group.length === 1 && !changesOps) return undefined;
    return {
      fromOpId: first.index.firstOpId,
      toOpId: last.index.firstOpId,
      segments: [mergeSegments(group)],
      changesOps,
    };
  }
}
