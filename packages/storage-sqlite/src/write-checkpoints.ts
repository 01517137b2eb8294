import { setImmediate } from 'node:timers';
import type { SourcePosition } from '@sluice/model';
import type { WriteCheckpointStore } from '@sluice/storage';
import type { ChangeSignal } from './change-signal.ts';
import type { Database } from './database.ts';
import { asStorageError, guarded } from './sqlite-error.ts';
import { watchChanges } from './watch-changes.ts';

/** A slow watcher gets what it missed in portions of this many. */
const MAX_USERS_PER_DELTA = 10_000;

interface Request {
  readonly user: string;
  readonly head: SourcePosition;
  readonly resolve: (value: bigint) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Write checkpoints in a database of their own, so that they never wait for the replicator's
 * transactions. Requests of one turn of the event loop share one durable commit.
 */
export class SqliteWriteCheckpoints implements WriteCheckpointStore {
  readonly #db: Database;
  readonly #changes: ChangeSignal;
  readonly #closing: AbortSignal;
  #waiting: Request[] = [];

  /** `closing` is aborted when the storage closes. */
  constructor(db: Database, changes: ChangeSignal, closing: AbortSignal) {
    this.#db = db;
    this.#changes = changes;
    this.#closing = closing;
  }

  create(user: string, head: SourcePosition): Promise<bigint> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ user, head, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#commitWaiting());
    });
  }

  async reached(
    users: readonly string[],
    position: SourcePosition,
  ): Promise<ReadonlyMap<string, bigint>> {
    return guarded(this.#db, () => {
      const read = this.#db
        .prepare<[string, string], number>(
          'SELECT value FROM write_checkpoints WHERE user = ? AND head <= ?',
        )
        .pluck();
      const values = new Map<string, bigint>();
      for (const user of users) {
        const value = read.get(user, position);
        if (value !== undefined) values.set(user, BigInt(value));
      }
      return values;
    });
  }

  watch(signal: AbortSignal): AsyncIterable<ReadonlySet<string>> {
    return guarded(this.#db, () => {
      let seen = this.#lastChange();
      const take = () =>
        guarded(this.#db, () => {
          const rows = this.#changedSince(seen);
          seen = rows.at(-1)?.change_seq ?? seen;
          return rows.length === 0 ? undefined : new Set(rows.map((row) => row.user));
        });
      const ends = AbortSignal.any([signal, this.#closing]);
      return watchChanges({
        signal: ends,
        changes: this.#changes,
        topic: 'write-checkpoints',
        take,
      });
    });
  }

  /** Commits what still waits; to be called before the database is closed. */
  flush(): void {
    if (this.#waiting.length > 0) this.#commitWaiting();
  }

  #commitWaiting(): void {
    const requests = this.#waiting;
    this.#waiting = [];
    if (requests.length === 0) return;
    try {
      const values = this.#db.transaction(() => this.#raise(requests)).immediate();
      this.#changes.announce('write-checkpoints');
      requests.forEach((request, index) => request.resolve(BigInt(values[index] ?? 0)));
    } catch (error) {
      for (const request of requests) request.reject(asStorageError(error));
    }
  }

  #raise(requests: readonly Request[]): readonly number[] {
    const upsert = this.#db
      .prepare<[string, string, number], number>(
        `INSERT INTO write_checkpoints (user, value, head, change_seq) VALUES (?, 1, ?, ?)
         ON CONFLICT (user) DO UPDATE SET
           value = value + 1, head = excluded.head, change_seq = excluded.change_seq
         RETURNING value`,
      )
      .pluck();
    let change = this.#lastChange();
    return requests.map(({ user, head }) => upsert.get(user, head, ++change) ?? 0);
  }

  #lastChange(): number {
    return (
      this.#db
        .prepare<[], number | null>('SELECT max(change_seq) FROM write_checkpoints')
        .pluck()
        .get() ?? 0
    );
  }

  #changedSince(seen: number): readonly { readonly user: string; readonly change_seq: number }[] {
    return this.#db
      .prepare<[number], { user: string; change_seq: number }>(
        `SELECT user, change_seq FROM write_checkpoints WHERE change_seq > ? ORDER BY change_seq
         LIMIT ${MAX_USERS_PER_DELTA}`,
      )
      .all(seen);
  }
}
