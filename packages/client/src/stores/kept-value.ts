import { pause, type ClientClock } from '../clock.ts';
import { sameValue } from './same-value.ts';
import type { Store } from './store.ts';

export interface KeptValueOptions<Value> {
  readonly clock: Pick<ClientClock, 'sleep' | 'now' | 'elapsed'>;
  /** How long it is kept when the last listener has gone. */
  readonly graceMs: number;
  /** The value while nothing is connected. */
  readonly initial: Value;
  /** Begins to bring values. Returns how to stop, after which nothing it sets counts. */
  readonly connect: (set: (value: Value) => void) => () => void;
  readonly isEqual?: (a: Value, b: Value) => boolean;
  readonly onStarted?: () => void;
  /** Nobody wants it any more, and its time is over. A listener may come nevertheless, and starts it anew. */
  readonly onStopped?: () => void;
  /** Its time is over; a number is more time (ms). */
  readonly onLapse?: () => number | undefined;
}

/**
 * A value that is kept current while somebody wants it.
 *
 * ```
 *            subscribe, start               last listener leaves, or nobody subscribes
 *   stopped ------------------> connected ---------------------------------------------.
 *      ^                            ^                                                  |
 *      |                            `---------------- subscribe ----------------- lingering
 *      `------------------------------------------- time is over ----------------------'
 * ```
 *
 * The time in between is for frameworks that take components away and put them back (React's StrictMode, a change of page).
 * What was shown is forgotten when it stops: nobody should see rows of a user who has signed out meanwhile.
 */
export class KeptValue<Value> implements Store<Value> {
  readonly #options: KeptValueOptions<Value>;
  readonly #listeners = new Set<{ readonly tell: () => void }>();
  #value: Value;
  #connection: { stop: () => void } | undefined;
  #timer: AbortController | undefined;

  constructor(options: KeptValueOptions<Value>) {
    this.#options = options;
    this.#value = options.initial;
  }

  readonly getSnapshot = (): Value => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = { tell: listener };
    this.#listeners.add(own);
    this.#timer?.abort();
    this.start();
    return () => {
      if (this.#listeners.delete(own)) this.linger(this.#options.graceMs);
    };
  };

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  start(): void {
    if (this.#connection !== undefined) return;
    const connection = { stop: (): void => undefined };
    this.#connection = connection;
    this.#options.onStarted?.();
    connection.stop = this.#options.connect((value) => {
      if (this.#connection === connection) this.#set(value);
    });
  }

  /** Unless somebody listens, it stops after `ms`; an earlier such time counts no more. */
  linger(ms: number): void {
    if (this.isWatched) return;
    this.#timer?.abort();
    const timer = new AbortController();
    this.#timer = timer;
    void pause(this.#options.clock, ms, timer.signal).then((isOver) => {
      if (isOver) this.#lapse();
    });
  }

  /** From the beginning, with whoever listens. */
  restart(): void {
    this.#disconnect();
    this.#set(this.#options.initial);
    this.start();
  }

  stop(): void {
    this.#timer?.abort();
    this.#disconnect();
    this.#value = this.#options.initial;
    this.#options.onStopped?.();
  }

  #lapse(): void {
    if (this.isWatched) return;
    const moreMs = this.#options.onLapse?.();
    if (moreMs === undefined) this.stop();
    else this.linger(moreMs);
  }

  #disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.stop();
  }

  #set(value: Value): void {
    const { isEqual = sameValue } = this.#options;
    if (isEqual(this.#value, value)) return;
    this.#value = value;
    for (const listener of Array.from(this.#listeners)) {
      if (this.#listeners.has(listener)) listener.tell();
    }
  }
}
