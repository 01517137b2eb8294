import { pause, type Clock } from '@sluice/base';

/** Calls back at the earliest of the times asked for since it last did; holds one timer at most. */
export class Waker {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #wake: () => void;
  #pending: { readonly atMs: number; readonly stop: AbortController } | undefined;

  constructor(clock: Clock, signal: AbortSignal, wake: () => void) {
    this.#clock = clock;
    this.#signal = signal;
    this.#wake = wake;
    signal.addEventListener('abort', () => this.#pending?.stop.abort(), { once: true });
  }

  wakeAfter(delayMs: number): void {
    const atMs = this.#clock.now() + delayMs;
    if (this.#signal.aborted || (this.#pending && this.#pending.atMs <= atMs)) return;
    this.#pending?.stop.abort();
    this.#pending = { atMs, stop: new AbortController() };
    void this.#wait(delayMs, this.#pending.stop.signal);
  }

  async #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    await pause(this.#clock, delayMs, signal);
    if (signal.aborted) return;
    this.#pending = undefined;
    this.#wake();
  }
}
