import type { Database } from './database.ts';
import { placesIn, RecentStates, type RecentState, type StatePlace } from './recent-states.ts';

export interface RowStateLogLimits {
  /** States that gather before a round begins to merge them; twice as many may be in memory. */
  readonly maxRows: number;
  /** The same in bytes. */
  readonly maxBytes: number;
  /** Merged in one go, so that neighbours share a page and nobody waits long. */
  readonly mergeRows: number;
}

export const ROW_STATE_LOG_LIMITS: RowStateLogLimits = {
  maxRows: 100_000,
  maxBytes: 24 << 20,
  mergeRows: 1000,
};

/** Rows merged for each row that was added since: a round ends before the next one is due. */
const MERGED_PER_ADDED = 2;

export interface RowStateLogParts {
  readonly db: Database;
  readonly generationId: number;
  readonly limits: RowStateLogLimits;
  /** Writes states to the table of row states; they come in the order of that table. */
  readonly merge: (states: readonly RecentState[]) => void;
}

/**
 * States that are newer than those in the table of row states. Changes that are streamed hit rows
 * all over that table: written where they belong, each would dirty a page of its own, which goes to
 * disk twice. So they are written one behind the other, kept in memory too, and moved to the table
 * many at once and in its order, so that a page is written for several rows.
 *
 *     current   takes what is written          } both in row_state_log, and in memory
 *     closing   is being merged, part by part  }
 *     table     row_states, under both
 *
 * When `current` is full it becomes `closing`; when that is merged, its part of the log goes. What is
 * in memory follows from the log, so after a rollback or a restart it is read again.
 */
export class RowStateLog {
  readonly #parts: RowStateLogParts;
  readonly #statements;
  #current = new RecentStates();
  #closing: RecentStates | undefined;
  #toMerge: Iterator<RecentState, undefined> = NOTHING;
  #nextSeq = 1;
  /** Rows that should have been merged by now. */
  #owed = 0;

  constructor(parts: RowStateLogParts) {
    this.#parts = parts;
    this.#statements = prepareStatements(parts.db);
    this.reload();
  }

  get isEmpty(): boolean {
    return this.#current.isEmpty && this.#closing === undefined;
  }

  /** As `RecentStates.find`. */
  find(tableId: number, key: string): Buffer | undefined {
    return this.#current.find(tableId, key) ?? this.#closing?.find(tableId, key);
  }

  /** Takes over the blob (`placesIn` says what it is). */
  append(blob: Buffer, places: readonly StatePlace[]): void {
    const seq = this.#nextSeq++;
    this.#statements.insert.run(this.#parts.generationId, seq, blob);
    this.#current.add(seq, blob, places);
    this.#owed += MERGED_PER_ADDED * places.length;
  }

  /** Merges as much as the states added since ask for. */
  upkeep(): void {
    const { maxRows, maxBytes, mergeRows } = this.#parts.limits;
    const isFull = this.#current.rows >= maxRows || this.#current.bytes >= maxBytes;
    if (isFull) {
      while (this.#closing !== undefined) this.#mergePart();
      this.#close();
    }
    if (this.#closing === undefined) this.#owed = 0;
    while (this.#owed >= mergeRows && this.#closing !== undefined) this.#mergePart();
  }

  /** Merges a part of what is there until nothing is left of these tables, which makes it false. */
  settleStep(tableIds: readonly number[]): boolean {
    const isHeld = (states: RecentStates | undefined): boolean =>
      tableIds.some((tableId) => states?.hasRowsOf(tableId));
    if (!isHeld(this.#closing) && !isHeld(this.#current)) return false;
    if (this.#closing === undefined) this.#close();
    this.#mergePart();
    return true;
  }

  /** Goes back to what is stored. */
  reload(): void {
    this.#current = new RecentStates();
    this.#closing = undefined;
    this.#toMerge = NOTHING;
    this.#owed = 0;
    this.#nextSeq = 1;
    for (const { seq, states } of this.#statements.load.iterate(this.#parts.generationId)) {
      this.#current.add(seq, states, placesIn(states));
      this.#nextSeq = seq + 1;
    }
  }

  #close(): void {
    if (this.#current.isEmpty) return;
    this.#closing = this.#current;
    this.#current = new RecentStates();
    this.#toMerge = this.#closing.inOrder();
  }

  #mergePart(): void {
    const { limits, merge, generationId } = this.#parts;
    const part: RecentState[] = [];
    while (part.length < limits.mergeRows) {
      const next = this.#toMerge.next();
      if (next.done === true) break;
      part.push(next.value);
    }
    merge(part);
    this.#owed = Math.max(0, this.#owed - limits.mergeRows);
    if (part.length === limits.mergeRows || this.#closing === undefined) return;
    this.#statements.delete.run(generationId, this.#closing.lastSeq);
    this.#closing = undefined;
    this.#toMerge = NOTHING;
  }
}

const NOTHING: Iterator<RecentState, undefined> = {
  next: () => ({ done: true, value: undefined }),
};

function prepareStatements(db: Database) {
  return {
    load: db.prepare<[number], { readonly seq: number; readonly states: Buffer }>(
      'SELECT seq, states FROM row_state_log WHERE generation_id = ? ORDER BY seq',
    ),
    insert: db.prepare<[number, number, Uint8Array]>(
      'INSERT INTO row_state_log (generation_id, seq, states) VALUES (?, ?, ?)',
    ),
    delete: db.prepare<[number, number]>(
      'DELETE FROM row_state_log WHERE generation_id = ? AND seq <= ?',
    ),
  };
}
