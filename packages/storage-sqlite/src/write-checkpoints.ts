import { setImmediate } from 'node:timers';
import type { SourcePosition } from '@sluice/model';
import type { CheckpointRequest, WriteCheckpointStore } from '@sluice/storage';
import type { ChangeSignal } from './change-signal.ts';
import type { Database } from './database.ts';
import { asStorageError, guarded } from './sqlite-error.ts';
import { watchChanges } from './watch-changes.ts';

/** A slow watcher gets what it missed in portions of this many. */
const MAX_USERS_PER_DELTA = 10_000;

/** Expiring them holds up nobody for long; what is left is for the next call. */
const MAX_EXPIRED_PER_CALL = 10_000;

interface ChangedUser {
  readonly user: string;
  readonly change_seq: number;
}

interface ChosenValue {
  readonly user: string;
  readonly head: SourcePosition;
  readonly change: number;
  readonly id: bigint;
  readonly now: number;
}

interface Request {
  readonly user: string;
  readonly head: SourcePosition;
  /** Undefined: one more than before. */
  readonly chosen: Pick<CheckpointRequest, 'id' | 'requestedAtMs'> | undefined;
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
  readonly #statements;
  #waiting: Request[] = [];

  /** `closing` is aborted when the storage closes. */
  constructor(db: Database, changes: ChangeSignal, closing: AbortSignal) {
    this.#db = db;
    this.#changes = changes;
    this.#closing = closing;
    this.#statements = prepareStatements(db);
  }

  create(user: string, head: SourcePosition): Promise<bigint> {
    return this.#enqueue(user, head, undefined);
  }

  request(user: string, { id, head, requestedAtMs }: CheckpointRequest): Promise<bigint> {
    return this.#enqueue(user, head, { id, requestedAtMs });
  }

  async expireRequests(beforeMs: number): Promise<number> {
    return guarded(this.#db, () => this.#statements.expire.run(beforeMs).changes);
  }

  #enqueue(user: string, head: SourcePosition, chosen: Request['chosen']): Promise<bigint> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ user, head, chosen, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#commitWaiting());
    });
  }

  async reached(
    users: readonly string[],
    position: SourcePosition,
  ): Promise<ReadonlyMap<string, bigint>> {
    return guarded(this.#db, () => {
      const values = new Map<string, bigint>();
      for (const user of users) {
        const value = this.#statements.reached.get(user, position);
        if (value !== undefined) values.set(user, value);
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
      requests.forEach((request, index) => request.resolve(values[index] ?? 0n));
    } catch (error) {
      for (const request of requests) request.reject(asStorageError(error));
    }
  }

  #raise(requests: readonly Request[]): readonly bigint[] {
    const first = this.#lastChange() + 1;
    const values = requests.map((request, index) => this.#store(request, first + index));
    this.#statements.setLastChange.run(first + requests.length - 1);
    return values;
  }

  #store({ user, head, chosen }: Request, change: number): bigint {
    const { raise, choose } = this.#statements;
    const value =
      chosen === undefined
        ? raise.get(user, head, change)
        : choose.get({ user, head, change, id: chosen.id, now: chosen.requestedAtMs });
    return value ?? 0n;
  }

  #lastChange(): number {
    return this.#statements.lastChange.get() ?? 0;
  }

  #changedSince(seen: number): readonly ChangedUser[] {
    return this.#statements.changedSince.all(seen);
  }
}

function prepareStatements(db: Database) {
  return {
    reached: db
      .prepare<[string, string], bigint>(
        'SELECT value FROM write_checkpoints WHERE user = ? AND head <= ?',
      )
      .safeIntegers()
      .pluck(),
    // At 2^63-1, which only a client can have chosen, it stays: SQLite would go on in floating point.
    raise: db
      .prepare<[string, string, number], bigint>(
        `INSERT INTO write_checkpoints (user, value, head, change_seq) VALUES (?, 1, ?, ?)
         ON CONFLICT (user) DO UPDATE SET
           value = min(value, 9223372036854775806) + 1,
           head = excluded.head, change_seq = excluded.change_seq, requested_at_ms = NULL
         RETURNING value`,
      )
      .safeIntegers()
      .pluck(),
    // Of an update, every right side sees the record as it was before.
    choose: db
      .prepare<[ChosenValue], bigint>(
        `INSERT INTO write_checkpoints (user, value, head, change_seq, requested_at_ms)
         VALUES (@user, @id, @head, @change, @now)
         ON CONFLICT (user) DO UPDATE SET
           value = max(value, excluded.value),
           head = iif(excluded.value > value, excluded.head, head),
           change_seq = iif(excluded.value > value, excluded.change_seq, change_seq),
           requested_at_ms = iif(excluded.value >= value, excluded.requested_at_ms, requested_at_ms)
         RETURNING value`,
      )
      .safeIntegers()
      .pluck(),
    expire: db.prepare<[number]>(
      `DELETE FROM write_checkpoints WHERE user IN (
         SELECT user FROM write_checkpoints WHERE requested_at_ms < ? LIMIT ${MAX_EXPIRED_PER_CALL}
       )`,
    ),
    lastChange: db.prepare<[], number>('SELECT last FROM write_checkpoint_changes').pluck(),
    setLastChange: db.prepare<[number]>('UPDATE write_checkpoint_changes SET last = ?'),
    changedSince: db.prepare<[number], ChangedUser>(
      `SELECT user, change_seq FROM write_checkpoints WHERE change_seq > ? ORDER BY change_seq
       LIMIT ${MAX_USERS_PER_DELTA}`,
    ),
  };
}
