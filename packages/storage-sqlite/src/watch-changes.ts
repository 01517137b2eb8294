import type { ChangeSignal, ChangeTopic } from './change-signal.ts';

export interface WatchOptions<T> {
  readonly signal: AbortSignal;
  readonly changes: ChangeSignal;
  readonly topic: ChangeTopic;
  /**
   * Reads what is new since it was called last; undefined when nothing is. Throws to end the
   * iteration, e.g. when the storage is closed.
   */
  readonly take: () => T | undefined;
}

/**
 * Yields what `take` finds, now and after each change, until the signal aborts. Listening starts
 * with the call, not with the first `next`. A slow consumer gets several changes in one take.
 */
export function watchChanges<T>(options: WatchOptions<T>): AsyncIterable<T> {
  const { signal, changes, topic } = options;
  let dirty = true;
  let wake: (() => void) | undefined;
  const notice = () => {
    dirty = true;
    wake?.();
  };
  const unlisten = changes.listen((changed) => {
    if (changed === topic || changed === 'anything') notice();
  });
  const stop = () => {
    unlisten();
    notice();
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });

  async function* iterate(): AsyncGenerator<T, void> {
    try {
      while (!signal.aborted) {
        if (!dirty) await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
        dirty = false;
        if (signal.aborted) return;
        const news = options.take();
        if (news === undefined) continue;
        yield news;
        dirty = true; // there may be more than one take can hold
      }
    } finally {
      signal.removeEventListener('abort', stop);
      unlisten();
    }
  }
  return iterate();
}
