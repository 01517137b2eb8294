import type { OpId } from '@sluice/model';
import { opIdentity } from '@sluice/protocol';
import type { SegmentData } from '../segment/encode-index.ts';
import type { Segment } from '../segment/segment.ts';
import { corrupt, KIND_CLEAR, KIND_REMOVE, word } from '../segment/segment-index.ts';
import { DROP, HIDE, rewriteSegment } from './rewrite.ts';

/** Identities remembered by default: about 100 bytes each. */
const DEFAULT_MAX_IDENTITIES = 500_000;

export interface SupersededOptions {
  /** How far the last complete pass over the bucket reached; marks above it are not trusted. */
  readonly hiddenUpTo: OpId;
  /** More rows than this are simply not compacted. */
  readonly maxIdentities?: number | undefined;
}

/**
 * Goes through the segments of one bucket from the newest to the oldest and drops every op that a
 * later one of the same row supersedes (spec/protocol.md 4.5.4, design D2).
 *
 * A surviving REMOVE is marked hidden: all older ops of its row are dropped by the end of the
 * pass, so a client that starts from nothing need not hear of it. The mark counts only once the
 * pass is complete, because until then the row's PUT may still be further down.
 */
export class SupersededOps {
  readonly #hiddenUpTo: OpId;
  readonly #maxIdentities: number;
  /** Newest op id by identity. */
  readonly #newest = new Map<string, OpId>();
  #dropped = 0;

  constructor(options: SupersededOptions) {
    this.#hiddenUpTo = options.hiddenUpTo;
    this.#maxIdentities = options.maxIdentities ?? DEFAULT_MAX_IDENTITIES;
  }

  /** Ops dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** What becomes of the next older segment; undefined when it stays as it is. */
  next(segment: Segment): SegmentData | undefined {
    const { index } = segment;
    const payload = bufferOf(segment.payload);
    const fates = new Uint8Array(index.visibleCount);
    let requires = index.requiresCheckpoint;
    let changed = false;
    for (let at = index.visibleCount - 1; at >= 0; at--) {
      if (index.kindOf(at) === KIND_CLEAR) continue;
      const identity = identityAt(payload, index.endOf(at - 1));
      const newer = this.#newest.get(identity);
      if (newer !== undefined) {
        fates[at] = DROP;
        if (newer > requires) requires = newer;
        this.#dropped += 1;
        changed = true;
      } else if (this.#survives(segment, at, identity)) {
        fates[at] = HIDE;
        changed ||= !index.isHidden(at);
      } else {
        changed ||= index.isHidden(at);
      }
    }
    return changed ? rewriteSegment(segment, fates, requires) : undefined;
  }

  /** Remembers the newest op of a row; true when it is a REMOVE to be hidden. */
  #survives(segment: Segment, at: number, identity: string): boolean {
    const { index } = segment;
    const opId = index.opIdOf(word(index.deltas, at));
    const isRemembered = this.#newest.size < this.#maxIdentities;
    if (isRemembered) this.#newest.set(identity, opId);
    if (index.kindOf(at) !== KIND_REMOVE) return false;
    return isRemembered || (index.isHidden(at) && opId <= this.#hiddenUpTo);
  }
}

function identityAt(payload: Buffer, start: number): string {
  try {
    return opIdentity(payload, start);
  } catch (cause) {
    throw corrupt('an operation in its payload is damaged', cause);
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
