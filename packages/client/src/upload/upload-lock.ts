import { orAborted } from '../clock.ts';

/**
 * Runs `body` while nobody else uploads from this database: Web Locks between tabs, a file between processes.
 * Rejects with the signal's reason if it aborts before the lock is there.
 */
export type UploadLock = (signal: AbortSignal, body: () => Promise<void>) => Promise<void>;

/** For a database that one process alone opens: those who share the lock wait for each other. */
export function inProcessLock(): UploadLock {
  let last: Promise<unknown> = Promise.resolve();
  return async (signal, body) => {
    const before = last;
    let release: () => void = () => undefined;
    const done = new Promise<void>((resolve) => (release = resolve));
    last = before.then(() => done);
    try {
      await orAborted(before, signal);
      await body();
    } finally {
      release();
    }
  };
}
