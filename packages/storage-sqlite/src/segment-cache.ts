import { StorageError } from '@sluice/base';
import { Segment } from '@sluice/storage';
import { LRUCache } from 'lru-cache';
import type { Database } from './database.ts';

/** What an entry takes besides its bytes. */
const ENTRY_BYTES = 1000;

interface SegmentBytes {
  readonly last_op: number;
  readonly epoch: number;
  readonly op_index: Buffer;
  readonly payload: Buffer;
}

/**
 * Segments ready to serve, bounded by bytes. The epoch in the key tells a segment from the one
 * that compaction put in its place, so nothing ever has to be dropped from the cache.
 */
export class SegmentCache {
  readonly #cache: LRUCache<string, Segment>;
  readonly #range;

  constructor(db: Database, maxBytes: number) {
    this.#cache = new LRUCache({
      maxSize: maxBytes,
      // A whole slice shares the payload; a partial or fresh one may copy it once more.
      sizeCalculation: (segment) =>
        ENTRY_BYTES + segment.index.bytes.length + segment.payload.length,
    });
    this.#range = db.prepare<[number, number, number], SegmentBytes>(
      `SELECT last_op, epoch, op_index, payload FROM segments
       WHERE bucket_id = ? AND last_op >= ? AND last_op <= ? ORDER BY last_op`,
    );
  }

  has(bucketId: number, lastOp: number, epoch: number): boolean {
    return this.#cache.has(keyOf(bucketId, lastOp, epoch));
  }

  /** @throws StorageError `STORAGE_CORRUPT` when there is no such segment. */
  get(bucketId: number, lastOp: number, epoch: number): Segment {
    const known = this.#cache.get(keyOf(bucketId, lastOp, epoch));
    if (known) return known;
    const [segment] = this.load(bucketId, lastOp, lastOp);
    if (segment) return segment;
    throw new StorageError('STORAGE_CORRUPT', `Segment ${lastOp} of bucket ${bucketId} is missing`);
  }

  /** Reads neighbours at once, which costs much less than one by one. Both ends inclusive. */
  load(bucketId: number, firstLastOp: number, lastLastOp: number): readonly Segment[] {
    return this.#range.all(bucketId, firstLastOp, lastLastOp).map((row) => {
      const segment = new Segment(row.op_index, row.payload);
      this.#cache.set(keyOf(bucketId, row.last_op, row.epoch), segment);
      return segment;
    });
  }
}

function keyOf(bucketId: number, lastOp: number, epoch: number): string {
  return `${bucketId}/${lastOp}/${epoch}`;
}
