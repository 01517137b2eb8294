import { setImmediate } from 'node:timers/promises';
import { assert } from '@sluice/base';
import type { Discarded } from '@sluice/storage';
import { BucketRemoval, type NamedBucket } from './bucket-removal.ts';
import type { Database } from './database.ts';
import type { Discards } from './discards.ts';
import { endOfPrefix, type NameBound } from './name-range.ts';
import { guarded } from './sqlite-error.ts';

/** How long one transaction may take: writes of the same thread wait that long at most. */
const TRANSACTION_MS = 20;
const ROWS_PER_STEP = 500;

export interface DiscarderParts {
  readonly db: Database;
  readonly generationId: number;
  readonly discards: Discards;
  /** Moves row states to where they are deleted from (`RowStates.settleStep`). */
  readonly settleStep: (tableIds: readonly number[]) => boolean;
  /** Told that a transaction was rolled back. */
  readonly onRolledBack: () => void;
  /** Told of buckets that have lost their names. */
  readonly onUnnamed: (buckets: readonly NamedBucket[]) => void;
}

/** Does a little in the current transaction; false when there was nothing (left) to do. */
type Step = () => boolean;

/**
 * Removes what no config has any more, in short transactions. The first one makes durable what is
 * to go, and from then on it counts as gone; what an interrupted call left is done by the next one.
 */
export class Discarder {
  readonly #parts: DiscarderParts;
  readonly #removal: BucketRemoval;
  readonly #statements;
  #isRunning = false;

  constructor(parts: DiscarderParts) {
    this.#parts = parts;
    this.#removal = new BucketRemoval(parts.db, parts.generationId);
    this.#statements = prepareStatements(parts.db);
  }

  async run(what: Discarded, maxMs: number): Promise<{ readonly more: boolean }> {
    assert(!this.#isRunning, 'discards of a generation follow each other');
    this.#isRunning = true;
    try {
      return await this.#run(what, performance.now() + maxMs);
    } finally {
      this.#isRunning = false;
    }
  }

  async #run(what: Discarded, deadline: number): Promise<{ readonly more: boolean }> {
    const { discards } = this.#parts;
    this.#transaction(() => discards.begin(what.prefixes));
    const steps = this.#steps(discards.pending(), what.tables);
    for (;;) {
      const end = Math.min(deadline, performance.now() + TRANSACTION_MS);
      const more = this.#transaction(() => workUntil(end, steps));
      if (!more || performance.now() >= deadline) return { more };
      await setImmediate();
    }
  }

  #transaction<T>(work: () => T): T {
    const { db, onRolledBack } = this.#parts;
    return guarded(db, () => {
      try {
        return db.transaction(work).immediate();
      } catch (error) {
        if (db.open) onRolledBack();
        throw error;
      }
    });
  }

  /** In this order: names go first, so that readers do not find half a bucket. */
  #steps(prefixes: readonly string[], tables: readonly number[]): Step[] {
    const { discards, settleStep, generationId: id } = this.#parts;
    const { deleteLookups, deleteStates, deleteCopies } = this.#statements;
    const ranges = prefixes.map((prefix) => [prefix, endOfPrefix(prefix)] as const);
    return [
      ...ranges.map(
        ([from, to]) =>
          () =>
            this.#unname(from, to),
      ),
      ...ranges.map(
        ([from, to]) =>
          () =>
            deleteLookups.run(id, id, from, to).changes > 0,
      ),
      () => this.#removal.deleteSome(),
      () => settleStep(tables),
      ...tables.map((table) => () => deleteStates.run(id, table, id, table).changes > 0),
      ...tables.map((table) => () => deleteCopies.run(id, table, id, table).changes > 0),
      () => {
        discards.complete();
        return false;
      },
    ];
  }

  #unname(from: string, to: NameBound): boolean {
    const buckets = this.#removal.unname(from, to);
    if (buckets.length > 0) this.#parts.onUnnamed(buckets);
    return buckets.length > 0;
  }
}

/**
 * Repeats each step until it finds nothing; whether any are left when the time is over. Each call
 * begins with all steps, so finding nothing must not use up the time.
 */
function workUntil(end: number, steps: Step[]): boolean {
  for (let step = steps[0]; step !== undefined; step = steps[0]) {
    if (!step()) steps.shift();
    else if (performance.now() >= end) return true;
  }
  return false;
}

function prepareStatements(db: Database) {
  return {
    deleteLookups: db.prepare<[number, number, string, NameBound]>(
      `DELETE FROM lookups WHERE generation_id = ? AND (key, from_op) IN (
         SELECT key, from_op FROM lookups WHERE generation_id = ? AND key >= ? AND key < ?
         LIMIT ${ROWS_PER_STEP})`,
    ),
    deleteStates: deleteOfTable(db, 'row_states'),
    deleteCopies: deleteOfTable(db, 'row_copies'),
  };
}

function deleteOfTable(db: Database, name: 'row_states' | 'row_copies') {
  return db.prepare<[number, number, number, number]>(
    `DELETE FROM ${name} WHERE generation_id = ? AND table_id = ? AND key IN (
       SELECT key FROM ${name} WHERE generation_id = ? AND table_id = ? LIMIT ${ROWS_PER_STEP})`,
  );
}
