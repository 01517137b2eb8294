import { pause, type ClientClock } from '../clock.ts';
import { isAffected } from '../changes/affected.ts';
import type { StatementReads } from '../changes/statement-analyzer.ts';
import type { SqlParameter } from '../driver/contract.ts';
import type { ChangeEvent, ChangeFeed } from './query-runner.ts';

/** Who waits for results. None of these throws. */
export interface ResultListener<Result> {
  running?(): void;
  result(result: Result): void;
  failed(error: unknown): void;
  /** The database closed; nothing comes after it. */
  closed(): void;
}

export interface ResultSource<Result> {
  /** Nothing is called before this returns. Returns how to stop; repeatable. */
  subscribe(listener: ResultListener<Result>): () => void;
  /** Runs although nothing is known to have changed. Resolves when a run that began after this call has ended, however. */
  refresh(): Promise<void>;
}

export interface ExecutionOptions<Result> {
  readonly run: (signal: AbortSignal) => Promise<Result>;
  readonly analyse: () => Promise<StatementReads>;
  readonly parameters: readonly SqlParameter[];
  readonly changes: ChangeFeed;
  readonly clock: ClientClock;
  readonly throttleMs: number;
  /** The last listener left, or the database closed. */
  readonly onStopped: () => void;
}

/** However dear a query is, a change shows after this. */
const MAX_REST_MS = 2000;

/**
 * One query that runs again whenever what it reads has changed, for any number of listeners.
 *
 * ```
 *            change                run ends, nothing new
 *   idle ------------> running ---------------------------> idle
 *     \                 ^   \   run ends, changed meanwhile
 *      \ too soon       |    `-----------.
 *       `------------> waiting <---------'   (until throttleMs after the last start; a query that
 *                                             costs more than that rests as long as it ran)
 * ```
 *
 * Changes that come while it waits or runs are one mark (`stale`), so nothing queues up. Until the analysis is there, every
 * change counts.
 */
export class LiveExecution<Result> implements ResultSource<Result> {
  readonly #options: ExecutionOptions<Result>;
  readonly #listeners = new Map<ResultListener<Result>, number>();
  readonly #stop = new AbortController();
  #unsubscribe: () => void = () => undefined;
  #state: 'idle' | 'running' | 'waiting' = 'idle';
  #stale = true;
  /** Counts schemas; an analysis of an earlier one is dropped. */
  #schema = 0;
  #reads: StatementReads | undefined;
  /** Counts runs; the number of the one that runs or ran last. */
  #runs = 0;
  #latest: { readonly result: Result } | undefined;
  #refreshes: { readonly run: number; readonly done: () => void }[] = [];
  /** When the last run began to rest, and for how long: until then no other one begins. */
  #rest = { fromMs: 0, forMs: 0 };

  constructor(options: ExecutionOptions<Result>) {
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /**
   * From now on the listener gets results: first the current one, then one per run. Nothing is called before this
   * returns. Returns how to stop; repeatable.
   */
  subscribe(listener: ResultListener<Result>): () => void {
    const first = this.#listeners.size === 0 && this.#runs === 0;
    // A run that began before a change must not be the first thing that a new listener sees.
    const from = this.#state === 'running' && !this.#stale ? this.#runs : this.#runs + 1;
    this.#listeners.set(listener, from);
    queueMicrotask(() => {
      if (first) this.#start();
      else this.#catchUp(listener);
    });
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#end();
    };
  }

  refresh(): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((done) => {
      this.#refreshes.push({ run: this.#runs + 1, done });
      this.#stale = true;
      if (this.#runs > 0) this.#poke(); // else the first run is due anyway
    });
  }

  #start(): void {
    if (this.stopped) return;
    this.#unsubscribe = this.#options.changes.subscribe((event) => this.#onEvent(event));
    this.#analyse();
    this.#poke();
  }

  #catchUp(listener: ResultListener<Result>): void {
    if (!this.#listeners.has(listener)) return;
    if (this.#state === 'idle' && !this.#stale && this.#latest !== undefined) {
      listener.result(this.#latest.result);
    } else if (this.#state === 'running') {
      listener.running?.();
    } else {
      // The last run failed: who comes new has a try of its own.
      this.#stale = true;
      this.#poke();
    }
  }

  #onEvent(event: ChangeEvent): void {
    if (this.stopped || event.kind === 'uploaded') return;
    if (event.kind === 'closed') {
      const listeners = [...this.#listeners.keys()];
      this.#listeners.clear();
      this.#end();
      for (const listener of listeners) listener.closed();
      return;
    }
    if (event.kind === 'schema') {
      this.#analyse();
      this.#stale = true;
    } else if (
      this.#reads === undefined ||
      isAffected(this.#reads, this.#options.parameters, event.changes)
    ) {
      this.#stale = true;
    }
    this.#poke();
  }

  #analyse(): void {
    this.#reads = undefined;
    this.#schema += 1;
    const schema = this.#schema;
    // A query that cannot be analysed cannot run either, and its run tells the error.
    this.#options.analyse().then(
      (reads) => {
        if (schema === this.#schema) this.#reads = reads;
      },
      () => undefined,
    );
  }

  #poke(): void {
    if (this.stopped || this.#state !== 'idle' || !this.#stale) return;
    const { fromMs, forMs } = this.#rest;
    const waitMs = fromMs + forMs - this.#options.clock.elapsed();
    if (waitMs <= 0) {
      void this.#run();
      return;
    }
    this.#state = 'waiting';
    pause(this.#options.clock, waitMs, this.#stop.signal).then(
      () => {
        if (!this.stopped) void this.#run();
      },
      (error: unknown) => {
        this.#state = 'idle';
        this.#tell((listener) => listener.failed(error));
      },
    );
  }

  async #run(): Promise<void> {
    const { clock, run } = this.#options;
    this.#state = 'running';
    this.#stale = false;
    this.#runs += 1;
    const startMs = clock.elapsed();
    this.#tell((listener) => listener.running?.());
    const outcome = await settled(run, this.#stop.signal);
    if (this.stopped) return;
    this.#state = 'idle';
    this.#rest = this.#restAfter(startMs, clock.elapsed());
    this.#latest = 'error' in outcome ? undefined : outcome;
    this.#tell((listener) => {
      if ('error' in outcome) listener.failed(outcome.error);
      else listener.result(outcome.result);
    });
    this.#refreshed(this.#runs);
    this.#poke();
  }

  #refreshed(run: number): void {
    const due = this.#refreshes.filter((refresh) => refresh.run <= run);
    this.#refreshes = this.#refreshes.filter((refresh) => refresh.run > run);
    for (const { done } of due) done();
  }

  #restAfter(startMs: number, endMs: number): { readonly fromMs: number; readonly forMs: number } {
    const costMs = endMs - startMs;
    const { throttleMs } = this.#options;
    if (costMs <= throttleMs) return { fromMs: startMs, forMs: throttleMs };
    return { fromMs: endMs, forMs: Math.min(costMs, MAX_REST_MS) };
  }

  #tell(call: (listener: ResultListener<Result>) => void): void {
    for (const [listener, from] of Array.from(this.#listeners)) {
      // One of them may have ended another meanwhile.
      if (from <= this.#runs && this.#listeners.has(listener)) call(listener);
    }
  }

  #end(): void {
    if (this.stopped) return;
    this.#stop.abort();
    this.#unsubscribe();
    this.#refreshed(Infinity);
    this.#options.onStopped();
  }
}

async function settled<Result>(
  run: (signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<{ readonly result: Result } | { readonly error: unknown }> {
  try {
    return { result: await run(signal) };
  } catch (error) {
    return { error };
  }
}
