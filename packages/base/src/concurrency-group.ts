/**
 * A bound on requests that run at the same time, and on those that wait for their turn
 * (spec/protocol.md 1.1.7).
 */
export class ConcurrencyGroup {
  readonly #maxRunning: number;
  readonly #maxQueued: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(limits: { readonly maxRunning: number; readonly maxQueued: number }) {
    this.#maxRunning = limits.maxRunning;
    this.#maxQueued = limits.maxQueued;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Resolves with what ends the turn (once; more calls do nothing), or undefined when full. */
  async enter(): Promise<(() => void) | undefined> {
    if (this.#running < this.#maxRunning) this.#running += 1;
    else if (this.#queue.length >= this.#maxQueued) return undefined;
    // The turn of whoever leaves passes on, so `#running` stays.
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#queue.shift();
      if (next) next();
      else this.#running -= 1;
    };
  }
}
