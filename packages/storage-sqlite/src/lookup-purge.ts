import type { Database } from './database.ts';

/** How long a reader may stay at an old checkpoint and still find its lookup entries. */
const GRACE_MS = 60_000;
const MIN_STEP_MS = 1000;
const ROWS_PER_DELETE = 1000;

interface Mark {
  readonly opId: number;
  readonly atMs: number;
}

/** Deletes lookup entries that were closed before a checkpoint that is no longer in use. */
export class LookupPurge {
  readonly #generationId: number;
  readonly #delete;
  /** Checkpoints seen, oldest first, at most one per second of the grace. */
  #marks: readonly Mark[] = [];

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#delete = db.prepare<[number, number, number]>(
      `DELETE FROM lookups WHERE generation_id = ? AND (key, from_op) IN (
         SELECT key, from_op FROM lookups WHERE generation_id = ? AND to_op <= ?
         LIMIT ${ROWS_PER_DELETE})`,
    );
  }

  /** Remembers that the checkpoint was the newest at this time. */
  note(opId: number, nowMs: number): void {
    const last = this.#marks.at(-1);
    if (last && nowMs - last.atMs < MIN_STEP_MS) return;
    const reached = this.#marks.findLastIndex((mark) => mark.atMs <= nowMs - GRACE_MS);
    this.#marks = [...this.#marks.slice(Math.max(0, reached)), { opId, atMs: nowMs }];
  }

  /** Deletes some entries; whether there may be more. */
  step(nowMs: number): boolean {
    const mark = this.#marks.findLast((one) => one.atMs <= nowMs - GRACE_MS);
    if (mark === undefined) return false;
    const { changes } = this.#delete.run(this.#generationId, this.#generationId, mark.opId);
    return changes === ROWS_PER_DELETE;
  }
}
