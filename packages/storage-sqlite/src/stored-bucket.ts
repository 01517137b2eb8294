import type { Statement } from 'better-sqlite3';
import type { OpId } from '@sluice/model';
import { Segment, type BucketSegments, type Rewrite } from '@sluice/storage';
import type { Database } from './database.ts';
import { SegmentRows } from './segment-rows.ts';

interface SegmentBytes {
  readonly op_index: Buffer;
  readonly payload: Buffer;
}

interface BucketRow {
  readonly epoch: number;
  readonly hidden_up_to: number;
}

/** Statements that compaction needs, the same for all buckets. */
export class BucketStatements {
  readonly rows: SegmentRows;
  readonly newestBelow: Statement<[number, OpId], SegmentBytes>;
  readonly oldestAbove: Statement<[number, OpId, OpId], SegmentBytes>;
  readonly lastOpOf: Statement<[number, OpId, OpId], number>;
  readonly state: Statement<[number], BucketRow>;
  readonly setEpoch: Statement<[number, number]>;
  readonly setHidden: Statement<[OpId, number]>;

  constructor(db: Database) {
    this.rows = new SegmentRows(db);
    // Segments of a bucket do not overlap, so the order of last ops is that of first ops.
    this.newestBelow = db.prepare<[number, OpId], SegmentBytes>(
      `SELECT op_index, payload FROM segments INDEXED BY segments_bucket WHERE bucket_id = ? AND last_op < ?
       ORDER BY last_op DESC LIMIT 1`,
    );
    this.oldestAbove = db.prepare<[number, OpId, OpId], SegmentBytes>(
      `SELECT op_index, payload FROM segments INDEXED BY segments_bucket WHERE bucket_id = ? AND last_op > ? AND first_op > ?
       ORDER BY last_op LIMIT 1`,
    );
    this.lastOpOf = db
      .prepare<[number, OpId, OpId], number>(
        `SELECT last_op FROM segments INDEXED BY segments_bucket WHERE bucket_id = ? AND last_op >= ? AND first_op <= ?
         ORDER BY last_op LIMIT 1`,
      )
      .pluck();
    this.state = db.prepare<[number], BucketRow>(
      'SELECT epoch, hidden_up_to FROM buckets WHERE id = ?',
    );
    this.setEpoch = db.prepare<[number, number]>(
      'UPDATE buckets SET epoch = ?, hidden_up_to = 0 WHERE id = ?',
    );
    this.setHidden = db.prepare<[OpId, number]>('UPDATE buckets SET hidden_up_to = ? WHERE id = ?');
  }
}

/** One bucket as compaction sees it. All calls happen in the compactor's transactions. */
export class StoredBucket implements BucketSegments {
  readonly id: number;
  readonly hiddenUpTo: OpId;
  readonly #statements: BucketStatements;
  #epoch: number;

  private constructor(statements: BucketStatements, id: number, state: BucketRow) {
    this.id = id;
    this.hiddenUpTo = BigInt(state.hidden_up_to);
    this.#statements = statements;
    this.#epoch = state.epoch;
  }

  /** Undefined for a bucket that is gone. */
  static open(statements: BucketStatements, id: number): StoredBucket | undefined {
    const state = statements.state.get(id);
    return state && new StoredBucket(statements, id, state);
  }

  /** A segment that begins below but ends above is left out; compaction would not touch it. */
  newestBelow(opId: OpId): Segment | undefined {
    return toSegment(this.#statements.newestBelow.get(this.id, opId));
  }

  oldestAbove(opId: OpId): Segment | undefined {
    return toSegment(this.#statements.oldestAbove.get(this.id, opId, opId));
  }

  rewrite(change: Rewrite): void {
    const { rows, lastOpOf, setEpoch } = this.#statements;
    const lastOp = lastOpOf.get(this.id, change.toOpId, change.toOpId) ?? Number(change.toOpId);
    rows.deleteRange(this.id, Number(change.fromOpId), lastOp);
    if (change.changesOps) setEpoch.run(++this.#epoch, this.id);
    const place = { bucketId: this.id, epoch: this.#epoch, supersededCount: 0 };
    for (const segment of change.segments) rows.insert(place, segment);
  }

  complete(hiddenUpTo: OpId): void {
    this.#statements.setHidden.run(hiddenUpTo, this.id);
  }
}

function toSegment(row: SegmentBytes | undefined): Segment | undefined {
  return row && new Segment(row.op_index, row.payload);
}
