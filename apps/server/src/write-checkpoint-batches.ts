import { must } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';

export interface WriteCheckpointBatchesOptions {
  /** Reads the newest position of the source. */
  readonly head: () => Promise<SourcePosition>;
  /** Stores a user's new write checkpoint. */
  readonly store: (user: string, head: SourcePosition) => Promise<bigint>;
  /** Makes the source pass the head even when it is idle. */
  readonly mark: () => Promise<void>;
}

interface Batch {
  readonly users: string[];
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

  async create(user: string): Promise<bigint> {
    const batch = (this.#open ??= this.#newBatch());
    const index = batch.users.push(user) - 1;
    return must((await batch.values)[index], 'a write checkpoint for each user of a batch');
  }

  #newBatch(): Batch {
    const users: string[] = [];
    return { users, values: this.#run(users) };
  }

  async #run(users: readonly string[]): Promise<readonly bigint[]> {
    await this.#turn();
    try {
      // From here on the batch is closed: the head that is read now is too old for whoever comes.
      this.#open = undefined;
      const head = await this.#options.head();
      const values: bigint[] = [];
      for (const user of users) values.push(await this.#options.store(user, head));
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
