import type { SegmentData } from '@sluice/storage';
import type { Database } from './database.ts';

export interface SegmentPlace {
  readonly bucketId: number;
  /** The bucket's epoch at which it was written; tells it from a predecessor in the same place. */
  readonly epoch: number;
  /** How many ops of the bucket the segment's ops have made superfluous. */
  readonly supersededCount: number;
}

/** Writes segments to their table. */
export class SegmentRows {
  readonly #insert;
  readonly #deleteRange;

  constructor(db: Database) {
    this.#insert = db.prepare<unknown[]>(
      `INSERT INTO segments (bucket_id, last_op, first_op, op_count, visible_count, fresh_count,
         checksum, requires_checkpoint, superseded_count, payload_bytes, epoch, op_index, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#deleteRange = db.prepare<[number, number, number]>(
      'DELETE FROM segments INDEXED BY segments_bucket WHERE bucket_id = ? AND last_op >= ? AND last_op <= ?',
    );
  }

  insert(place: SegmentPlace, { summary, index, payload }: SegmentData): void {
    this.#insert.run(
      place.bucketId,
      summary.lastOpId,
      summary.firstOpId,
      summary.opCount,
      summary.visibleCount,
      summary.freshCount,
      summary.checksum,
      summary.requiresCheckpoint,
      place.supersededCount,
      payload.length,
      place.epoch,
      index,
      payload,
    );
  }

  /** Both ends inclusive. */
  deleteRange(bucketId: number, firstLastOp: number, lastLastOp: number): number {
    return this.#deleteRange.run(bucketId, firstLastOp, lastLastOp).changes;
  }
}
