import type { ChangeEvent, ChangeFeed } from '../watch/query-runner.ts';

/** Tells live queries what changed, in the order in which it did. */
export class ChangeHub implements ChangeFeed {
  readonly #listeners = new Set<(event: ChangeEvent) => void>();
  readonly #onProblem: (error: unknown) => void;
  #isClosed = false;

  constructor(onProblem: (error: unknown) => void) {
    this.#onProblem = onProblem;
  }

  subscribe(listener: (event: ChangeEvent) => void): () => void {
    const own = (event: ChangeEvent) => listener(event);
    this.#listeners.add(own);
    if (this.#isClosed) queueMicrotask(() => own({ kind: 'closed' }));
    return () => void this.#listeners.delete(own);
  }

  close(): void {
    this.#isClosed = true;
    this.tell({ kind: 'closed' });
    this.#listeners.clear();
  }

  tell(event: ChangeEvent): void {
    if (event.kind === 'committed' && event.changes.size === 0) return;
    for (const listener of Array.from(this.#listeners)) {
      try {
        listener(event);
      } catch (error) {
        this.#onProblem(error);
      }
    }
  }
}
