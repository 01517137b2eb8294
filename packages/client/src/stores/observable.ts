import type { Store } from './store.ts';

export interface Observer<Value> {
  readonly next?: (value: Value) => void;
}

/** As much of an observable as libraries ask for: RxJS takes it in `from()`. */
export interface StoreObservable<Value> {
  /** Gives the current value at once, then each next one. It neither completes nor fails. */
  subscribe(observer: Observer<Value> | ((value: Value) => void)): { unsubscribe(): void };
}

export function toObservable<Value>(store: Store<Value>): StoreObservable<Value> {
  const observable: StoreObservable<Value> = {
    subscribe: (observer) => {
      const next = typeof observer === 'function' ? observer : observer.next?.bind(observer);
      const tell = (): void => next?.(store.getSnapshot());
      const unsubscribe = store.subscribe(tell);
      tell();
      return { unsubscribe };
    },
  };
  const key = (Symbol as { observable?: symbol }).observable ?? '@@observable';
  return Object.assign(observable, { [key]: () => observable });
}

/** A value to read and to follow: the shape of a Svelte store and of a Preact signal. */
export interface ReadonlySignal<Value> {
  /** What the store has now; kept current while somebody follows it. */
  readonly value: Value;
  /** Calls back with the current value at once, then with each next one. Returns how to stop. */
  subscribe(run: (value: Value) => void): () => void;
}

export function toSignal<Value>(store: Store<Value>): ReadonlySignal<Value> {
  return {
    get value() {
      return store.getSnapshot();
    },
    subscribe: (run) => {
      const subscription = toObservable(store).subscribe(run);
      return () => subscription.unsubscribe();
    },
  };
}
