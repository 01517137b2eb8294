import type { Database } from './database.ts';

/** Touched buckets remembered; with more of them the whole generation is gone through instead. */
const MAX_TOUCHED = 100_000;
const SCAN_BUCKETS = 100;
/** A segment below this counts as small. */
const SMALL_SEGMENT_BYTES = 64 * 1024;
/** What share of a bucket's ops must be superfluous, or of its segments small, to be worth a pass. */
const MIN_SUPERSEDED_SHARE = 1 / 8;
const MIN_SMALL_SHARE = 1 / 2;

interface BucketUse {
  readonly segments: number;
  readonly small_segments: number | null;
  readonly visible: number | null;
  readonly superseded: number | null;
}

/**
 * Finds buckets that gain from compaction: those written to since they were last looked at and,
 * once after a start, all others. A pass reads the whole bucket, so it has to be worth it; that
 * keeps the cost proportional to what was written.
 */
export class CompactionQueue {
  readonly #generationId: number;
  readonly #touched = new Set<number>();
  readonly #scan;
  readonly #use;
  readonly #hasLater;
  /** The scan goes on behind this bucket id; undefined when it is done. */
  #scanAfter: number | undefined = 0;

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#scan = db
      .prepare<[number, number], number>(
        `SELECT id FROM buckets WHERE generation_id = ? AND id > ? ORDER BY id
         LIMIT ${SCAN_BUCKETS}`,
      )
      .pluck();
    this.#use = db.prepare<[number, number], BucketUse>(
      `SELECT count(*) AS segments, sum(payload_bytes < ${SMALL_SEGMENT_BYTES}) AS small_segments,
         sum(visible_count) AS visible, sum(superseded_count) AS superseded
       FROM segments INDEXED BY segments_bucket WHERE bucket_id = ? AND last_op <= ?`,
    );
    this.#hasLater = db
      .prepare<[number, number]>(
        'SELECT 1 FROM segments INDEXED BY segments_bucket WHERE bucket_id = ? AND last_op > ? LIMIT 1',
      )
      .pluck();
  }

  note(bucketId: number): void {
    this.#touched.add(bucketId);
    if (this.#touched.size <= MAX_TOUCHED) return;
    this.#touched.clear();
    this.#scanAfter = 0;
  }

  /**
   * Looks at some buckets and gives one that is worth a pass over its ops up to `upTo`; undefined
   * when it has not found any yet. `later` takes those whose newest ops are still above `upTo`.
   */
  look(upTo: number, later: number[]): number | undefined {
    if (this.#touched.size === 0) this.#scanMore();
    const [bucketId] = this.#touched;
    if (bucketId === undefined) return undefined;
    this.#touched.delete(bucketId);
    if (this.#hasLater.get(bucketId, upTo) !== undefined) later.push(bucketId);
    return isWorthIt(this.#use.get(bucketId, upTo)) ? bucketId : undefined;
  }

  get isEmpty(): boolean {
    return this.#touched.size === 0 && this.#scanAfter === undefined;
  }

  #scanMore(): void {
    if (this.#scanAfter === undefined) return;
    const ids = this.#scan.all(this.#generationId, this.#scanAfter);
    for (const id of ids) this.#touched.add(id);
    this.#scanAfter = ids.length < SCAN_BUCKETS ? undefined : ids.at(-1);
  }
}

function isWorthIt(use: BucketUse | undefined): boolean {
  if (use === undefined || use.segments === 0) return false;
  const superseded = use.superseded ?? 0;
  if (superseded > 0 && superseded >= (use.visible ?? 0) * MIN_SUPERSEDED_SHARE) return true;
  const small = use.small_segments ?? 0;
  return small >= 2 && small >= use.segments * MIN_SMALL_SHARE;
}
