import type { Database } from './database.ts';
import { readRowState, type RowState } from './row-state.ts';

const ROWS_PER_STEP = 1000;

/** Works on all rows of a table without holding them in memory. */
export class TableRows {
  readonly #generationId: number;
  readonly #next;
  readonly #deleteTo;
  readonly #deleteCopies;
  readonly #deleteTombstones;

  constructor(db: Database, generationId: number) {
    this.#generationId = generationId;
    this.#next = db
      .prepare<[number, number], readonly [key: string, state: Buffer]>(
        `SELECT key, state FROM row_states WHERE generation_id = ? AND table_id = ?
         ORDER BY key LIMIT ${ROWS_PER_STEP}`,
      )
      .raw();
    this.#deleteTo = db.prepare<[number, number, string]>(
      'DELETE FROM row_states WHERE generation_id = ? AND table_id = ? AND key <= ?',
    );
    this.#deleteCopies = db.prepare<[number, number]>(
      'DELETE FROM row_copies WHERE generation_id = ? AND table_id = ?',
    );
    this.#deleteTombstones = db.prepare<[number, number]>(
      "DELETE FROM row_states WHERE generation_id = ? AND table_id = ? AND state = x'01'",
    );
  }

  /** Deletes all rows, and yields them in portions after each has been deleted. */
  *takeAll(tableId: number): Generator<readonly (readonly [key: string, state: RowState])[]> {
    this.#deleteCopies.run(this.#generationId, tableId);
    for (;;) {
      const rows = this.#next.all(this.#generationId, tableId);
      const last = rows.at(-1);
      if (last === undefined) return;
      this.#deleteTo.run(this.#generationId, tableId, last[0]);
      yield rows.map(([key, state]) => [key, readRowState(state, key)] as const);
    }
  }

  dropTombstones(tableId: number): void {
    this.#deleteTombstones.run(this.#generationId, tableId);
  }
}
