import { abortError } from '../../clock.ts';
import { SyncStatus, type StatusFacts } from './sync-status.ts';

export type StatusListener = (status: SyncStatus) => void;

/** The status of now, and who wants to know of the next. */
export class StatusTracker {
  #current: SyncStatus;
  readonly #listeners = new Set<StatusListener>();
  readonly #onListenerError: (error: unknown) => void;

  /** `onListenerError` is told what a listener threw; the others are called nevertheless. */
  constructor(initial: Partial<StatusFacts>, onListenerError: (error: unknown) => void) {
    this.#current = new SyncStatus({ ...NOTHING, ...initial });
    this.#onListenerError = onListenerError;
  }

  get current(): SyncStatus {
    return this.#current;
  }

  /** Listeners are called only if something differs. */
  update(facts: Partial<StatusFacts>): void {
    const next = new SyncStatus({ ...this.#current.facts, ...facts });
    if (next.isEqual(this.#current)) return;
    this.#current = next;
    const listeners = [...this.#listeners]; // those of now, whatever they do to the list
    for (const listener of listeners) this.#call(listener, next);
  }

  /** Returns what ends it. Each call counts by itself. */
  listen(listener: StatusListener): () => void {
    const own: StatusListener = (status) => listener(status);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /**
   * The first status that `isMeant`, the one of now included.
   *
   * @throws the signal's reason
   */
  waitFor(isMeant: (status: SyncStatus) => boolean, signal?: AbortSignal): Promise<SyncStatus> {
    return new Promise((resolve, reject) => {
      const check = (status: SyncStatus): void => {
        try {
          if (isMeant(status)) finish(() => resolve(status));
        } catch (error) {
          finish(() => reject(error as Error));
        }
      };
      const abort = (): void => {
        if (signal !== undefined) finish(() => reject(abortError(signal)));
      };
      const stop = this.listen(check);
      const finish = (settle: () => void): void => {
        stop();
        signal?.removeEventListener('abort', abort);
        settle();
      };
      if (signal?.aborted === true) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      check(this.#current);
    });
  }

  /** @throws the signal's reason */
  async waitForFirstSync(
    options: { readonly signal?: AbortSignal; readonly priority?: number } = {},
  ): Promise<void> {
    const { signal, priority } = options;
    await this.waitFor(
      (status) =>
        priority === undefined ? status.hasSynced : status.statusForPriority(priority).hasSynced,
      signal,
    );
  }

  #call(listener: StatusListener, status: SyncStatus): void {
    try {
      listener(status);
    } catch (error) {
      this.#onListenerError(error);
    }
  }
}

const NOTHING: StatusFacts = {
  connected: false,
  connecting: false,
  uploading: false,
  paused: false,
  downloadError: undefined,
  uploadError: undefined,
  uploadAttempts: 0,
  nextUploadAtMs: undefined,
  syncedAt: [],
  progress: undefined,
  streams: [],
};
