import type { ClientClock } from '../clock.ts';
import type { ResultSource } from './live-execution.ts';
import { DifferentialResults, WholeResults, type ResultPolicy } from './result-policy.ts';
import { defaultRowComparator } from './row-comparison.ts';
import type { PlainRow, RowSet } from './row-set.ts';
import { DEFAULT_THROTTLE_MS, type QueryHandle, type QuerySettings } from './watch-options.ts';
import { WatchedQuery, type WatchedQuerySettings } from './watched-query.ts';

export interface QueryParts<Query, Row> {
  readonly clock: ClientClock;
  readonly development: boolean;
  readonly onListenerError: (error: unknown) => void;
  readonly execution: (settings: WatchedQuerySettings<Query, Row>) => ResultSource<readonly Row[]>;
}

export function startedQuery<Query, Row>(
  query: Query,
  parts: QueryParts<Query, Row>,
): QueryHandle<Query, Row> {
  const { development, ...rest } = parts;
  const start = (
    options: QuerySettings<Query, Row>,
    policy: (data: readonly Row[]) => ResultPolicy<Row>,
  ) => new WatchedQuery({ ...rest, settings: withDefaults(query, options), policy });
  return {
    watch: (options = {}) => start(options, () => new WholeResults(options.comparator)),
    differentialWatch: (options = {}) => {
      const comparator = options.rowComparator ?? defaultRowComparator;
      const settings = { comparator, reportDuplicates: development };
      return start(options, (data) => new DifferentialResults<Row>({ ...settings, data }));
    },
  };
}

function withDefaults<Query, Row>(
  query: Query,
  options: QuerySettings<Query, Row>,
): WatchedQuerySettings<Query, Row> {
  return {
    query,
    throttleMs: options.throttleMs ?? DEFAULT_THROTTLE_MS,
    reportFetching: options.reportFetching ?? true,
    placeholderData: options.placeholderData ?? [],
    triggerOnTables: options.triggerOnTables,
  };
}

/** The rows of a shared result, mapped for one of those who share it. */
export function mappedRows<Row>(
  source: ResultSource<RowSet>,
  mapper: ((row: PlainRow) => Row) | undefined,
): ResultSource<readonly Row[]> {
  return {
    refresh: () => source.refresh(),
    subscribe: (listener) =>
      source.subscribe({
        ...listener,
        result: ({ array }) => {
          let rows: readonly Row[];
          try {
            // Without a mapper, what a row looks like is the caller's word.
            rows =
              mapper === undefined ? (array as readonly Row[]) : array.map((row) => mapper(row));
          } catch (error) {
            listener.failed(error);
            return;
          }
          listener.result(rows);
        },
      }),
  };
}
