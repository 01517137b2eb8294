/** A value and who wants to know of the next one: what frameworks bind to, like React's `useSyncExternalStore`. */
export interface Store<Value> {
  /** The same object until the value changes. */
  readonly getSnapshot: () => Value;
  /** The listener is told after each change. Returns how to stop; repeatable. */
  readonly subscribe: (listener: () => void) => () => void;
}
