import type { BatchDelta } from './batch-delta.ts';
import type { Database } from './database.ts';

/** Kept for readers that lag; one that lags further is told `all`. */
const MAX_KEPT = 1000;
const MAX_KEPT_CHARS = 16 << 20;

interface Kept {
  readonly seq: number;
  readonly upToOp: number;
  readonly chars: number;
}

/**
 * The writer's side of the log of changes: one entry per batch that changed anything, so that
 * every reader, in whichever process, can find out what came with a new checkpoint.
 */
export class DeltaLog {
  readonly #generationId: number;
  readonly #load;
  readonly #insert;
  readonly #prune;
  #kept: Kept[] = [];
  #keptChars = 0;
  #lastSeq = 0;

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#load = db.prepare<[number], Kept>(
      `SELECT seq, up_to_op AS upToOp, ifnull(length(buckets), 0) + ifnull(length(lookups), 0) AS chars
       FROM deltas WHERE generation_id = ? ORDER BY seq`,
    );
    this.#insert = db.prepare<[number, number, number, string | null, string | null, string]>(
      `INSERT INTO deltas (generation_id, seq, up_to_op, buckets, lookups, compacted)
       VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#prune = db.prepare<[number, number]>(
      'DELETE FROM deltas WHERE generation_id = ? AND seq <= ?',
    );
    this.reload();
  }

  /** `upToOp` is the last op id of the batch; it becomes visible with a checkpoint from there on. */
  append(upToOp: number, delta: BatchDelta): void {
    if (delta.isEmpty) return;
    this.#add(upToOp, delta.bucketsJson, delta.lookupsJson, '[]');
  }

  /**
   * Tells readers to forget what they remember of these buckets. Becomes visible with the batches
   * before it: readers go by the sequence, so an entry must never overtake one that still waits
   * for its checkpoint.
   */
  appendCompacted(bucketIds: readonly number[]): void {
    if (bucketIds.length === 0) return;
    this.#add(this.#kept.at(-1)?.upToOp ?? 0, '[]', '[]', JSON.stringify(bucketIds));
  }

  /** Goes back to what is stored, after a transaction was rolled back. */
  reload(): void {
    this.#kept = this.#load.all(this.#generationId);
    this.#keptChars = this.#kept.reduce((sum, one) => sum + one.chars, 0);
    this.#lastSeq = this.#kept.at(-1)?.seq ?? 0;
  }

  #add(upToOp: number, buckets: string | null, lookups: string | null, compacted: string): void {
    const seq = ++this.#lastSeq;
    this.#insert.run(this.#generationId, seq, upToOp, buckets, lookups, compacted);
    const chars = (buckets?.length ?? 0) + (lookups?.length ?? 0) + compacted.length;
    this.#kept.push({ seq, upToOp, chars });
    this.#keptChars += chars;
    this.#pruneOld();
  }

  /** Never the newest: the next number follows from it. */
  #pruneOld(): void {
    let dropTo = 0;
    while (
      this.#kept.length > 1 &&
      (this.#kept.length > MAX_KEPT || this.#keptChars > MAX_KEPT_CHARS)
    ) {
      const oldest = this.#kept.shift();
      this.#keptChars -= oldest?.chars ?? 0;
      dropTo = oldest?.seq ?? dropTo;
    }
    if (dropTo > 0) this.#prune.run(this.#generationId, dropTo);
  }
}
