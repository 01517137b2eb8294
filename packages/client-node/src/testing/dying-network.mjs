// A `networkModule` whose first request is the end of its thread.
export function fetch() {
  queueMicrotask(() => {
    throw new Error('The thread dies');
  });
  return new Promise(() => undefined);
}
