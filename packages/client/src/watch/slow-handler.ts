/** Calls one function with values, one at a time; of those that come while its promise is open, only the latest. */
export class SlowHandler<Value> {
  readonly #handle: (value: Value) => unknown;
  readonly #onError: (error: unknown) => void;
  #busy = false;
  #kept: { readonly value: Value } | undefined;
  #stopped = false;

  constructor(options: {
    readonly handle: (value: Value) => unknown;
    readonly onError: (error: unknown) => void;
  }) {
    this.#handle = options.handle;
    this.#onError = options.onError;
  }

  push(value: Value): void {
    if (this.#stopped) return;
    if (this.#busy) this.#kept = { value };
    else this.#call(value);
  }

  /** What is under way may finish, but neither it nor anything else is heard of. */
  stop(): void {
    this.#stopped = true;
    this.#kept = undefined;
  }

  #call(value: Value): void {
    try {
      const result = this.#handle(value);
      if (!(result instanceof Promise)) return;
      this.#busy = true;
      result
        .catch((error: unknown) => this.#failed(error))
        .then(
          () => this.#next(),
          () => this.#next(),
        );
    } catch (error) {
      this.#failed(error);
    }
  }

  #next(): void {
    this.#busy = false;
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) this.push(kept.value);
  }

  #failed(error: unknown): void {
    if (!this.#stopped) this.#onError(error);
  }
}
