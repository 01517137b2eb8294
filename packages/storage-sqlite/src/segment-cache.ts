import { StorageError } from '@sluice/base';
import { Segment } from '@sluice/storage';
import { LRUCache } from 'lru-cache';
import { CacheUse } from './cache-use.ts';
import type { Database } from './database.ts';

/** What an entry takes besides its bytes. */
const ENTRY_BYTES = 1000;

interface SegmentBytes {
  readonly first_op: number;
  readonly last_op: number;
  readonly epoch: number;
  readonly op_index: Buffer;
  readonly payload: Buffer;
}

/** Which segment is meant, and in which version. */
export interface SegmentKey {
  readonly first_op: number;
  readonly last_op: number;
  readonly epoch: number;
}

/**
 * Segments ready to serve, bounded by bytes. Ends and epoch tell a segment from the one that
 * compaction put in its place, so nothing ever has to be dropped from the cache.
 */
export class SegmentCache {
  readonly #cache: LRUCache<string, Segment>;
  readonly #range;
  readonly use = new CacheUse();

  constructor(db: Database, maxBytes: number) {
    this.#cache = new LRUCache({
      maxSize: maxBytes,
      // A whole slice shares the payload; a partial or fresh one may copy it once more.
      sizeCalculation: (segment) =>
        ENTRY_BYTES + segment.index.bytes.length + segment.payload.length,
    });
    this.#range = db.prepare<[number, number, number], SegmentBytes>(
      `SELECT first_op, last_op, epoch, op_index, payload FROM segments INDEXED BY segments_bucket
       WHERE bucket_id = ? AND last_op >= ? AND last_op <= ? ORDER BY last_op`,
    );
  }

  /** What it holds, with the indexes. */
  get bytes(): number {
    return this.#cache.calculatedSize;
  }

  has(bucketId: number, key: SegmentKey): boolean {
    return this.#cache.has(cacheKey(bucketId, key));
  }

  /** @throws StorageError `STORAGE_CORRUPT` when there is no such segment. */
  get(bucketId: number, key: SegmentKey): Segment {
    const known = this.#cache.get(cacheKey(bucketId, key));
    if (known) {
      this.use.hits += 1;
      return known;
    }
    const [segment] = this.load(bucketId, key.last_op, key.last_op);
    if (segment) return segment;
    const place = `segment ${key.last_op} of bucket ${bucketId}`;
    throw new StorageError('STORAGE_CORRUPT', `Bucket storage: ${place} is missing`);
  }

  /** Reads neighbours at once, which costs much less than one by one. Both ends inclusive. */
  load(bucketId: number, firstLastOp: number, lastLastOp: number): readonly Segment[] {
    return this.#range.all(bucketId, firstLastOp, lastLastOp).map((row) => {
      this.use.misses += 1;
      const segment = new Segment(row.op_index, row.payload);
      this.#cache.set(cacheKey(bucketId, row), segment);
      return segment;
    });
  }
}

function cacheKey(bucketId: number, { first_op, last_op, epoch }: SegmentKey): string {
  return `${bucketId}/${first_op}/${last_op}/${epoch}`;
}
