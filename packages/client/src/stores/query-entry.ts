import type { ClientClock } from '../clock.ts';
import { DatabaseClosedError } from '../errors.ts';
import type { SluiceDatabase } from '../facade/sluice-database.ts';
import type { WatchedQueryState } from '../watch/watched-query.ts';
import { KeptValue } from './kept-value.ts';
import type { QueryOptions, QuerySource, QueryState } from './query-options.ts';
import { StableRows } from './stable-rows.ts';
import type { Store } from './store.ts';
import { afterStreams, type StreamState } from './stream-state.ts';

/** How long what is not watched yet, or no longer, is kept (ms). */
export interface KeepTimes {
  /** After the last watcher left. */
  readonly graceMs: number;
  /** For whoever has asked for it and not watched it yet, after its first result. */
  readonly holdMs: number;
  /** The same before its first result; then those who wait are asked to ask again. */
  readonly patienceMs: number;
}

export interface QueryEntryParts<Row> {
  readonly database: SluiceDatabase;
  readonly source: QuerySource<Row>;
  readonly options: QueryOptions<Row>;
  readonly streams: readonly { readonly state: Store<StreamState>; readonly isAwaited: boolean }[];
  readonly clock: ClientClock;
  readonly times: KeepTimes;
  readonly onStarted: (entry: QueryEntry<Row>) => void;
  readonly onStopped: (entry: QueryEntry<Row>) => void;
}

const NO_ROWS: readonly never[] = [];

/** One query in the shared cache, for any number of watchers. Runs only while it is watched or waited for. */
export class QueryEntry<Row> implements Store<QueryState<Row>> {
  readonly #parts: QueryEntryParts<Row>;
  readonly #kept: KeptValue<QueryState<Row>>;
  readonly #initial: QueryState<Row>;
  readonly getSnapshot: () => QueryState<Row>;
  #refresh: (() => Promise<void>) | undefined;
  #settling: { readonly promise: Promise<void>; readonly wake: () => void } | undefined;
  /** When the last result or error came (elapsed ms). */
  #settledAtMs = 0;

  constructor(parts: QueryEntryParts<Row>) {
    this.#parts = parts;
    const isFetching = parts.options.reportFetching ?? true;
    this.#initial = { data: NO_ROWS, isLoading: true, isFetching, error: null, hasResult: false };
    this.#kept = new KeptValue<QueryState<Row>>({
      clock: parts.clock,
      graceMs: parts.times.graceMs,
      initial: this.#initial,
      connect: (set) => this.#connect(set),
      isEqual: sameState,
      onStarted: () => parts.onStarted(this),
      onStopped: () => parts.onStopped(this),
      onLapse: () => this.#onLapse(),
    });
    this.getSnapshot = this.#kept.getSnapshot;
  }

  /** What there is before anything has run, for a page that is made on a server. */
  readonly getInitialSnapshot = (): QueryState<Row> => this.#initial;

  readonly subscribe = (listener: () => void): (() => void) => {
    const stop = this.#kept.subscribe(listener);
    const { runOnce = false } = this.#parts.options;
    if (runOnce && this.#isOld()) void this.refresh();
    return stop;
  };

  /** Runs it again. Resolves when a run that began after this call has ended, with a result or an error. */
  readonly refresh = async (): Promise<void> => {
    await this.#refresh?.();
  };

  /** Somebody is about to watch it: it stays in the cache for a moment, whether or not it runs. */
  expect(): void {
    const { holdMs, patienceMs } = this.#parts.times;
    this.#kept.linger(this.#isWaiting() ? patienceMs : holdMs);
  }

  /**
   * Starts it, and resolves once there is a result or an error; the state tells which. Whoever waits longer than `patienceMs` is
   * woken without, and has to ask again: what nobody asks for again stops.
   */
  ready(): Promise<void> {
    if (!this.getSnapshot().isLoading) return Promise.resolve();
    this.#settling ??= wakeable();
    const { promise } = this.#settling;
    this.#kept.start();
    this.expect();
    return promise;
  }

  /** Begins anew, so that nobody sees its error. One that nobody watches stops. */
  retry(): void {
    if (this.#kept.isWatched) this.#kept.restart();
    else this.#kept.stop();
  }

  #isWaiting(): boolean {
    return this.#kept.isConnected && this.getSnapshot().isLoading;
  }

  #isOld(): boolean {
    const { clock, times } = this.#parts;
    const { isLoading, isFetching } = this.getSnapshot();
    return !isLoading && !isFetching && clock.elapsed() - this.#settledAtMs > times.graceMs;
  }

  #connect(set: (state: QueryState<Row>) => void): () => void {
    const tell = (state: QueryState<Row>): void => {
      set(state);
      if (!state.isLoading) this.#settled();
    };
    const failed = (error: unknown): void =>
      tell({ ...this.#initial, isLoading: false, isFetching: false, error });
    const stop = afterStreams(this.#parts.streams, {
      begin: () => this.#watch(tell, failed),
      failed,
      waiting: () => tell(this.#initial),
    });
    return () => {
      stop();
      this.#refresh = undefined;
      this.#wake();
    };
  }

  #watch(tell: (state: QueryState<Row>) => void, failed: (error: unknown) => void): () => void {
    const rows = new StableRows(this.#parts.options.rowComparator);
    try {
      const query = startWatch(this.#parts);
      const update = (state: WatchedQueryState<Row>): void => {
        try {
          tell(queryState(state, rows));
        } catch (error) {
          failed(error); // of the app's comparator
        }
      };
      query.registerListener({
        onStateChange: update,
        closed: () => {
          // What is shown stays; nobody should wait for what will never come.
          if (query.state.isLoading) failed(new DatabaseClosedError());
        },
      });
      this.#refresh = () => query.refresh();
      update(query.state);
      return () => query.close();
    } catch (error) {
      failed(error);
      return () => undefined;
    }
  }

  #settled(): void {
    this.#settledAtMs = this.#parts.clock.elapsed();
    // Only then: results that come later are no reason to keep what nobody watches.
    if (this.#wake()) this.expect();
  }

  #wake(): boolean {
    const settling = this.#settling;
    this.#settling = undefined;
    settling?.wake();
    return settling !== undefined;
  }

  /** Those who still wait ask again when they are woken; they get the time for that. */
  #onLapse(): number | undefined {
    return this.#isWaiting() && this.#wake() ? this.#parts.times.graceMs : undefined;
  }
}

function startWatch<Row>({ database, source, options }: QueryEntryParts<Row>) {
  const { throttleMs, reportFetching, runOnce = false } = options;
  // What runs once is a query that no table changes.
  const triggerOnTables = runOnce ? [] : options.tables;
  const settings = {
    ...(throttleMs !== undefined && { throttleMs }),
    ...(reportFetching !== undefined && { reportFetching }),
    ...(triggerOnTables !== undefined && { triggerOnTables }),
  };
  if ('compile' in source) return database.customQuery(source).watch(settings);
  const { sql, parameters = [] } = source;
  return database.query<Row>({ sql, parameters }).watch(settings);
}

function queryState<Row>(state: WatchedQueryState<Row>, rows: StableRows<Row>): QueryState<Row> {
  const { isLoading, isFetching, error, lastUpdated } = state;
  const hasResult = lastUpdated !== null;
  const data = hasResult ? rows.next(state.data) : NO_ROWS;
  return { data, isLoading, isFetching, error, hasResult };
}

function sameState<Row>(a: QueryState<Row>, b: QueryState<Row>): boolean {
  const keys = Object.keys(a) as (keyof QueryState<Row>)[];
  return keys.every((key) => a[key] === b[key]);
}

function wakeable() {
  let wake: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    wake = resolve;
  });
  return { promise, wake };
}
