import { pause, type ClientClock } from '../clock.ts';
import type { ChangeEvent, ChangeFeed } from './query-runner.ts';

export interface TableChangeEvent {
  /** In lower case. */
  readonly changedTables: readonly string[];
}

export interface TableChangesOptions {
  readonly changes: ChangeFeed;
  readonly clock: ClientClock;
  readonly throttleMs: number;
  /** In lower case; undefined: all. */
  readonly tables: ReadonlySet<string> | undefined;
  /** Begins with an event of no table. */
  readonly triggerImmediate: boolean;
  /** Called again only when its promise is settled; what changes meanwhile comes in one event. */
  readonly onEvent: (event: TableChangeEvent) => unknown;
  readonly onError: (error: unknown) => void;
  readonly onClosed: () => void;
}

/**
 * Tells which tables changed: `throttleMs` after the first change, with everything that came until then. Names are
 * merged, never replaced. Returns how to stop, which also drops an event that is due.
 */
export function watchTableChanges(options: TableChangesOptions): () => void {
  const feed = new TableChanges(options);
  return () => feed.stop();
}

export function mergedChanges(kept: TableChangeEvent, next: TableChangeEvent): TableChangeEvent {
  return { changedTables: [...new Set([...kept.changedTables, ...next.changedTables])] };
}

class TableChanges {
  readonly #options: TableChangesOptions;
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;
  #pending = new Set<string>();
  #busy = false;

  constructor(options: TableChangesOptions) {
    this.#options = options;
    this.#unsubscribe = options.changes.subscribe((event) => this.#onEvent(event));
    if (options.triggerImmediate) {
      this.#busy = true;
      queueMicrotask(() => void this.#deliver('at once'));
    }
  }

  stop(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#unsubscribe();
  }

  #onEvent(event: ChangeEvent): void {
    if (event.kind === 'closed') {
      this.stop();
      this.#options.onClosed();
      return;
    }
    if (event.kind !== 'committed') return;
    const { tables } = this.#options;
    for (const name of event.changes.keys()) {
      if (tables === undefined || tables.has(name)) this.#pending.add(name);
    }
    if (this.#busy || this.#pending.size === 0) return;
    this.#busy = true;
    void this.#deliver('after the window');
  }

  /** Until nothing is pending; one at a time, see `#busy`. */
  async #deliver(beginning: 'at once' | 'after the window'): Promise<void> {
    const { clock, onError, throttleMs } = this.#options;
    const { signal } = this.#stop;
    try {
      if (beginning === 'at once' && !signal.aborted) await this.#tell([]);
      while (!signal.aborted && this.#pending.size > 0) {
        await pause(clock, throttleMs, signal);
        if (!signal.aborted) await this.#tell(this.#takePending());
      }
    } catch (error) {
      onError(error);
    } finally {
      this.#busy = false;
    }
  }

  #takePending(): readonly string[] {
    const names = [...this.#pending];
    this.#pending = new Set();
    return names;
  }

  async #tell(changedTables: readonly string[]): Promise<void> {
    try {
      await this.#options.onEvent({ changedTables });
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#options.onError(error);
    }
  }
}
