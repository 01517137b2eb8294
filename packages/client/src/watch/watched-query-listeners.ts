import { guardedCall } from './guarded-call.ts';
import type { RowDifference } from './row-difference.ts';
import type { WatchedQuerySettings, WatchedQueryState } from './watched-query.ts';

export interface WatchedQueryListener<Query, Row> {
  readonly onData?: (data: readonly Row[]) => void;
  readonly onError?: (error: unknown) => void;
  readonly onStateChange?: (state: WatchedQueryState<Row>) => void;
  /** Of differential watches only. */
  readonly onDiff?: (difference: RowDifference<Row>) => void;
  readonly settingsWillUpdate?: (settings: WatchedQuerySettings<Query, Row>) => void;
  readonly closed?: () => void;
}

type Kind = keyof WatchedQueryListener<unknown, unknown>;

/** One that throws, or whose promise rejects, does not keep others from being told. */
export class WatchedQueryListeners<Query, Row> {
  readonly #onListenerError: (error: unknown) => void;
  readonly #listeners = new Set<WatchedQueryListener<Query, Row>>();

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  get counts(): Readonly<Record<Kind, number>> {
    const all = [...this.#listeners];
    const count = (kind: Kind) => all.filter((listener) => listener[kind] !== undefined).length;
    return {
      onData: count('onData'),
      onError: count('onError'),
      onStateChange: count('onStateChange'),
      onDiff: count('onDiff'),
      settingsWillUpdate: count('settingsWillUpdate'),
      closed: count('closed'),
    };
  }

  add(listener: WatchedQueryListener<Query, Row>): () => void {
    // A copy, so that the same object may be registered twice.
    const own = { ...listener };
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  clear(): void {
    this.#listeners.clear();
  }

  tell<K extends Kind>(
    kind: K,
    ...values: Parameters<NonNullable<WatchedQueryListener<Query, Row>[K]>>
  ): void {
    for (const listener of Array.from(this.#listeners)) {
      if (!this.#listeners.has(listener)) continue;
      guardedCall(() => (listener[kind] as CallbackOf<typeof values>)?.(...values), {
        onError: this.#onListenerError,
      });
    }
  }
}

type CallbackOf<Values extends readonly unknown[]> = ((...values: Values) => unknown) | undefined;
