import { SyncError, type Clock } from '@sluice/base';

interface Waiter {
  readonly deadlineMs: number;
  readonly enter: () => void;
  readonly giveUp: (error: Error) => void;
}

export interface ReadGateOptions {
  readonly maxConcurrent: number;
  readonly waitMs: number;
  readonly clock: Clock;
}

/** Lets a bounded number of reads run at a time; the others wait in order, but not for ever. */
export class ReadGate {
  readonly #options: ReadGateOptions;
  #running = 0;
  #waiting: Waiter[] = [];
  #isWatched = false;

  constructor(options: ReadGateOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** @throws SyncError `SYNC_OVERLOADED` when the turn does not come within `waitMs`. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#options.maxConcurrent) await this.#turn();
    else this.#running += 1;
    try {
      return await read();
    } finally {
      this.#leave();
    }
  }

  #turn(): Promise<void> {
    const deadlineMs = this.#options.clock.now() + this.#options.waitMs;
    return new Promise((enter, giveUp) => {
      this.#waiting.push({ deadlineMs, enter, giveUp });
      if (!this.#isWatched) void this.#watch();
    });
  }

  /** The place goes to the first in line, without becoming free in between. */
  #leave(): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#running -= 1;
    else first.enter();
  }

  /** One timer for all: those who came first are also those whose time is over first. */
  async #watch(): Promise<void> {
    const { clock, waitMs } = this.#options;
    this.#isWatched = true;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const leftMs = first.deadlineMs - clock.now();
      if (leftMs > 0) {
        await clock.sleep(leftMs);
        continue;
      }
      this.#waiting.shift();
      const waited = `${waitMs} ms`;
      first.giveUp(
        new SyncError('SYNC_OVERLOADED', `No turn to read from bucket storage within ${waited}`),
      );
    }
    this.#isWatched = false;
  }
}
