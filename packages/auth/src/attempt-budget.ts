import type { Clock } from '@sluice/base';

/**
 * How often something may be tried: 10 attempts in stock, one more per minute. The less stock is
 * left, the longer the pause since the last attempt must be (quadratically, up to 10 s).
 */
export class AttemptBudget {
  readonly #clock: Clock;
  #stock = CAPACITY;
  #refilledAtMs: number;
  #lastAtMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#refilledAtMs = clock.now();
  }

  /** Takes one attempt, if one may be made now. */
  take(): boolean {
    const now = this.#clock.now();
    const refill = Math.floor((now - this.#refilledAtMs) / REFILL_MS);
    if (refill > 0) {
      this.#stock = Math.min(CAPACITY, this.#stock + refill);
      this.#refilledAtMs += refill * REFILL_MS;
    }
    const pauseMs = (CAPACITY - this.#stock) ** 2 * PAUSE_STEP_MS;
    if (this.#stock === 0 || now - this.#lastAtMs < pauseMs) return false;
    this.#stock -= 1;
    this.#lastAtMs = now;
    return true;
  }
}

const CAPACITY = 10;
const REFILL_MS = 60_000;
const PAUSE_STEP_MS = 100;
