/** Of the time between two looks, no more than this counts: a thread that was frozen, or throttled, has itself missed what it was told. */
const MAX_STEP_MS = 1_000;

/** How long another thread has said nothing, in time that this one was awake for. All times are milliseconds of a clock that only goes forward. */
export class Silence {
  #lookedAt: number;
  #silentMs = 0;

  constructor(now: number) {
    this.#lookedAt = now;
  }

  /** It said something. */
  heard(now: number): void {
    this.#lookedAt = now;
    this.#silentMs = 0;
  }

  /** To be called again and again. */
  look(now: number): number {
    this.#silentMs += Math.min(now - this.#lookedAt, MAX_STEP_MS);
    this.#lookedAt = now;
    return this.#silentMs;
  }
}
