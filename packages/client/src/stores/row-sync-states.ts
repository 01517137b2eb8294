import type { SluiceDatabase } from '../facade/sluice-database.ts';
import { rereading } from '../watch/rereading.ts';
import { onUploadActivity } from './reread.ts';

/**
 * What became of a row's local writes: the server has not confirmed them (`pending`: queued, on their way, or before the next
 * checkpoint), it refused one (`rejected`), the connector set one aside (`parked`), or there is nothing to tell (`synced`).
 */
export type RowSyncState = 'synced' | 'pending' | 'rejected' | 'parked';

/** Rows that were refused say so until that dead letter is dealt with, whatever else is pending. */
const STATES = `
SELECT coalesce(
  (SELECT d.state FROM sluice_dead AS d WHERE d.data ->> 'type' = w.value ->> 0 AND d.data ->> 'id' = w.value ->> 1
    ORDER BY d.id DESC LIMIT 1),
  CASE WHEN EXISTS (SELECT 1 FROM sluice_type AS t JOIN sluice_shadow AS s ON s.type = t.id
    WHERE t.name = w.value ->> 0 AND s.id = w.value ->> 1) THEN 'pending' ELSE 'synced' END) AS state
FROM json_each(?) AS w ORDER BY w.key`;

interface Wanted {
  readonly table: string;
  readonly id: string;
  readonly set: (state: RowSyncState) => void;
}

/** Sync states of all rows that somebody watches, read together: a list of a hundred rows costs one query for each change. */
export class RowSyncStates {
  readonly #database: SluiceDatabase;
  readonly #onProblem: (problem: unknown) => void;
  readonly #wanted = new Set<Wanted>();
  #stop: () => void = () => undefined;
  #reread: () => void = () => undefined;
  #isDue = false;

  constructor(database: SluiceDatabase, onProblem: (problem: unknown) => void) {
    this.#database = database;
    this.#onProblem = onProblem;
  }

  /** Tells the state now and whenever it changes. Returns how to stop. */
  follow(wanted: Wanted): () => void {
    this.#wanted.add(wanted);
    if (this.#wanted.size === 1) this.#start();
    else this.#soon();
    return () => {
      this.#wanted.delete(wanted);
      if (this.#wanted.size === 0) this.#stop();
    };
  }

  #start(): void {
    const onProblem = this.#onProblem;
    const set = (act: () => void): void => act();
    this.#reread = rereading({ read: () => this.#read(), set, onProblem });
    this.#stop = onUploadActivity(this.#database, this.#reread, onProblem);
  }

  /** Rows that are watched in one go are read in one go. */
  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#reread();
    });
  }

  /** Gives what tells the states. */
  async #read(): Promise<() => void> {
    const wanted = [...this.#wanted];
    const keys = JSON.stringify(wanted.map(({ table, id }) => [table, id]));
    const rows = await this.#database.getAll<{ state: RowSyncState }>(STATES, [keys]);
    return () => {
      for (const [at, { set }] of wanted.entries()) set(rows[at]?.state ?? 'synced');
    };
  }
}
