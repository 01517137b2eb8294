import type { OpId } from '@sluice/model';
import type { Segment } from '../segment/segment.ts';
import { LeadingRun } from './leading-run.ts';
import { MergeQueue } from './merge-queue.ts';
import type { Rewrite } from './rewrite.ts';
import { SupersededOps } from './superseded-ops.ts';

/** One bucket of a store, as compaction sees it. */
export interface BucketSegments {
  /** The newest segment with a first op id below `opId`. */
  newestBelow(opId: OpId): Segment | undefined;
  /** The oldest segment with a first op id above `opId`. */
  oldestAbove(opId: OpId): Segment | undefined;
  /** Makes the change atomically; with `changesOps`, epoch + 1 and `hiddenUpTo` = 0n. */
  rewrite(change: Rewrite): void;
  /** The pass is complete: `hiddenUpTo` becomes this. */
  complete(hiddenUpTo: OpId): void;
}

export interface CompactBucketOptions {
  /** The active checkpoint; later ops are not touched. */
  readonly upTo: OpId;
  /** The bucket's stored `hiddenUpTo`. */
  readonly hiddenUpTo: OpId;
  readonly maxIdentities?: number | undefined;
}

/** What has been done so far in this pass. */
export interface CompactionProgress {
  readonly segmentsRead: number;
  readonly segmentsWritten: number;
  readonly opsDropped: number;
}

/**
 * Compacts one bucket in bounded steps: drops superseded ops, merges small neighbours, then turns
 * a leading run without PUTs into a CLEAR. Yields after each segment, so that the caller can
 * commit, let others work and go on. What was rewritten is consistent at every yield; a pass that
 * is given up only has to be begun anew.
 *
 * The bucket may grow between the steps; nothing else may rewrite it.
 */
export function* compactBucket(
  bucket: BucketSegments,
  options: CompactBucketOptions,
): Generator<CompactionProgress, CompactionProgress> {
  const counts = { segmentsRead: 0, segmentsWritten: 0, opsDropped: 0 };
  const apply = (change: Rewrite | undefined) => {
    if (change === undefined) return;
    bucket.rewrite(change);
    counts.segmentsWritten += change.segments.length;
  };
  for (const change of dropAndMerge(bucket, options, counts)) {
    apply(change);
    yield { ...counts };
  }
  const run = new LeadingRun();
  let position = -1n;
  for (;;) {
    const segment = bucket.oldestAbove(position);
    if (segment === undefined || segment.index.lastOpId > options.upTo) break;
    counts.segmentsRead += 1;
    if (!run.add(segment)) break;
    position = segment.index.firstOpId;
    yield { ...counts };
  }
  apply(run.finish());
  bucket.complete(options.upTo);
  return counts;
}

function* dropAndMerge(
  bucket: BucketSegments,
  options: CompactBucketOptions,
  counts: { segmentsRead: number; opsDropped: number },
): Generator<Rewrite | undefined> {
  const superseded = new SupersededOps(options);
  const queue = new MergeQueue();
  let below = options.upTo + 1n;
  for (;;) {
    const segment = bucket.newestBelow(below);
    if (segment === undefined) break;
    below = segment.index.firstOpId;
    // A segment across the checkpoint waits for a later pass.
    if (segment.index.lastOpId > options.upTo) continue;
    counts.segmentsRead += 1;
    const change = queue.push(segment, superseded.next(segment));
    counts.opsDropped = superseded.dropped;
    yield change;
  }
  yield queue.flush();
}
