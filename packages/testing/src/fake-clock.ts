import { abortReason, type Clock } from '@sluice/base';

interface Sleeper {
  readonly untilMs: number;
  readonly resolve: () => void;
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;
  #sleepers: Sleeper[] = [];

  constructor(nowMs = 1_800_000_000_000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** The same: nobody sets this clock back. */
  elapsed(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(abortReason(signal));
      };
      const sleeper: Sleeper = {
        untilMs: this.#nowMs + Math.max(0, ms),
        resolve: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Moves on, waking sleepers in the order of their times; each may act before the next wakes. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const due = this.#sleepers.filter((sleeper) => sleeper.untilMs <= endMs);
      const first = due.toSorted((a, b) => a.untilMs - b.untilMs)[0];
      if (first === undefined) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== first);
      this.#nowMs = Math.max(this.#nowMs, first.untilMs);
      first.resolve();
    }
    this.#nowMs = endMs;
    await settle();
  }
}

/** Lets everything that can happen without time passing happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
