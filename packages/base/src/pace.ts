import type { Clock } from './clock.ts';

/** Asked by long work, after every few items, whether others are to have their turn first. */
export interface Pace {
  /** Undefined while the work may go on at once; else resolves when its turn has come again. */
  giveWay(): Promise<void> | undefined;
}

/** Never gives way: for work that is known to be short, and for threads that have nothing else. */
export const UNPACED: Pace = { giveWay: () => undefined };

/** Items of a long loop between two questions; a microsecond or two each. */
export const PACED_ITEMS = 64;

/** How long paced work may hold the event loop before everything else that waits has its turn. */
const SLICE_MS = 4;
/** Works that go on together when a turn comes: each may do `PACED_ITEMS` after the slice is over. */
const RESUMED_TOGETHER = 16;

export interface FairTurnsOptions {
  readonly clock: Clock;
  /** Resolves when the event loop has looked at everything else that waits. */
  readonly nextTurn: () => Promise<void>;
}

/**
 * One slice of every turn of the event loop for all paced work together, however many do it; what
 * does not fit waits in a line for the next turns.
 */
export class FairTurns implements Pace {
  readonly #options: FairTurnsOptions;
  readonly #waiting: (() => void)[] = [];
  /** When the first paced work of this turn began. */
  #sliceSince: number | undefined;

  constructor(options: FairTurnsOptions) {
    this.#options = options;
  }

  /** Works that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  giveWay(): Promise<void> | undefined {
    if (this.#sliceSince === undefined) this.#begin();
    else if (this.#waiting.length > 0 || this.#isOver(this.#sliceSince)) {
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    return undefined;
  }

  #isOver(sinceMs: number): boolean {
    return this.#options.clock.now() - sinceMs >= SLICE_MS;
  }

  /** Somebody who waits has the next turn, so the line is empty whenever there is no slice. */
  #begin(): void {
    this.#sliceSince = this.#options.clock.now();
    void this.#options.nextTurn().then(() => {
      this.#sliceSince = undefined;
      if (this.#waiting.length === 0) return;
      this.#begin();
      for (const resume of this.#waiting.splice(0, RESUMED_TOGETHER)) resume();
    });
  }
}

/** `each` for all items in order, giving way after every `PACED_ITEMS`. What it throws rejects. */
export async function pacedEach<T>(
  items: Iterable<T>,
  pace: Pace,
  each: (item: T) => void,
): Promise<void> {
  let left = PACED_ITEMS;
  for (const item of items) {
    each(item);
    left -= 1;
    if (left > 0) continue;
    left = PACED_ITEMS;
    const turn = pace.giveWay();
    if (turn !== undefined) await turn;
  }
}
