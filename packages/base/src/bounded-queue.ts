import { assert } from './assert.ts';

/**
 * A queue between one producer and one consumer that holds at most `maxWeight`.
 *
 * `push` resolves when the item is in, which is at once while there is room; a single item heavier
 * than the bound comes alone. Iterating takes items in order until `close` or `fail`.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #maxWeight: number;
  readonly #items: { readonly item: T; readonly weight: number }[] = [];
  #weight = 0;
  #ended = false;
  #error: Error | undefined;
  #wakeConsumer: (() => void) | undefined;
  #wakeProducers: (() => void)[] = [];

  constructor(maxWeight: number) {
    assert(maxWeight > 0, 'a queue has room');
    this.#maxWeight = maxWeight;
  }

  get weight(): number {
    return this.#weight;
  }

  /** Resolves to false when the consumer has gone, so that the producer can stop. */
  async push(item: T, weight = 1): Promise<boolean> {
    while (!this.#ended && this.#weight > 0 && this.#weight + weight > this.#maxWeight) {
      await new Promise<void>((resolve) => this.#wakeProducers.push(resolve));
    }
    if (this.#ended) return false;
    this.#items.push({ item, weight });
    this.#weight += weight;
    this.#wakeConsumer?.();
    return true;
  }

  /** No more items; those inside are still delivered. */
  close(): void {
    this.#end();
  }

  /** Ends the iteration with `error` after the items inside. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#wakeConsumer?.();
    this.#releaseProducers();
  }

  #releaseProducers(): void {
    const waiting = this.#wakeProducers;
    this.#wakeProducers = [];
    for (const wake of waiting) wake();
  }

  /** The next item, or undefined at the end. */
  async take(): Promise<T | undefined> {
    for (;;) {
      const head = this.#items.shift();
      if (head !== undefined) {
        this.#weight -= head.weight;
        this.#releaseProducers();
        return head.item;
      }
      if (this.#error) throw this.#error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => (this.#wakeConsumer = resolve));
      this.#wakeConsumer = undefined;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    try {
      for (;;) {
        const item = await this.take();
        if (item === undefined) return;
        yield item;
      }
    } finally {
      this.#items.length = 0;
      this.#weight = 0;
      this.#end();
    }
  }
}
