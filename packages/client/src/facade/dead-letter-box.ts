import type { IntegerMode } from '../driver/integer-mode.ts';
import { deadLetterOf, type DeadLetter } from '../crud/dead-letters.ts';
import { LatestValues } from '../watch/latest-values.ts';
import { rereading } from '../watch/rereading.ts';
import type { DatabaseAccess } from './database-access.ts';

/** Queue ids, as in `letter.entry.clientId`. */
type Ids = number | readonly number[];

/**
 * Writes that the backend refused, or that the connector set aside: out of the queue, so that what came after them goes on, until the
 * app deals with them. Of those that were refused the newest 1,000 are kept. Every change is also told as `uploadsChanged`.
 */
export interface DeadLetterBox {
  /** Newest first, 100 if not told otherwise. */
  list(options?: { readonly limit?: number | undefined }): Promise<readonly DeadLetter[]>;
  /** The list now, and whenever it is another one; only the latest waits for a slow reader. Ends with the database. */
  watch(options?: {
    readonly limit?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterableIterator<readonly DeadLetter[]>;
  /**
   * Puts entries at the end of the queue again, oldest first: all of them, or none. Their rows follow when the backend has taken them.
   *
   * @throws ClientError `DEAD_LETTER` if one is not there
   */
  requeue(clientIds: Ids): Promise<void>;
  /** Forgets them: all, or none. @throws ClientError `DEAD_LETTER` if one is not there */
  discard(clientIds: Ids): Promise<void>;
}

const DEFAULT_LIMIT = 100;
const NEWEST =
  'SELECT id, tx_id, data, state, reason, at FROM sluice_dead ORDER BY id DESC LIMIT ?';

/** Over whoever has the database. */
export class AccessedDeadLetters implements DeadLetterBox {
  readonly #access: DatabaseAccess;
  readonly #integers: IntegerMode;

  constructor(access: DatabaseAccess, integers: IntegerMode) {
    this.#access = access;
    this.#integers = integers;
  }

  async list({ limit = DEFAULT_LIMIT }: { readonly limit?: number | undefined } = {}): Promise<
    readonly DeadLetter[]
  > {
    const { rows } = await this.#access.select(NEWEST, [limit]);
    return rows.map((row) => deadLetterOf(row, this.#integers));
  }

  watch({
    limit,
    signal,
  }: {
    readonly limit?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {}): AsyncIterableIterator<readonly DeadLetter[]> {
    return new LatestValues<readonly DeadLetter[]>({
      signal,
      start: ({ push, fail, end }) => {
        let before: string | undefined;
        const read = rereading({
          read: () => this.list({ limit }),
          set: (letters) => {
            // What a queue id stands for never changes.
            const ids = letters.map(({ entry }) => entry.clientId).join();
            if (ids !== before) push(letters);
            before = ids;
          },
          onProblem: fail,
        });
        return this.#access.changes.subscribe(({ kind }) => {
          if (kind === 'closed') end();
          if (kind === 'uploaded') read();
        });
      },
    });
  }

  async requeue(clientIds: Ids): Promise<void> {
    await this.#access.uploads.requeue([clientIds].flat());
  }

  async discard(clientIds: Ids): Promise<void> {
    await this.#access.uploads.discard([clientIds].flat());
  }
}
