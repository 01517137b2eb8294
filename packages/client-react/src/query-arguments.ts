import type {
  PlainRow,
  QueryDescription,
  QueryOptions,
  QuerySource,
  WatchableQuery,
} from '@sluice/client';

export type QueryArgument<Row> = string | QueryDescription<Row> | WatchableQuery<Row>;

export interface UseQueryOptions<Row> extends QueryOptions<Row> {
  /** Shown while there is no result. */
  readonly placeholderData?: readonly Row[] | undefined;
  /**
   * Shows the result for the parameters before while there is none for new ones. True if left out, unless the query waits for a
   * stream; never for other SQL or another database.
   */
  readonly keepPreviousData?: boolean | undefined;
}

export interface NormalizedQuery<Row> {
  readonly source: QuerySource<Row>;
  readonly sql: string;
  /** Applied to what the cache has, so it may differ between those who share a query. */
  readonly mapper: ((row: PlainRow) => Row) | undefined;
}

export function normalizedQuery<Row>(
  query: QueryArgument<Row>,
  parameters: readonly unknown[] | undefined,
): NormalizedQuery<Row> {
  if (typeof query === 'string') {
    return { source: { sql: query, parameters }, sql: query, mapper: undefined };
  }
  if ('compile' in query) {
    const compiled = query.compile();
    const source = { compile: () => compiled, execute: query.execute.bind(query) };
    return { source, sql: compiled.sql, mapper: undefined };
  }
  const { sql, mapper } = query;
  return { source: { sql, parameters: query.parameters ?? parameters }, sql, mapper };
}
