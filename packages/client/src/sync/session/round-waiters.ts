import { orAborted } from '../../clock.ts';
import type { ClientError } from '../../errors.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: ClientError) => void;
}

/** Whoever wants one round of sync and no more: it ends with a full publish, or with the first failure. */
export class RoundWaiters {
  readonly #waiters = new Set<Waiter>();

  /**
   * Begins a round, and waits for its end.
   *
   * @throws what `end` is given; the signal's reason
   */
  async wait(signal: AbortSignal, begin: () => void): Promise<void> {
    let waiter: Waiter | undefined;
    const ended = new Promise<void>((resolve, reject) => {
      waiter = { resolve, reject };
      this.#waiters.add(waiter);
    });
    try {
      begin();
      await orAborted(ended, signal);
    } finally {
      if (waiter !== undefined) this.#waiters.delete(waiter);
    }
  }

  end(error: ClientError | undefined): void {
    for (const { resolve, reject } of this.#waiters) {
      if (error === undefined) resolve();
      else reject(error);
    }
    this.#waiters.clear();
  }
}
