import { setImmediate } from 'node:timers/promises';

/**
 * Lets in those who open a stream one by one, each in a turn of the event loop of its own, so that
 * streams that are open already have theirs in between when thousands connect at once. How many may
 * wait is bounded by the group of the route. While nobody waits it costs nothing.
 */
export class Turnstile {
  readonly #waiting: (() => void)[] = [];
  #isTurning = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  async enter(): Promise<void> {
    if (this.#isTurning) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return;
    }
    void this.#turn();
  }

  async #turn(): Promise<void> {
    this.#isTurning = true;
    for (;;) {
      await setImmediate();
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next();
    }
    this.#isTurning = false;
  }
}
