import type { CrudEntry } from '../crud/crud-entry.ts';
import type { Complete, UploadQueue, UploadQueueStats } from '../crud/upload-queue.ts';
import { untilFree } from '../database/writer-turn.ts';
import type { Turns } from './turns.ts';

/** Removes these entries and all earlier ones: the backend has them. See `Complete`. */
export type CompleteLater = (...parameters: Parameters<Complete>) => Promise<void>;

export interface WaitingBatch {
  /** Oldest first. */
  readonly crud: readonly CrudEntry[];
  /** Whether more entries wait behind these. */
  readonly haveMore: boolean;
  readonly complete: CompleteLater;
}

export interface WaitingTransaction {
  readonly crud: readonly CrudEntry[];
  /** Undefined for an entry that belongs to none. */
  readonly transactionId: number | undefined;
  readonly complete: CompleteLater;
}

/** The upload queue in plain values, on whatever thread it is (spec/client.md 1.4). */
export interface UploadAccess {
  /** The oldest entries, whatever their transactions; undefined if there are none. */
  batch(limit?: number): Promise<Omit<WaitingBatch, 'complete'> | undefined>;
  /** The transaction that follows the entry of the given queue id. */
  transactionAfter(clientId: number): Promise<Omit<WaitingTransaction, 'complete'> | undefined>;
  /** Of the entry of this queue id and all earlier ones. Repeatable. */
  complete(lastId: number, ...parameters: Parameters<Complete>): Promise<void>;
  stats(withSize: boolean): Promise<UploadQueueStats>;
}

/** What the app works with, over whoever has the queue. */
export class WaitingUploads {
  readonly #access: UploadAccess;

  constructor(access: UploadAccess) {
    this.#access = access;
  }

  async batch(limit?: number): Promise<WaitingBatch | null> {
    return this.#completable(await this.#access.batch(limit));
  }

  async transactionAfter(clientId: number): Promise<WaitingTransaction | null> {
    return this.#completable(await this.#access.transactionAfter(clientId));
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
    const last = waiting === undefined ? undefined : lastOf(waiting.crud);
    if (waiting === undefined || last === undefined) return null;
    const complete: CompleteLater = (...parameters) => this.#access.complete(last, ...parameters);
    return { ...waiting, complete };
  }
}

function lastOf(crud: readonly CrudEntry[]): number | undefined {
  return crud.at(-1)?.clientId;
}

export interface QueueInTurnOptions {
  readonly queue: UploadQueue;
  readonly turns: Turns;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onCompleted: () => void;
}

/** The queue on this thread, in turn with the app's transactions. */
export class QueueInTurn implements UploadAccess {
  readonly #options: QueueInTurnOptions;

  constructor(options: QueueInTurnOptions) {
    this.#options = options;
  }

  async batch(limit?: number): ReturnType<UploadAccess['batch']> {
    const { queue, turns } = this.#options;
    return plain(await turns.run(() => queue.batch(limit)));
  }

  async transactionAfter(clientId: number): ReturnType<UploadAccess['transactionAfter']> {
    const { queue, turns } = this.#options;
    return plain(await turns.run(() => queue.transactionAfter(clientId)));
  }

  /** Also while the database closes: what the backend has should not be sent again. */
  async complete(lastId: number, ...parameters: Parameters<Complete>): Promise<void> {
    const { queue, turns, onCompleted } = this.#options;
    turns.checkOutside();
    await untilFree(turns);
    queue.completeUpTo(lastId)(...parameters);
    onCompleted();
  }

  stats(withSize: boolean): Promise<UploadQueueStats> {
    const { queue, turns, now } = this.#options;
    return turns.run(() => queue.stats(now(), withSize));
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
