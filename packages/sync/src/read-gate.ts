import { SyncError, type Clock } from '@sluice/base';

interface Waiter {
  readonly deadlineMs: number;
  /** Begins the read, so that what it does at once counts towards the slice. */
  readonly begin: () => void;
  readonly giveUp: (error: Error) => void;
}

export interface ReadGateOptions {
  readonly maxConcurrent: number;
  readonly waitMs: number;
  readonly clock: Clock;
  /** Resolves when the event loop has looked at everything else that waits. */
  readonly nextTurn: () => Promise<void>;
}

/**
 * `first` is what a client waits for that has been sent nothing of a bucket yet; `more` goes on
 * with a longer download.
 */
export type ReadLane = 'first' | 'more';

/** First reads that go ahead of a continued one while both wait, so that neither starves. */
const FIRST_PER_MORE = 3;
/** Reads are short but many: after so long, sockets and timers have their turn before the next. */
const SLICE_MS = 4;

/**
 * Lets a bounded number of reads run at a time, and no more in one turn of the event loop than fit
 * into a slice. The others wait in two lines, but not for ever: whoever wants a single row does not
 * stand behind everybody who downloads a million.
 */
export class ReadGate {
  readonly #options: ReadGateOptions;
  readonly #lines: Readonly<Record<ReadLane, Waiter[]>> = { first: [], more: [] };
  #running = 0;
  /** How many first reads went ahead since the last continued one. */
  #firstInRow = 0;
  /** When the first read of this turn of the event loop began. */
  #sliceSince: number | undefined;
  #isWatched = false;

  constructor(options: ReadGateOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#lines.first.length + this.#lines.more.length;
  }

  /** @throws SyncError `SYNC_OVERLOADED` when the turn does not come within `waitMs`. */
  run<T>(read: () => Promise<T>, lane: ReadLane = 'first'): Promise<T> {
    if (this.waiting === 0 && this.#hasRoom()) return this.#begin(read);
    const deadlineMs = this.#options.clock.now() + this.#options.waitMs;
    return new Promise((resolve, giveUp) => {
      const begin = () => resolve(this.#begin(read));
      this.#lines[lane].push({ deadlineMs, begin, giveUp });
      if (!this.#isWatched) void this.#watch();
    });
  }

  async #begin<T>(read: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await read();
    } finally {
      this.#running -= 1;
      this.#admit();
    }
  }

  #hasRoom(): boolean {
    return this.#running < this.#options.maxConcurrent && !this.#isSliceOver();
  }

  #isSliceOver(): boolean {
    const nowMs = this.#options.clock.now();
    if (this.#sliceSince !== undefined) return nowMs - this.#sliceSince >= SLICE_MS;
    this.#sliceSince = nowMs;
    void this.#options.nextTurn().then(() => {
      this.#sliceSince = undefined;
      this.#admit();
    });
    return false;
  }

  /** A slice that is over lets nobody in; its end calls this again. */
  #admit(): void {
    while (this.waiting > 0 && this.#hasRoom()) {
      this.#nextInLine()?.begin();
    }
  }

  #nextInLine(): Waiter | undefined {
    const { first, more } = this.#lines;
    const isTurnOfMore = first.length === 0 || this.#firstInRow >= FIRST_PER_MORE;
    const line = isTurnOfMore && more.length > 0 ? more : first;
    this.#firstInRow = line === more ? 0 : this.#firstInRow + 1;
    return line.shift();
  }

  /** One timer for all: those who came first are also those whose time is over first. */
  async #watch(): Promise<void> {
    const { clock, waitMs } = this.#options;
    this.#isWatched = true;
    while (this.waiting > 0) {
      const nowMs = clock.now();
      for (const line of [this.#lines.first, this.#lines.more]) {
        for (let [head] = line; head && head.deadlineMs <= nowMs; [head] = line) {
          line.shift();
          head.giveUp(overloaded(waitMs));
        }
      }
      const deadlines = [this.#lines.first[0], this.#lines.more[0]].map(
        (waiter) => waiter?.deadlineMs ?? Infinity,
      );
      const next = Math.min(...deadlines);
      if (next !== Infinity) await clock.sleep(next - clock.now());
    }
    this.#isWatched = false;
  }
}

function overloaded(waitMs: number): SyncError {
  return new SyncError(
    'SYNC_OVERLOADED',
    `No turn to read from bucket storage within ${waitMs} ms`,
  );
}
