import { orAborted, withTimeout, type ClientClock } from '../clock.ts';
import type { WriterTurn } from '../database/writer-turn.ts';
import { ClientError, DatabaseClosedError } from '../errors.ts';
import type { CallContext } from './call-context.ts';
import { CallScopes, type CallScope } from './call-scopes.ts';

export interface TurnOptions {
  readonly clock: ClientClock;
  readonly context: CallContext;
}

/** How long a call waits for those before it (spec/client.md 1.2). */
const TURN_TIMEOUT_MS = 120_000;

interface Waiter {
  readonly begin: () => void;
  /** Its own, as a signal that many listen to is taken for a leak. */
  readonly closing: AbortController;
}

/**
 * Whose turn it is on one connection: callers in the order in which they came. What sync does is synchronous and needs no turn of its
 * own; it goes in between, where it waits for the end of a turn (`WriterTurn`).
 */
export class Turns implements WriterTurn {
  readonly #options: TurnOptions;
  readonly #waiting = new Set<Waiter>();
  readonly #closing = new AbortController();
  readonly #scopes: CallScopes;
  #current: CallScope | undefined;
  #onFree: (() => void)[] = [];
  /** What waits for the end of a turn goes before the next caller. */
  #isYielding = false;

  constructor(options: TurnOptions) {
    this.#options = options;
    this.#scopes = new CallScopes(options.context);
  }

  get isFree(): boolean {
    return this.#current === undefined;
  }

  whenFree(): Promise<void> {
    return new Promise((resolve) => this.#onFree.push(resolve));
  }

  /** @throws ClientError `REENTRANT` from inside a turn, as waiting for its end would never end */
  checkOutside(): void {
    this.#scopes.checkOutside();
  }

  /**
   * Runs `body` alone, after everybody who came before.
   *
   * @throws ClientError `REENTRANT`; `BUSY` if the turn has not come after `timeoutMs`; DatabaseClosedError
   */
  async run<T>(body: () => T | Promise<T>, timeoutMs = TURN_TIMEOUT_MS): Promise<T> {
    this.checkOutside();
    const turn = this.#scopes.open();
    if (this.#closing.signal.aborted) throw new DatabaseClosedError();
    if (this.isFree && !this.#isYielding && this.#waiting.size === 0) this.#current = turn;
    else await this.#comeUp(turn, timeoutMs);
    try {
      if (this.#closing.signal.aborted) throw new DatabaseClosedError();
      return await this.#scopes.run(turn, body);
    } finally {
      this.#end(turn);
    }
  }

  /** Who waits is refused; who has the turn loses it, and is left to find out. */
  close(): void {
    const reason = new DatabaseClosedError();
    this.#closing.abort(reason);
    for (const { closing } of Array.from(this.#waiting)) closing.abort(reason);
    if (this.#current !== undefined) this.#end(this.#current);
  }

  async #comeUp(turn: CallScope, timeoutMs: number): Promise<void> {
    const closing = new AbortController();
    const onTimeout = () =>
      new ClientError('BUSY', `Those before this call have not finished within ${timeoutMs} ms`);
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const waiter: Waiter = {
      closing,
      begin: () => {
        this.#current = turn;
        begin();
      },
    };
    this.#waiting.add(waiter);
    try {
      const timeout = { ms: timeoutMs, signal: closing.signal, onTimeout };
      await withTimeout(this.#options.clock, timeout, (either) => orAborted(begun, either));
    } catch (error) {
      this.#waiting.delete(waiter);
      this.#end(turn);
      throw error;
    }
  }

  #end(turn: CallScope): void {
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
