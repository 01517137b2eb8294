/** Hands each value to every watcher, merged with those it has not taken yet. */
export class LatestChannel<T> {
  readonly #watchers = new Set<(value: T) => void>();

  send(value: T): void {
    for (const push of this.#watchers) push(value);
  }

  /** Misses none from the call on; `merge` folds a value into the one that waits. */
  watch(signal: AbortSignal, merge: (waiting: T, value: T) => T, first?: T): AsyncIterable<T> {
    let waiting = first;
    let wake = () => {};
    const push = (value: T) => {
      waiting = waiting === undefined ? value : merge(waiting, value);
      wake();
    };
    this.#watchers.add(push);
    signal.addEventListener('abort', () => wake(), { once: true });
    const watchers = this.#watchers;
    return (async function* () {
      try {
        while (!signal.aborted) {
          if (waiting === undefined) await new Promise<void>((resolve) => (wake = resolve));
          const value = waiting;
          waiting = undefined;
          if (value !== undefined && !signal.aborted) yield value;
        }
      } finally {
        watchers.delete(push);
      }
    })();
  }
}
