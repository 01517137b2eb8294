/** Exponential delays with jitter: a pure description of what to wait next. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** 0..1, where 0.2 spreads each delay by plus or minus 20 %. */
  readonly jitter: number;
  /** A value in [0, 1). */
  readonly random: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The delay before the next attempt; doubles with every call until `maxMs`. */
  nextDelayMs(): number {
    const { firstMs, maxMs, jitter, random } = this.#options;
    const base = Math.min(maxMs, firstMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return Math.round(base * (1 + jitter * (2 * random() - 1)));
  }

  /** To be called after a success. */
  reset(): void {
    this.#attempt = 0;
  }
}
