import type { BucketState, SegmentIndex } from '@sluice/storage';
import { LRUCache } from 'lru-cache';
import type { Database } from './database.ts';
import type { DeltaNews } from './delta-reader.ts';
import type { SegmentCache, SegmentKey } from './segment-cache.ts';

/** About 200 bytes each. */
const MAX_CACHED_BUCKETS = 200_000;

interface Sums {
  readonly id: number;
  readonly epoch: number;
  readonly at: number;
  readonly checksum: number;
  readonly count: number;
  readonly lastOp: number;
  readonly requires: number;
}

interface SumRow {
  readonly epoch: number | null;
  readonly checksum: number | null;
  readonly fresh_count: number | null;
  readonly first_op: number | null;
  readonly last_op: number | null;
  readonly requires: number | null;
}

const EMPTY: BucketState = { checksum: 0, count: 0, lastOpId: 0n, requiresCheckpoint: 0n };

/**
 * States of buckets: sums over their segments. What was summed once is advanced by the segments
 * that came since; and where the log of changes says that none came, by nothing at all.
 */
export class BucketSums {
  readonly #generationId: number;
  readonly #segments: SegmentCache;
  // By size and not by `max`, for which the cache would take its memory beforehand.
  readonly #cache = new LRUCache<string, Sums>({
    maxSize: MAX_CACHED_BUCKETS,
    sizeCalculation: () => 1,
  });
  /** Cached sums hold at any checkpoint up to here unless the bucket is in `#changed`. */
  #knownUpTo: number;
  readonly #changed = new Set<string>();
  /** Says whether buckets have vanished. */
  readonly #discards;
  #knownDiscards: number | undefined;
  readonly #findId;
  readonly #sum;
  readonly #next;

  /** `knownUpTo`: the checkpoint from which on `advance` is called. */
  constructor(db: Database, generationId: number, segments: SegmentCache, knownUpTo: number) {
    this.#generationId = generationId;
    this.#segments = segments;
    this.#knownUpTo = knownUpTo;
    this.#discards = db.prepare<[], number>('SELECT discard FROM counters').pluck();
    this.#findId = db
      .prepare<[number, string], number>(
        'SELECT id FROM buckets WHERE generation_id = ? AND name = ?',
      )
      .pluck();
    this.#sum = db.prepare<[number, number, number, number], SumRow>(
      `SELECT sum(checksum) AS checksum, sum(fresh_count) AS fresh_count,
         min(first_op) AS first_op, max(last_op) AS last_op, max(requires_checkpoint) AS requires,
         (SELECT epoch FROM buckets WHERE id = ?) AS epoch
       FROM segments INDEXED BY segments_bucket WHERE bucket_id = ? AND last_op > ? AND last_op <= ?`,
    );
    this.#next = db.prepare<[number, number], SegmentKey>(
      `SELECT first_op, last_op, epoch FROM segments INDEXED BY segments_bucket
       WHERE bucket_id = ? AND last_op > ? ORDER BY last_op LIMIT 1`,
    );
  }

  /** To be called in a read transaction, before the states of some buckets are asked for. */
  noteDiscards(): void {
    const discards = this.#discards.get();
    if (discards === this.#knownDiscards) return;
    this.#knownDiscards = discards;
    this.#forgetAll();
  }

  /** To be called in a read transaction. */
  state(bucket: string, at: number): BucketState {
    const known = this.#cache.get(bucket);
    if (known && this.#stillHolds(bucket, known, at)) return toState(known);
    const sums = (known && this.#advance(known, at)) ?? this.#full(bucket, known?.id, at);
    if (sums === undefined) return EMPTY;
    // Above the newest checkpoint there may be more to come.
    const isSettled = at <= this.#knownUpTo;
    if (isSettled && (known === undefined || at >= known.at)) this.#remember(bucket, sums);
    return toState(sums);
  }

  /** Takes note of what a new checkpoint changed. */
  advance(news: DeltaNews): void {
    if (news.buckets === 'all' || news.compacted === 'all') {
      this.#forgetAll();
    } else {
      for (const name of news.compacted) this.#cache.delete(name);
      for (const name of news.buckets) if (this.#cache.has(name)) this.#changed.add(name);
    }
    if (this.#changed.size > MAX_CACHED_BUCKETS) {
      this.#forgetAll();
    }
    this.#knownUpTo = Number(news.checkpoint.opId);
  }

  #forgetAll(): void {
    this.#cache.clear();
    this.#changed.clear();
  }

  #stillHolds(bucket: string, sums: Sums, at: number): boolean {
    if (at === sums.at) return true;
    return at > sums.at && at <= this.#knownUpTo && !this.#changed.has(bucket);
  }

  #remember(bucket: string, sums: Sums): void {
    this.#cache.set(bucket, sums);
    // Sums of another checkpoint than the log stands at say nothing about what came between.
    if (sums.at === this.#knownUpTo) this.#changed.delete(bucket);
    else this.#changed.add(bucket);
  }

  /** Undefined when compaction has changed segments around the place where the sums stood. */
  #advance(known: Sums, at: number): Sums | undefined {
    if (at < known.at) return undefined;
    const row = this.#sum.get(known.id, known.id, known.lastOp, at);
    if (row === undefined || row.epoch !== known.epoch) return undefined;
    if (row.first_op !== null && row.first_op <= known.lastOp) return undefined;
    const next = this.#next.get(known.id, at);
    if (next !== undefined && next.first_op <= at) return undefined;
    return add(known, row, at);
  }

  #full(bucket: string, knownId: number | undefined, at: number): Sums | undefined {
    const id = knownId ?? this.#findId.get(this.#generationId, bucket);
    const row = id === undefined ? undefined : this.#sum.get(id, id, 0, at);
    if (id === undefined || row === undefined) return undefined;
    const empty = { id, at, epoch: row.epoch ?? 0, checksum: 0, count: 0, lastOp: 0, requires: 0 };
    const sums = add(empty, row, at);
    const next = this.#next.get(id, at);
    if (next === undefined || (next.first_op > at && sums.lastOp > 0)) return sums;
    const { index } = this.#segments.get(id, next);
    if (next.first_op > at) return { ...sums, requires: clearedUpTo(index) };
    const part = index.sumsUpTo(BigInt(at));
    return {
      ...sums,
      checksum: (sums.checksum + part.checksum) >>> 0,
      count: sums.count + part.freshCount,
      lastOp: Math.max(sums.lastOp, Number(part.lastOpId)),
      requires: Math.max(sums.requires, Number(index.requiresCheckpoint)),
    };
  }
}

/** What came before a CLEAR is lost, so sums below it cannot be had any more. */
function clearedUpTo(index: SegmentIndex): number {
  if (!index.startsWithClear) return 0;
  return Math.max(Number(index.requiresCheckpoint), Number(index.firstOpId));
}

function add(sums: Sums, row: SumRow, at: number): Sums {
  return {
    id: sums.id,
    epoch: sums.epoch,
    at,
    checksum: (sums.checksum + ((row.checksum ?? 0) % 2 ** 32)) >>> 0,
    count: sums.count + (row.fresh_count ?? 0),
    lastOp: Math.max(sums.lastOp, row.last_op ?? 0),
    requires: Math.max(sums.requires, row.requires ?? 0),
  };
}

function toState(sums: Sums): BucketState {
  return {
    checksum: sums.checksum,
    count: sums.count,
    lastOpId: BigInt(sums.lastOp),
    requiresCheckpoint: BigInt(sums.requires),
  };
}
