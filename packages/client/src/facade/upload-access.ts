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

export interface UploadAccessOptions {
  readonly queue: UploadQueue;
  readonly turns: Turns;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onCompleted: () => void;
}

/** The upload queue as the app's thread sees it (spec/client.md 1.4): in turn with its transactions. */
export class UploadAccess {
  readonly #options: UploadAccessOptions;

  constructor(options: UploadAccessOptions) {
    this.#options = options;
  }

  async batch(limit?: number): Promise<WaitingBatch | null> {
    const { queue, turns } = this.#options;
    return this.#later(await turns.run(() => queue.batch(limit)));
  }

  async transactionAfter(clientId: number): Promise<WaitingTransaction | null> {
    const { queue, turns } = this.#options;
    return this.#later(await turns.run(() => queue.transactionAfter(clientId)));
  }

  /** From the oldest on, without removing them. */
  async *transactions(): AsyncGenerator<WaitingTransaction, void, undefined> {
    let last = 0;
    for (;;) {
      const transaction = await this.transactionAfter(last);
      if (transaction === null) return;
      last = transaction.crud.at(-1)?.clientId ?? last;
      yield transaction;
    }
  }

  stats(withSize: boolean): Promise<UploadQueueStats> {
    const { queue, turns, now } = this.#options;
    return turns.run(() => queue.stats(now(), withSize));
  }

  /** Also while the database closes: what the backend has should not be sent again. */
  #later<T extends { readonly complete: Complete }>(waiting: T | undefined) {
    if (waiting === undefined) return null;
    const { turns, onCompleted } = this.#options;
    const complete: CompleteLater = async (...parameters) => {
      turns.checkOutside();
      await untilFree(turns);
      waiting.complete(...parameters);
      onCompleted();
    };
    return { ...waiting, complete };
  }
}
