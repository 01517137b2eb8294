import { must } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';

export interface WriteCheckpointBatchesOptions {
  /** Reads the newest position of the source. */
  readonly head: () => Promise<SourcePosition>;
  /** Stores a user's new write checkpoint; `id` where the client chose it. */
  readonly store: (user: string, head: SourcePosition, id: bigint | undefined) => Promise<bigint>;
  /** Makes the source pass the head even when it is idle. */
  readonly mark: () => Promise<void>;
}

interface Request {
  readonly user: string;
  readonly id: bigint | undefined;
}

interface Batch {
  readonly requests: Request[];
  readonly values: Promise<readonly bigint[]>;
}

/** Batches that may be under way at the same time. */
const MAX_RUNNING = 3;

/**
 * Creates write checkpoints (spec/protocol.md 5.2). Requests that arrive together share one read of
 * the head and one mark. The order is what matters: the head is read after the request came, or it
 * might miss the client's upload; the mark follows the storing, or an idle source might never
 * reveal the checkpoint.
 */
export class WriteCheckpointBatches {
  readonly #options: WriteCheckpointBatchesOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  /** The batch that has not begun to read the head. */
  #open: Batch | undefined;

  constructor(options: WriteCheckpointBatchesOptions) {
    this.#options = options;
  }

  /** Resolves with the stored value; without an `id`, with one more than before. */
  async create(user: string, id?: bigint): Promise<bigint> {
    const batch = (this.#open ??= this.#newBatch());
    const index = batch.requests.push({ user, id }) - 1;
    return must((await batch.values)[index], 'a write checkpoint for each request of a batch');
  }

  #newBatch(): Batch {
    const requests: Request[] = [];
    return { requests, values: this.#run(requests) };
  }

  async #run(requests: readonly Request[]): Promise<readonly bigint[]> {
    await this.#turn();
    try {
      // From here on the batch is closed: the head that is read now is too old for whoever comes.
      this.#open = undefined;
      const head = await this.#options.head();
      const values: bigint[] = [];
      for (const { user, id } of requests) {
        values.push(await this.#options.store(user, head, id));
      }
      await this.#options.mark();
      return values;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Lets requests of the same moment join, then waits until fewer than the bound are running. */
  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#running >= MAX_RUNNING) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }
}
