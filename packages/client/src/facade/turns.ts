import { orAborted, withTimeout, type ClientClock } from '../clock.ts';
import type { WriterTurn } from '../database/writer-turn.ts';
import { ClientError, DatabaseClosedError } from '../errors.ts';
import type { CallContext } from './call-context.ts';

export interface TurnOptions {
  readonly clock: ClientClock;
  readonly context: CallContext;
}

/** How long a call waits for those before it (spec/client.md 1.2). */
const TURN_TIMEOUT_MS = 120_000;

/** One caller's stay on a connection. */
class Turn {
  readonly turns: Turns;
  /** The turn on another connection inside which it was asked for. */
  readonly outer: Turn | undefined;
  isOver = false;

  constructor(turns: Turns, outer: Turn | undefined) {
    this.turns = turns;
    this.outer = outer;
  }
}

/**
 * Whose turn it is on one connection: callers in the order in which they came. What sync does is synchronous and needs no turn of its
 * own; it goes in between, where it waits for the end of a turn (`WriterTurn`).
 */
export class Turns implements WriterTurn {
  readonly #options: TurnOptions;
  readonly #waiting = new Set<{ readonly begin: () => void }>();
  readonly #closing = new AbortController();
  #current: Turn | undefined;
  #onFree: (() => void)[] = [];
  /** What waits for the end of a turn goes before the next caller. */
  #isYielding = false;

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  get isFree(): boolean {
    return this.#current === undefined;
  }

  whenFree(): Promise<void> {
    return new Promise((resolve) => this.#onFree.push(resolve));
  }

  /** @throws ClientError `REENTRANT` from inside a turn, as waiting for its end would never end */
  checkOutside(): void {
    for (let turn = this.#around(); turn !== undefined; turn = turn.outer) {
      if (turn.turns === this && !turn.isOver) throw reentrant();
    }
  }

  /**
   * Runs `body` alone, after everybody who came before.
   *
   * @throws ClientError `REENTRANT`; `BUSY` if the turn has not come after `timeoutMs`; DatabaseClosedError
   */
  async run<T>(body: () => T | Promise<T>, timeoutMs = TURN_TIMEOUT_MS): Promise<T> {
    this.checkOutside();
    const turn = new Turn(this, this.#around());
    if (this.#closing.signal.aborted) throw new DatabaseClosedError();
    if (this.isFree && !this.#isYielding && this.#waiting.size === 0) this.#current = turn;
    else await this.#comeUp(turn, timeoutMs);
    try {
      if (this.#closing.signal.aborted) throw new DatabaseClosedError();
      return await this.#options.context.run(turn, body);
    } finally {
      this.#end(turn);
    }
  }

  /** Who waits is refused; who has the turn loses it, and is left to find out. */
  close(): void {
    this.#closing.abort(new DatabaseClosedError());
    if (this.#current !== undefined) this.#end(this.#current);
  }

  #around(): Turn | undefined {
    const value = this.#options.context.getStore();
    return value instanceof Turn ? value : undefined;
  }

  async #comeUp(turn: Turn, timeoutMs: number): Promise<void> {
    const { signal } = this.#closing;
    const onTimeout = () =>
      new ClientError('BUSY', `Those before this call have not finished within ${timeoutMs} ms`);
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const waiter = {
      begin: () => {
        this.#current = turn;
        begin();
      },
    };
    this.#waiting.add(waiter);
    try {
      const timeout = { ms: timeoutMs, signal, onTimeout };
      await withTimeout(this.#options.clock, timeout, (either) => orAborted(begun, either));
    } catch (error) {
      this.#waiting.delete(waiter);
      this.#end(turn);
      throw error;
    }
  }

  #end(turn: Turn): void {
    turn.isOver = true;
    if (this.#current !== turn) return;
    this.#current = undefined;
    const onFree = this.#onFree;
    this.#onFree = [];
    for (const wake of onFree) wake();
    if (onFree.length === 0) this.#next();
    else void this.#yield();
  }

  async #yield(): Promise<void> {
    this.#isYielding = true;
    await this.#options.clock.sleep(0, new AbortController().signal);
    this.#isYielding = false;
    this.#next();
  }

  #next(): void {
    if (this.#isYielding || !this.isFree || this.#closing.signal.aborted) return;
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      return waiter.begin();
    }
  }
}

function reentrant(): ClientError {
  return new ClientError(
    'REENTRANT',
    'The database was called inside one of its own transactions, which would wait for itself: use the `tx` that the ' +
      'callback was given, and `tx.savepoint(...)` for a part that may fail alone',
  );
}
