import { setImmediate } from 'node:timers/promises';
import { assert } from '@sluice/base';
import { compactBucket, type CompactionProgress, type CompactionReport } from '@sluice/storage';
import type { NamedBucket } from './bucket-removal.ts';
import type { CompactionQueue } from './compaction-queue.ts';
import type { Database } from './database.ts';
import type { DeltaLog } from './delta-log.ts';
import { LookupPurge } from './lookup-purge.ts';
import { guarded } from './sqlite-error.ts';
import { BucketStatements, StoredBucket } from './stored-bucket.ts';

/** How long one transaction may take: writes of the same thread wait that long at most. */
const TRANSACTION_MS = 20;

export interface CompactorParts {
  readonly db: Database;
  readonly generationId: number;
  readonly queue: CompactionQueue;
  readonly deltas: DeltaLog;
  readonly nowMs: () => number;
}

interface Pass {
  readonly bucketId: number;
  readonly steps: Generator<CompactionProgress, CompactionProgress>;
  done: CompactionProgress;
}

interface Totals {
  segmentsRead: number;
  segmentsWritten: number;
  opsDropped: number;
}

const NOTHING: CompactionProgress = { segmentsRead: 0, segmentsWritten: 0, opsDropped: 0 };

/** Compacts one generation bucket by bucket in short transactions. A pass may span several calls. */
export class Compactor {
  readonly #parts: CompactorParts;
  readonly #statements: BucketStatements;
  readonly #purge: LookupPurge;
  readonly #checkpoint;
  #pass: Pass | undefined;
  /** Buckets to look at again once the checkpoint has passed their newest ops. */
  #later: number[] = [];
  #isRunning = false;

  constructor(parts: CompactorParts) {
    this.#parts = parts;
    this.#statements = new BucketStatements(parts.db);
    this.#purge = new LookupPurge(parts.db, parts.generationId);
    this.#checkpoint = parts.db
      .prepare<[number], number | null>(
        'SELECT checkpoint_op FROM progress WHERE generation_id = ?',
      )
      .pluck();
  }

  async run(maxMs: number): Promise<CompactionReport> {
    assert(!this.#isRunning, 'compactions of a generation follow each other');
    this.#isRunning = true;
    try {
      return await this.#run(performance.now() + maxMs);
    } finally {
      this.#isRunning = false;
      for (const bucketId of this.#later) this.#parts.queue.note(bucketId);
      this.#later = [];
    }
  }

  /** They are being removed: a pass over one of them must not write to it any more. */
  forgetBuckets(buckets: readonly NamedBucket[]): void {
    if (buckets.some(({ id }) => id === this.#pass?.bucketId)) this.#pass = undefined;
  }

  async #run(deadline: number): Promise<CompactionReport> {
    const totals: Totals = { ...NOTHING };
    for (;;) {
      const end = Math.min(deadline, performance.now() + TRANSACTION_MS);
      const more = guarded(this.#parts.db, () => this.#transaction(end, totals));
      if (!more || performance.now() >= deadline) return { ...totals, more };
      await setImmediate();
    }
  }

  /** Whether there is more to do. */
  #transaction(end: number, totals: Totals): boolean {
    const { db, deltas } = this.#parts;
    const touched = new Set<number>();
    const work = db.transaction(() => {
      const more = this.#workUntil(end, totals, touched);
      deltas.appendCompacted([...touched]);
      return more;
    });
    try {
      return work.immediate();
    } catch (error) {
      // The steps of the pass that were rolled back cannot be repeated.
      this.#pass = undefined;
      if (db.open) deltas.reload();
      throw error;
    }
  }

  #workUntil(end: number, totals: Totals, touched: Set<number>): boolean {
    const checkpoint = this.#checkpoint.get(this.#parts.generationId) ?? undefined;
    if (checkpoint === undefined) return false;
    this.#purge.note(checkpoint, this.#parts.nowMs());
    let more = this.#purge.step(this.#parts.nowMs());
    do {
      this.#pass ??= this.#nextPass(checkpoint);
      if (this.#pass) this.#step(this.#pass, totals, touched);
      else if (this.#parts.queue.isEmpty) return more;
      more = true;
    } while (performance.now() < end);
    return more;
  }

  #nextPass(checkpoint: number): Pass | undefined {
    const bucketId = this.#parts.queue.look(checkpoint, this.#later);
    if (bucketId === undefined) return undefined;
    const bucket = StoredBucket.open(this.#statements, bucketId);
    if (bucket === undefined) return undefined;
    const options = { upTo: BigInt(checkpoint), hiddenUpTo: bucket.hiddenUpTo };
    return { bucketId, steps: compactBucket(bucket, options), done: NOTHING };
  }

  #step(pass: Pass, totals: Totals, touched: Set<number>): void {
    const { done, value } = pass.steps.next();
    totals.segmentsRead += value.segmentsRead - pass.done.segmentsRead;
    totals.segmentsWritten += value.segmentsWritten - pass.done.segmentsWritten;
    totals.opsDropped += value.opsDropped - pass.done.opsDropped;
    if (value.segmentsWritten > pass.done.segmentsWritten) touched.add(pass.bucketId);
    pass.done = value;
    if (done) this.#pass = undefined;
  }
}
