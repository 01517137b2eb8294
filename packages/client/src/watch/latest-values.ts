/**
 * Values for one reader that may be slower than they come: only the latest is kept. `start` is called when the
 * reader first asks, with where to put values, and returns how to stop; that is called once, whatever ends the iteration.
 */
export class LatestValues<Value> implements AsyncIterableIterator<Value> {
  readonly #start: (sink: ValueSink<Value>) => () => void;
  readonly #merge: (kept: Value, next: Value) => Value;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: Waiting<Value>[] = [];
  #kept: { readonly value: Value } | undefined;
  #failure: { readonly error: unknown } | undefined;
  #stop: (() => void) | undefined;
  #ended = false;

  constructor(options: LatestValuesOptions<Value>) {
    this.#start = options.start;
    this.#merge = options.merge ?? ((_, next) => next);
    this.#signal = options.signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    this.#begin();
    const kept = this.#kept;
    const failure = this.#failure;
    this.#kept = undefined;
    if (kept !== undefined) return Promise.resolve({ done: false, value: kept.value });
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure.error);
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Value, undefined>> {
    this.#kept = undefined;
    this.#end();
    return Promise.resolve(DONE);
  }

  #begin(): void {
    if (this.#stop !== undefined || this.#ended) return;
    if (this.#signal?.aborted === true) {
      this.#ended = true;
      return;
    }
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#stop = this.#start({
      push: (value) => this.#push(value),
      fail: (error) => this.#fail(error),
      end: () => this.#end(),
    });
  }

  readonly #onAbort = () => void this.return();

  #push(value: Value): void {
    if (this.#ended) return;
    const reader = this.#waiting.shift();
    if (reader !== undefined) reader.resolve({ done: false, value });
    else this.#kept = { value: this.#kept ? this.#merge(this.#kept.value, value) : value };
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    const reader = this.#waiting.shift();
    if (reader !== undefined) reader.reject(error);
    else this.#failure = { error };
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stop?.();
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE);
  }
}

export interface ValueSink<Value> {
  readonly push: (value: Value) => void;
  /** Ends the iteration with an error, after the value that is kept. */
  readonly fail: (error: unknown) => void;
  readonly end: () => void;
}

export interface LatestValuesOptions<Value> {
  readonly start: (sink: ValueSink<Value>) => () => void;
  /** What a kept value and the next one become; without it the next one stays. */
  readonly merge?: (kept: Value, next: Value) => Value;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting<Value> {
  readonly resolve: (result: IteratorResult<Value, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE = { done: true, value: undefined } as const;
