/** Hands values to subscribers; what one does not take in time is merged into one value. */
export class ConflatedFeed<T> {
  readonly #merge: (older: T, newer: T) => T;
  readonly #subscriptions = new Set<Subscription<T>>();

  constructor(merge: (older: T, newer: T) => T) {
    this.#merge = merge;
  }

  publish(value: T): void {
    for (const subscription of this.#subscriptions) subscription.offer(value);
  }

  /** Registers at once, so that nothing published after this call is missed. Ends with the signal. */
  subscribe(signal: AbortSignal, first?: T): AsyncIterable<T> {
    const subscription = new Subscription<T>(this.#merge, () => {
      this.#subscriptions.delete(subscription);
    });
    if (first !== undefined) subscription.offer(first);
    if (signal.aborted) subscription.end();
    else this.#subscriptions.add(subscription);
    signal.addEventListener('abort', () => subscription.end(), { once: true });
    return subscription;
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.end();
  }
}

class Subscription<T> implements AsyncIterable<T> {
  readonly #merge: (older: T, newer: T) => T;
  readonly #onEnd: () => void;
  #pending: { readonly value: T } | undefined;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(merge: (older: T, newer: T) => T, onEnd: () => void) {
    this.#merge = merge;
    this.#onEnd = onEnd;
  }

  offer(value: T): void {
    const older = this.#pending;
    this.#pending = { value: older === undefined ? value : this.#merge(older.value, value) };
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#onEnd();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    try {
      while (!this.#ended) {
        const next = this.#pending;
        this.#pending = undefined;
        if (next !== undefined) yield next.value;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.end();
    }
  }
}
