/** Closes what was opened, the last first; Node 20 lacks AsyncDisposableStack. */
export class ClosingList implements AsyncDisposable {
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** Adds a thing that is disposed of when the list is, and gives it back. */
  use<T extends AsyncDisposable>(thing: T): T {
    this.#closers.push(async () => thing[Symbol.asyncDispose]());
    return thing;
  }

  defer(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  /** @throws AggregateError after everything was tried. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, 'Several things could not be closed');
  }
}
