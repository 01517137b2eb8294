import type { ClientClock } from '../clock.ts';
import type { ResultSource } from './live-execution.ts';
import { WatchedQueryListeners, type WatchedQueryListener } from './watched-query-listeners.ts';
import type { PolicyOutcome, ResultPolicy } from './result-policy.ts';

export interface WatchedQueryState<Row> {
  /** No run has ended yet. */
  readonly isLoading: boolean;
  /** A run is under way; always false if `reportFetching` is. */
  readonly isFetching: boolean;
  /** Of the last run; a later run that succeeds takes it away. */
  readonly error: unknown;
  /** When `data` was last found to be current. */
  readonly lastUpdated: Date | null;
  readonly data: readonly Row[];
}

/** What can be changed while a query is watched. */
export interface WatchedQuerySettings<Query, Row> {
  readonly query: Query;
  readonly throttleMs: number;
  readonly reportFetching: boolean;
  /** Data until the first result. */
  readonly placeholderData: readonly Row[];
  /** Run for any change of these tables, instead of what the query reads. */
  readonly triggerOnTables: readonly string[] | undefined;
}

export interface WatchedQueryParts<Query, Row> {
  readonly settings: WatchedQuerySettings<Query, Row>;
  readonly clock: ClientClock;
  /** @throws ClientError `PARAMETER` */
  readonly execution: (settings: WatchedQuerySettings<Query, Row>) => ResultSource<readonly Row[]>;
  readonly policy: (data: readonly Row[]) => ResultPolicy<Row>;
  /** Of listeners that throw. */
  readonly onListenerError: (error: unknown) => void;
}

/** A query whose current result is kept at hand, for as long as it is not closed. */
export class WatchedQuery<Row, Query> {
  readonly #parts: WatchedQueryParts<Query, Row>;
  readonly #listeners: WatchedQueryListeners<Query, Row>;
  #settings: WatchedQuerySettings<Query, Row>;
  #state: WatchedQueryState<Row>;
  #execution: ResultSource<readonly Row[]> | undefined;
  #unlink: () => void = () => undefined;
  /** Counts links; results of an earlier one are dropped. */
  #link = 0;
  #closed = false;

  constructor(parts: WatchedQueryParts<Query, Row>) {
    this.#parts = parts;
    this.#listeners = new WatchedQueryListeners(parts.onListenerError);
    this.#settings = parts.settings;
    this.#state = this.#initialState(parts.settings.placeholderData);
    this.#start(parts.settings, parts.settings.placeholderData);
  }

  /** A new object for every change. */
  get state(): WatchedQueryState<Row> {
    return this.#state;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How many listeners there are of each kind. */
  get listenerCounts(): Readonly<Record<keyof WatchedQueryListener<Query, Row>, number>> {
    return this.#listeners.counts;
  }

  /** Returns how to take it away; repeatable. */
  registerListener(listener: WatchedQueryListener<Query, Row>): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Drops the run that is under way and starts over. Data stays until the new result, unless a placeholder comes along.
   *
   * @throws ClientError `PARAMETER`; then nothing has changed.
   */
  updateSettings(update: Partial<WatchedQuerySettings<Query, Row>>): void {
    if (this.#closed) return;
    const settings = { ...this.#settings, ...update };
    this.#listeners.tell('settingsWillUpdate', settings);
    const data = update.placeholderData ?? this.#state.data;
    const previous = this.#unlink;
    this.#start(settings, data);
    previous();
    this.#setState(this.#initialState(data));
  }

  /**
   * Runs although nothing is known to have changed, for queries that read more than tables, e.g. the time. Resolves when a
   * run that began after this call has ended, with a result or an error.
   */
  async refresh(): Promise<void> {
    if (!this.#closed) await this.#execution?.refresh();
  }

  /** Repeatable. No listener hears of anything after `closed`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unlink();
    this.#listeners.tell('closed');
    this.#listeners.clear();
  }

  #initialState(data: readonly Row[]): WatchedQueryState<Row> {
    const isFetching = this.#settings.reportFetching;
    return { isLoading: true, isFetching, error: null, lastUpdated: null, data };
  }

  #start(settings: WatchedQuerySettings<Query, Row>, data: readonly Row[]): void {
    const execution = this.#parts.execution(settings);
    const policy = this.#parts.policy(data);
    this.#settings = settings;
    this.#execution = execution;
    this.#link += 1;
    const link = this.#link;
    const current = (act: () => void) => {
      if (link === this.#link && !this.#closed) act();
    };
    this.#unlink = execution.subscribe({
      running: () => current(() => this.#setState({ isFetching: this.#settings.reportFetching })),
      result: (rows) => current(() => this.#onResult(rows, policy)),
      failed: (error) => current(() => this.#onError(error)),
      closed: () => this.close(),
    });
  }

  #onResult(rows: readonly Row[], policy: ResultPolicy<Row>): void {
    const outcome = this.#outcome(rows, policy);
    if (outcome === undefined) return;
    const { data, changed, difference, problem } = outcome;
    const lastUpdated = new Date(this.#parts.clock.now());
    const error = problem ?? null;
    this.#setState({ isLoading: false, isFetching: false, error, lastUpdated, data });
    if (problem !== undefined) this.#listeners.tell('onError', problem);
    if (!changed) return;
    this.#listeners.tell('onData', data);
    if (difference !== undefined) this.#listeners.tell('onDiff', difference);
  }

  /** Comparators are the app's: what they throw is the query's error. */
  #outcome(rows: readonly Row[], policy: ResultPolicy<Row>): PolicyOutcome<Row> | undefined {
    try {
      return policy.next(rows);
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }

  #onError(error: unknown): void {
    this.#setState({ isLoading: false, isFetching: false, error });
    this.#listeners.tell('onError', error);
  }

  #setState(change: Partial<WatchedQueryState<Row>>): void {
    const before = this.#state;
    const after = { ...before, ...change };
    const keys = Object.keys(after) as (keyof WatchedQueryState<Row>)[];
    if (keys.every((key) => after[key] === before[key])) return;
    this.#state = after;
    this.#listeners.tell('onStateChange', after);
  }
}
