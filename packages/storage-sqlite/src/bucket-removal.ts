import type { Database } from './database.ts';
import type { NameBound } from './name-range.ts';

const BUCKETS_PER_STEP = 500;
const SEGMENTS_PER_STEP = 20;

export interface NamedBucket {
  readonly id: number;
  readonly name: string;
}

/**
 * Removes buckets in two stages: first they lose their names, many at a time, so that readers find
 * nothing instead of a part; then their segments go, in small steps. All calls happen in a
 * transaction of the caller, and go on where an earlier one stopped.
 */
export class BucketRemoval {
  readonly #generationId: number;
  readonly #unname;
  readonly #remember;
  readonly #next;
  readonly #deleteSegments;
  readonly #forget;

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#unname = db.prepare<[number, string, NameBound], NamedBucket>(
      `DELETE FROM buckets WHERE id IN (
         SELECT id FROM buckets WHERE generation_id = ? AND name >= ? AND name < ?
         LIMIT ${BUCKETS_PER_STEP})
       RETURNING id, name`,
    );
    this.#remember = db.prepare<[number, number]>(
      'INSERT INTO nameless_buckets (generation_id, bucket_id) VALUES (?, ?)',
    );
    this.#next = db
      .prepare<[number], number>(
        'SELECT bucket_id FROM nameless_buckets WHERE generation_id = ? LIMIT 1',
      )
      .pluck();
    this.#deleteSegments = db.prepare<[number, number]>(
      `DELETE FROM segments INDEXED BY segments_bucket WHERE bucket_id = ? AND last_op IN (
         SELECT last_op FROM segments INDEXED BY segments_bucket WHERE bucket_id = ?
         LIMIT ${SEGMENTS_PER_STEP})`,
    );
    this.#forget = db.prepare<[number, number]>(
      'DELETE FROM nameless_buckets WHERE generation_id = ? AND bucket_id = ?',
    );
  }

  /** Takes some buckets with names from `from` up to `to` (exclusive) out of their table. */
  unname(from: string, to: NameBound): readonly NamedBucket[] {
    const buckets = this.#unname.all(this.#generationId, from, to);
    for (const { id } of buckets) this.#remember.run(this.#generationId, id);
    return buckets;
  }

  /** Deletes some segments of buckets that have no name; whether there were any such buckets. */
  deleteSome(): boolean {
    const bucketId = this.#next.get(this.#generationId);
    if (bucketId === undefined) return false;
    const { changes } = this.#deleteSegments.run(bucketId, bucketId);
    if (changes < SEGMENTS_PER_STEP) this.#forget.run(this.#generationId, bucketId);
    return true;
  }
}
