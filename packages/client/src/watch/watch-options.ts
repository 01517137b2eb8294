import type { ResultComparator, RowComparator } from './row-comparison.ts';
import type { PlainRow, RowSet } from './row-set.ts';
import type { TableChangeEvent } from './table-changes.ts';
import type { WatchedQuery, WatchedQuerySettings } from './watched-query.ts';

export const DEFAULT_THROTTLE_MS = 30;

export interface WatchOptions<Row = PlainRow> {
  /** Run for any change of these tables, instead of what the query reads. */
  readonly tables?: readonly string[];
  readonly throttleMs?: number;
  readonly signal?: AbortSignal;
  readonly comparator?: ResultComparator<RowSet<Row>>;
}

export interface WatchHandler<Row = PlainRow> {
  /** If it returns a promise, the next call waits for it. */
  readonly onResult: (result: RowSet<Row>) => unknown;
  /** Of runs, and of `onResult` itself. */
  readonly onError?: (error: unknown) => void;
}

export interface QueryDescription<Row> {
  readonly sql: string;
  readonly parameters?: readonly unknown[];
  readonly mapper?: (row: PlainRow) => Row;
}

/** A query that is run in its own way, like those of an ORM. */
export interface WatchableQuery<Row> {
  compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
  execute(compiled: {
    readonly sql: string;
    readonly parameters: readonly unknown[];
  }): Promise<readonly Row[]>;
}

export type QuerySettings<Query, Row> = Partial<Omit<WatchedQuerySettings<Query, Row>, 'query'>>;

export type QueryWatchOptions<Query, Row> = QuerySettings<Query, Row> & {
  readonly comparator?: ResultComparator<readonly Row[]>;
};

export type DifferentialOptions<Query, Row> = QuerySettings<Query, Row> & {
  readonly rowComparator?: RowComparator<Row>;
};

/** What `query` and `customQuery` give: two ways to watch it. Both start at once. */
export interface QueryHandle<Query, Row> {
  watch(options?: QueryWatchOptions<Query, Row>): WatchedQuery<Row, Query>;
  differentialWatch(options?: DifferentialOptions<Query, Row>): WatchedQuery<Row, Query>;
}

export interface ChangeOptions {
  readonly tables?: readonly string[];
  readonly throttleMs?: number;
  readonly triggerImmediate?: boolean;
  readonly signal?: AbortSignal;
}

export interface ChangeHandler {
  /** If it returns a promise, the next call waits for it. */
  readonly onChange: (event: TableChangeEvent) => unknown;
  readonly onError?: (error: unknown) => void;
}
