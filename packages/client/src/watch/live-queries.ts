import { systemClock, type ClientClock } from '../clock.ts';
import { guardedCall } from './guarded-call.ts';
import { LatestValues } from './latest-values.ts';
import type { QueryRunner } from './query-runner.ts';
import { mappedRows, startedQuery } from './query-handle.ts';
import type { PlainRow, RowSet } from './row-set.ts';
import { SharedExecutions } from './shared-executions.ts';
import { SlowHandler } from './slow-handler.ts';
import { mergedChanges, watchTableChanges, type TableChangeEvent } from './table-changes.ts';
import { resultListener } from './watch-results.ts';
import {
  DEFAULT_THROTTLE_MS,
  type ChangeHandler,
  type ChangeOptions,
  type QueryDescription,
  type QueryHandle,
  type WatchableQuery,
  type WatchHandler,
  type WatchOptions,
} from './watch-options.ts';

export interface LiveQueriesOptions {
  readonly clock?: ClientClock;
  /** Mistakes of the app, like rows with the same key, are reported as errors. */
  readonly development?: boolean;
  /** What the app's callbacks throw where they have no error callback of their own. */
  readonly onListenerError: (error: unknown) => void;
}

/** Live queries in all their forms (spec/client.md 1.3), over one runner. */
export class LiveQueries {
  readonly #runner: QueryRunner;
  readonly #clock: ClientClock;
  readonly #development: boolean;
  readonly #onListenerError: (error: unknown) => void;
  readonly #executions: SharedExecutions;

  constructor(runner: QueryRunner, options: LiveQueriesOptions) {
    this.#runner = runner;
    this.#clock = options.clock ?? systemClock;
    this.#development = options.development ?? false;
    this.#onListenerError = options.onListenerError;
    this.#executions = new SharedExecutions(runner, this.#clock);
  }

  /** How many different executions are live, without those of custom queries. */
  get executionCount(): number {
    return this.#executions.size;
  }

  /**
   * The current result, then one for every change of it. An iteration starts with its first `next`, keeps only the latest
   * result for a slow reader, throws what a run throws, and ends with `return`, the signal or the database.
   */
  watch<Row = PlainRow>(
    sql: string,
    parameters?: readonly unknown[],
    options?: WatchOptions<Row>,
  ): AsyncIterableIterator<RowSet<Row>>;
  /** The same with callbacks, until the signal aborts or the database closes. An error does not end it. */
  watch<Row = PlainRow>(
    sql: string,
    parameters: readonly unknown[] | undefined,
    handler: WatchHandler<Row>,
    options?: WatchOptions<Row>,
  ): void;
  watch<Row = PlainRow>(
    sql: string,
    parameters: readonly unknown[] = [],
    handlerOrOptions: WatchHandler<Row> | WatchOptions<Row> = {},
    options: WatchOptions<Row> = {},
  ): AsyncIterableIterator<RowSet<Row>> | void {
    if ('onResult' in handlerOrOptions) {
      return this.#watchWithHandler(sql, parameters, handlerOrOptions, options);
    }
    return this.#watchIterable(sql, parameters, handlerOrOptions);
  }

  query<Row = PlainRow>(
    description: QueryDescription<Row>,
  ): QueryHandle<QueryDescription<Row>, Row> {
    return startedQuery(description, {
      ...this.#queryParts(),
      execution: ({ query, throttleMs, triggerOnTables: tables }) => {
        const { sql, parameters = [], mapper } = query;
        const shared = this.#executions.execution({ sql, parameters, throttleMs, tables });
        return mappedRows(shared, mapper);
      },
    });
  }

  customQuery<Row>(query: WatchableQuery<Row>): QueryHandle<WatchableQuery<Row>, Row> {
    return startedQuery(query, {
      ...this.#queryParts(),
      execution: ({ query: custom, throttleMs, triggerOnTables: tables }) => {
        const compiled = custom.compile();
        const run = () => custom.execute(compiled);
        return this.#executions.custom({ ...compiled, throttleMs, tables }, run);
      },
    });
  }

  /** Returns how to stop, which also drops an event that is due. */
  onChange(handler: ChangeHandler, options?: ChangeOptions): () => void;
  /** For a slow reader, events are merged into one. */
  onChange(options?: ChangeOptions): AsyncIterableIterator<TableChangeEvent>;
  onChange(
    handlerOrOptions: ChangeHandler | ChangeOptions = {},
    options: ChangeOptions = {},
  ): (() => void) | AsyncIterableIterator<TableChangeEvent> {
    if ('onChange' in handlerOrOptions) return this.#handleChanges(handlerOrOptions, options);
    return new LatestValues<TableChangeEvent>({
      signal: handlerOrOptions.signal,
      merge: mergedChanges,
      start: ({ push, fail, end }) =>
        this.#tableChanges(handlerOrOptions, { onEvent: push, onError: fail, onClosed: end }),
    });
  }

  #watchIterable<Row>(
    sql: string,
    parameters: readonly unknown[],
    options: WatchOptions<Row>,
  ): AsyncIterableIterator<RowSet<Row>> {
    const { tables, throttleMs = DEFAULT_THROTTLE_MS, signal, comparator } = options;
    const statement = { sql, parameters, throttleMs, tables };
    return new LatestValues<RowSet<Row>>({
      signal,
      start: ({ push, fail, end }) =>
        this.#executions
          .execution(statement)
          .subscribe(resultListener({ comparator, push, failed: fail, closed: end })),
    });
  }

  #watchWithHandler<Row>(
    sql: string,
    parameters: readonly unknown[],
    { onResult, onError = this.#onListenerError }: WatchHandler<Row>,
    options: WatchOptions<Row>,
  ): void {
    const { tables, throttleMs = DEFAULT_THROTTLE_MS, signal, comparator } = options;
    if (signal?.aborted === true) return;
    const execution = this.#executions.execution({ sql, parameters, throttleMs, tables });
    const failed = (error: unknown) =>
      guardedCall(() => onError(error), { onError: this.#onListenerError });
    const handler = new SlowHandler<RowSet<Row>>({ handle: onResult, onError: failed });
    const stop = () => {
      signal?.removeEventListener('abort', stop);
      handler.stop();
      unsubscribe();
    };
    const push = (result: RowSet<Row>) => handler.push(result);
    const unsubscribe = execution.subscribe(
      resultListener({ comparator, push, failed, closed: stop }),
    );
    signal?.addEventListener('abort', stop, { once: true });
  }

  #handleChanges(
    { onChange, onError = this.#onListenerError }: ChangeHandler,
    options: ChangeOptions,
  ): () => void {
    const { signal } = options;
    if (signal?.aborted === true) return () => undefined;
    const failed = (error: unknown) =>
      guardedCall(() => onError(error), { onError: this.#onListenerError });
    const stop = () => {
      signal?.removeEventListener('abort', stop);
      stopFeed();
    };
    const stopFeed = this.#tableChanges(options, {
      onEvent: onChange,
      onError: failed,
      onClosed: stop,
    });
    signal?.addEventListener('abort', stop, { once: true });
    return stop;
  }

  #tableChanges(
    { tables, throttleMs = DEFAULT_THROTTLE_MS, triggerImmediate = false }: ChangeOptions,
    callbacks: {
      readonly onEvent: (event: TableChangeEvent) => unknown;
      readonly onError: (error: unknown) => void;
      readonly onClosed: () => void;
    },
  ): () => void {
    const names = tables && new Set(tables.map((name) => name.toLowerCase()));
    const { changes } = this.#runner;
    const clock = this.#clock;
    const settings = { tables: names, throttleMs, triggerImmediate };
    return watchTableChanges({ changes, clock, ...settings, ...callbacks });
  }

  #queryParts() {
    return {
      clock: this.#clock,
      development: this.#development,
      onListenerError: this.#onListenerError,
    };
  }
}
