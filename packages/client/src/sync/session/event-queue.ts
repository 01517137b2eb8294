import { untilFree, type WriterTurn } from '../../database/writer-turn.ts';

export interface EventQueueOptions<Event> {
  readonly turn: WriterTurn;
  /** Done when it returns. Events that it posts come after. */
  readonly handle: (event: Event) => void;
}

/** Handles one event at a time, in order: at once, unless the app has a transaction open; then all wait for its end. */
export class EventQueue<Event> {
  readonly #options: EventQueueOptions<Event>;
  readonly #events: Event[] = [];
  #isHandling = false;
  /** While events wait for the writer's connection. */
  #waiting: Promise<void> | undefined;

  constructor(options: EventQueueOptions<Event>) {
    this.#options = options;
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  post(event: Event): void {
    this.#events.push(event);
    this.#handleAll();
  }

  /** Before all that wait. */
  postFirst(event: Event): void {
    this.#events.unshift(event);
    this.#handleAll();
  }

  /** Resolves when nothing waits for the app any more. */
  async caughtUp(): Promise<void> {
    while (this.#waiting !== undefined) await this.#waiting;
  }

  #handleAll(): void {
    if (this.#isHandling) return;
    this.#isHandling = true;
    const { turn, handle } = this.#options;
    try {
      while (turn.isFree) {
        const next = this.#events.shift();
        if (next === undefined) return;
        handle(next);
      }
    } finally {
      this.#isHandling = false;
    }
    if (this.#events.length > 0) this.#waiting ??= this.#handleInTurn();
  }

  async #handleInTurn(): Promise<void> {
    await untilFree(this.#options.turn);
    this.#waiting = undefined;
    this.#handleAll();
  }
}
