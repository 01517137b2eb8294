import type { CheckpointBucket, CheckpointDiffLine, CheckpointLine } from '@sluice/protocol';
import type { PublishScope } from '../sync-store.ts';
import type { Checkpoint } from './state.ts';

export function fromLine(line: CheckpointLine): Checkpoint {
  return {
    lastOpId: line.lastOpId,
    writeCheckpoint: line.writeCheckpoint,
    buckets: new Map(line.buckets.map((bucket) => [bucket.bucket, bucket])),
  };
}

/** The write checkpoint is the line's, also when it has none (spec/protocol.md 8.3). */
export function patched(before: Checkpoint, line: CheckpointDiffLine): Checkpoint {
  const buckets = new Map(before.buckets);
  for (const name of line.removedBuckets) buckets.delete(name);
  for (const bucket of line.updatedBuckets) buckets.set(bucket.bucket, bucket);
  return { lastOpId: line.lastOpId, writeCheckpoint: line.writeCheckpoint, buckets };
}

export function fullScope(checkpoint: Checkpoint): PublishScope {
  const { lastOpId, writeCheckpoint } = checkpoint;
  return { kind: 'full', lastOpId, writeCheckpoint, buckets: [...checkpoint.buckets.values()] };
}

export function partialScope(checkpoint: Checkpoint, priority: number): PublishScope {
  const concerned = (bucket: CheckpointBucket) => bucket.priority <= priority;
  const buckets = [...checkpoint.buckets.values()].filter(concerned);
  return { kind: 'partial', priority, lastOpId: checkpoint.lastOpId, buckets };
}
