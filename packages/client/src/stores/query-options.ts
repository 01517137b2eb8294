import type { Ttl } from '../sync/streams/subscription-store.ts';
import type { StreamParams } from '../sync/streams/canonical-params.ts';
import type { RowComparator } from '../watch/row-comparison.ts';
import type { WatchableQuery } from '../watch/watch-options.ts';

/** SQL with its parameters, or a query that runs itself, like those of an ORM. */
export type QuerySource<Row> = QueryText | WatchableQuery<Row>;

export interface QueryText {
  readonly sql: string;
  readonly parameters?: readonly unknown[] | undefined;
}

export interface StreamRequest {
  readonly name: string;
  readonly parameters?: StreamParams | null | undefined;
  /** Seconds that the data stays after the last subscription has gone; a day if left out. */
  readonly ttl?: Ttl | undefined;
  /** 0 to 3, instead of the stream's own. */
  readonly priority?: number | undefined;
}

/** A stream that is subscribed to as long as the query is watched. */
export interface QueryStream extends StreamRequest {
  /** The query is not run, and counts as loading, until the stream has synced once. */
  readonly waitForStream?: boolean | undefined;
}

export interface QueryOptions<Row> {
  /** The least time between the starts of two runs; 30 ms if left out. */
  readonly throttleMs?: number | undefined;
  /** Run for any change of these tables, instead of what the query reads. */
  readonly tables?: readonly string[] | undefined;
  /** Runs when it is first watched and by `refresh`, not for changes. */
  readonly runOnce?: boolean | undefined;
  /** False: `isFetching` stays false, so runs that change nothing are not told of. True if left out. */
  readonly reportFetching?: boolean | undefined;
  /**
   * What makes a row the same and unchanged, instead of its `id` and its values. Keep the object: another one is another query.
   */
  readonly rowComparator?: RowComparator<Row> | undefined;
  readonly streams?: readonly QueryStream[] | undefined;
  /** Keeps queries apart that have the same SQL and parameters, but make other rows of them. */
  readonly cacheKey?: string | undefined;
}

export interface QueryState<Row> {
  /** Unchanged rows are the objects of the result before; empty without a result. */
  readonly data: readonly Row[];
  /** There is neither a result nor an error yet. */
  readonly isLoading: boolean;
  /** A run is under way. */
  readonly isFetching: boolean;
  /** Of the last run; null for none. `data` is then the result before. */
  readonly error: unknown;
  /** Whether `data` is a result, however old. */
  readonly hasResult: boolean;
}
