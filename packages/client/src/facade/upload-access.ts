import type { CrudEntry } from '../crud/crud-entry.ts';
import type { DeadLetters } from '../crud/dead-letters.ts';
import type { EntryOutcome } from '../crud/outcomes.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import type { Complete, QueueFigures, UploadQueue } from '../crud/upload-queue.ts';
import { untilFree } from '../database/writer-turn.ts';
import type { UploadResult } from '../upload/upload-loop.ts';
import type { Turns } from './turns.ts';

/** Removes these entries and all earlier ones: the backend has them. See `Complete`. */
export type CompleteLater = (...parameters: Parameters<Complete>) => Promise<void>;

/** What became of single entries, by queue id. */
export type EntryOutcomes = Iterable<readonly [clientId: number, outcome: EntryOutcome]>;

/**
 * Takes what the backend made of single entries (spec/client.md 3, upload engine): `ok` leaves the queue; `reject` and `park` become dead
 * letters, together with updates of the same rows among these entries; what has no outcome, or is to be sent again, waits. Gives what
 * `uploadData` returns.
 */
export type Settle = (outcomes: EntryOutcomes) => Promise<UploadResult>;

/** The first and the last queue id of entries that were sent. */
export type EntryRange = readonly [firstId: number, lastId: number];

export interface WaitingBatch {
  /** Oldest first. */
  readonly crud: readonly CrudEntry[];
  /** Whether more entries wait behind these. */
  readonly haveMore: boolean;
  readonly complete: CompleteLater;
  readonly settle: Settle;
}

export interface WaitingTransaction {
  readonly crud: readonly CrudEntry[];
  /** Undefined for an entry that belongs to none. */
  readonly transactionId: number | undefined;
  readonly complete: CompleteLater;
  readonly settle: Settle;
}

/** The queue and how its upload goes (spec/client.md 1.4). */
export interface UploadQueueStats extends QueueFigures {
  /** How often in a row the oldest entry was sent in vain; 0 where another process uploads. */
  readonly attempts: number;
  /** When it is sent again; undefined while nothing waits for that. */
  readonly nextRetryAt: Date | undefined;
}

export interface BatchOptions {
  /**
   * Whether changes of one row that stand side by side, and that nobody was given yet, are merged into one entry; false if left out. See `coalesced`.
   */
  readonly coalesce?: boolean | undefined;
}

/** Which entries, and in which form. */
export interface BatchRequest extends BatchOptions {
  readonly limit?: number | undefined;
  readonly integers?: IntegerMode | undefined;
}

/** What crosses to another thread. */
export type PlainBatch = Omit<WaitingBatch, 'complete' | 'settle'>;
export type PlainTransaction = Omit<WaitingTransaction, 'complete' | 'settle'>;

/** The upload queue in plain values, on whatever thread it is (spec/client.md 1.4). */
export interface UploadAccess {
  /** The oldest entries, whatever their transactions; undefined if there are none. */
  batch(request: BatchRequest): Promise<PlainBatch | undefined>;
  /** The transaction that follows the entry of the given queue id. */
  transactionAfter(clientId: number, integers?: IntegerMode): Promise<PlainTransaction | undefined>;
  /** Of the entry of this queue id and all earlier ones. Repeatable. */
  complete(lastId: number, ...parameters: Parameters<Complete>): Promise<void>;
  /** Repeatable: entries that are gone stay so. */
  settle(
    range: EntryRange,
    outcomes: readonly (readonly [number, EntryOutcome])[],
  ): Promise<UploadResult>;
  stats(withSize: boolean): Promise<QueueFigures>;
  /** Of dead letters. @throws ClientError `DEAD_LETTER` */
  requeue(clientIds: readonly number[]): Promise<void>;
  /** Of dead letters. @throws ClientError `DEAD_LETTER` */
  discard(clientIds: readonly number[]): Promise<void>;
}

/** What the app works with, over whoever has the queue. */
export class WaitingUploads {
  readonly #access: UploadAccess;
  readonly #integers: IntegerMode;

  constructor(access: UploadAccess, integers: IntegerMode) {
    this.#access = access;
    this.#integers = integers;
  }

  async batch(limit?: number, options?: BatchOptions): Promise<WaitingBatch | null> {
    const request = { ...options, limit, integers: this.#integers };
    return this.#completable(await this.#access.batch(request));
  }

  async transactionAfter(clientId: number): Promise<WaitingTransaction | null> {
    return this.#completable(await this.#access.transactionAfter(clientId, this.#integers));
  }

  /** From the oldest on, without removing them. */
  async *transactions(): AsyncGenerator<WaitingTransaction, void, undefined> {
    let last = 0;
    for (;;) {
      const transaction = await this.transactionAfter(last);
      if (transaction === null) return;
      last = lastOf(transaction.crud) ?? last;
      yield transaction;
    }
  }

  #completable<T extends { readonly crud: readonly CrudEntry[] }>(waiting: T | undefined) {
    const first = waiting?.crud[0]?.clientId;
    const last = waiting === undefined ? undefined : lastOf(waiting.crud);
    if (waiting === undefined || first === undefined || last === undefined) return null;
    const complete: CompleteLater = (...parameters) => this.#access.complete(last, ...parameters);
    const settle: Settle = (outcomes) => this.#access.settle([first, last], [...outcomes]);
    return { ...waiting, complete, settle };
  }
}

function lastOf(crud: readonly CrudEntry[]): number | undefined {
  return crud.at(-1)?.clientId;
}

export interface QueueInTurnOptions {
  readonly queue: UploadQueue;
  readonly letters: DeadLetters;
  readonly turns: Turns;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Entries left the queue, or came back to it, or dead letters came or went. */
  readonly onChanged: () => void;
}

/** The queue on this thread, in turn with the app's transactions. */
export class QueueInTurn implements UploadAccess {
  readonly #options: QueueInTurnOptions;

  constructor(options: QueueInTurnOptions) {
    this.#options = options;
  }

  async batch({
    limit,
    integers,
    coalesce = false,
  }: BatchRequest): ReturnType<UploadAccess['batch']> {
    const { queue, turns, onChanged } = this.#options;
    const { batch, isFewer } = await turns.run(() => {
      const fewer = coalesce ? queue.coalesce() : 0;
      return { isFewer: fewer > 0, batch: queue.batch(limit, integers) };
    });
    if (isFewer) onChanged();
    return plain(batch);
  }

  async transactionAfter(
    clientId: number,
    integers?: IntegerMode,
  ): ReturnType<UploadAccess['transactionAfter']> {
    const { queue, turns } = this.#options;
    return plain(await turns.run(() => queue.transactionAfter(clientId, integers)));
  }

  /** Also while the database closes: what the backend has should not be sent again. */
  async complete(lastId: number, ...parameters: Parameters<Complete>): Promise<void> {
    const { queue } = this.#options;
    await this.#change(() => queue.completeUpTo(lastId)(...parameters));
  }

  /** Also while the database closes. */
  async settle(
    [firstId, lastId]: EntryRange,
    outcomes: readonly (readonly [number, EntryOutcome])[],
  ): Promise<UploadResult> {
    const { queue, letters, now } = this.#options;
    return this.#change(() => {
      const sent = queue.between(firstId, lastId);
      const { retryAfterMs } = letters.settle(sent, new Map(outcomes), now());
      return { retryAfterMs };
    });
  }

  /** `beforeCommit` is the last thing of that transaction. */
  async requeue(clientIds: readonly number[], beforeCommit?: () => void): Promise<void> {
    const { letters, turns, now, onChanged } = this.#options;
    await turns.run(() => letters.requeue(clientIds, now(), beforeCommit));
    onChanged();
  }

  async discard(clientIds: readonly number[], beforeCommit?: () => void): Promise<void> {
    const { letters, turns, onChanged } = this.#options;
    await turns.run(() => letters.discard(clientIds, beforeCommit));
    onChanged();
  }

  stats(withSize: boolean): Promise<QueueFigures> {
    const { queue, turns, now } = this.#options;
    return turns.run(() => queue.stats(now(), withSize));
  }

  async #change<T>(body: () => T): Promise<T> {
    const { turns, onChanged } = this.#options;
    turns.checkOutside();
    await untilFree(turns);
    const result = body();
    onChanged();
    return result;
  }
}

/** Without what cannot go to another thread. */
function plain<T extends { readonly complete: Complete }>(
  waiting: T | undefined,
): Omit<T, 'complete'> | undefined {
  if (waiting === undefined) return undefined;
  const { complete: _, ...rest } = waiting;
  return rest;
}
