/** Time as an argument, so that tests can drive it. */
export interface ClientClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds from an arbitrary start; only goes forward, also when the device's time is set. */
  elapsed(): number;
  /** Resolves after `ms`, or rejects once the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Waits for `ms`; false if the signal aborted before. */
export async function pause(clock: ClientClock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/**
 * Settles as `body` does, or rejects with `onTimeout()` after `ms`. `body`'s signal aborts then, and with `signal` as
 * long as `body` has not settled.
 */
export async function withTimeout<T>(
  clock: ClientClock,
  options: { readonly ms: number; readonly signal: AbortSignal; readonly onTimeout: () => Error },
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (options.signal.aborted) throw abortError(options.signal);
  const inner = new AbortController();
  const timer = new AbortController();
  const forward = (): void => inner.abort(options.signal.reason);
  options.signal.addEventListener('abort', forward, { once: true });
  let late: Error | undefined;
  const timeout = pause(clock, options.ms, timer.signal).then((isLate): Promise<T> => {
    if (!isLate) return new Promise(() => undefined);
    late = options.onTimeout();
    inner.abort(late);
    return Promise.reject(late);
  });
  try {
    return await Promise.race([body(inner.signal), timeout]);
  } catch (error) {
    throw late ?? error; // whatever the aborted body made of it
  } finally {
    timer.abort();
    options.signal.removeEventListener('abort', forward);
  }
}

export const systemClock: ClientClock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(abortError(signal));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      }, ms);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    }),
};

/** Settles as `promise` does, or rejects as soon as the signal aborts. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(abortError(signal));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The signal's reason as an Error. */
export function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new DOMException('Aborted', 'AbortError');
}
