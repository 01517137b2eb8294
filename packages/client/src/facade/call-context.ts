/**
 * Follows a call through everything that it awaits, as `AsyncLocalStorage` of Node.js does. By it a database knows that it is called from
 * inside a transaction, which would wait for itself; without one such a call ends with the timeout of its wait.
 */
export interface CallContext {
  run<T>(value: unknown, body: () => T): T;
  /** What the innermost `run` around this call was given. */
  getStore(): unknown;
}

/** For platforms that cannot follow calls. */
export const NO_CALL_CONTEXT: CallContext = {
  run: (_, body) => body(),
  getStore: () => undefined,
};
