import type { CheckpointBucket } from '@sluice/protocol';

/** Operations of a bucket that were there at the last full checkpoint, and came since. */
export interface BucketCount {
  readonly atLast: number;
  readonly sinceLast: number;
}

export interface ProgressFigures {
  /** Operations, not rows. */
  readonly totalOperations: number;
  readonly downloadedOperations: number;
  /** 0 to 1; 1 where there is nothing to download. */
  readonly downloadedFraction: number;
}

interface Counted {
  readonly bucket: CheckpointBucket;
  readonly total: number;
  downloaded: number;
}

/** How much of a checkpoint is downloaded (spec/protocol.md 8.7). */
export class ProgressCounter {
  readonly #counted: ReadonlyMap<string, Counted>;
  /** The service has fewer operations than were counted, so that counting begins anew: the stored counts are void. */
  readonly isReset: boolean;

  constructor(buckets: Iterable<CheckpointBucket>, counts: ReadonlyMap<string, BucketCount>) {
    const all = [...buckets];
    this.isReset = all.some(({ bucket, count }) => {
      const { atLast, sinceLast } = counts.get(bucket) ?? NONE;
      return atLast + sinceLast > count;
    });
    this.#counted = new Map(
      all.map((bucket) => {
        const { atLast, sinceLast } =
          (this.isReset ? undefined : counts.get(bucket.bucket)) ?? NONE;
        return [bucket.bucket, { bucket, total: bucket.count - atLast, downloaded: sinceLast }];
      }),
    );
  }

  add(bucket: string, operations: number): void {
    const counted = this.#counted.get(bucket);
    if (counted !== undefined) counted.downloaded += operations;
  }

  /** Of some buckets. */
  figures(buckets: Iterable<string>): ProgressFigures {
    let total = 0;
    let downloaded = 0;
    for (const name of buckets) {
      const counted = this.#counted.get(name);
      if (counted === undefined) continue;
      total += counted.total;
      downloaded += Math.min(counted.total, counted.downloaded);
    }
    return figuresOf(total, downloaded);
  }

  /** By priority, most urgent first. */
  byPriority(): readonly (ProgressFigures & { readonly priority: number })[] {
    const byPriority = new Map<number, string[]>();
    for (const { bucket } of this.#counted.values()) {
      const names = byPriority.get(bucket.priority) ?? [];
      byPriority.set(bucket.priority, names);
      names.push(bucket.bucket);
    }
    return [...byPriority]
      .toSorted(([a], [b]) => a - b)
      .map(([priority, names]) => ({ priority, ...this.figures(names) }));
  }
}

const NONE: BucketCount = { atLast: 0, sinceLast: 0 };

export function figuresOf(total: number, downloaded: number): ProgressFigures {
  return {
    totalOperations: total,
    downloadedOperations: downloaded,
    downloadedFraction: total === 0 ? 1 : downloaded / total,
  };
}
