/** Who wants to know whether something was committed. */
export class EndListeners {
  readonly #listeners: ((isCommitted: boolean) => void)[] = [];

  add(listener: (isCommitted: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** Tells all of them, once. */
  end(isCommitted: boolean): void {
    for (const listener of this.#listeners.splice(0)) listener(isCommitted);
  }
}
