import type { PlainRow, QueryDescription, WatchableQuery } from '@sluice/client';
import { useMemo, useSyncExternalStore } from 'react';
import type { QueryArgument, UseQueryOptions } from './query-arguments.ts';
import { useMappedState, useQueryEntry } from './use-query-entry.ts';
import type { QueryResultState } from './use-query.ts';

export type SuspenseQueryOptions<Row> = Omit<
  UseQueryOptions<Row>,
  'placeholderData' | 'keepPreviousData'
>;

export type SuspenseQueryResult<Row> = Omit<QueryResultState<Row>, 'isLoading'>;

/**
 * `useQuery` that suspends until there is a result, and throws the error of a query that never had one. A later error is in
 * `error`, beside the last result. A `rowComparator` has to be the same object each time.
 *
 * @throws ClientError `PROVIDER`
 */
export function useSuspenseQuery<Row = PlainRow>(
  sql: string,
  parameters?: readonly unknown[],
  options?: SuspenseQueryOptions<Row>,
): SuspenseQueryResult<Row>;
export function useSuspenseQuery<Row>(
  query: QueryDescription<Row> | WatchableQuery<Row>,
  parameters?: readonly unknown[],
  options?: SuspenseQueryOptions<Row>,
): SuspenseQueryResult<Row>;
export function useSuspenseQuery<Row>(
  query: QueryArgument<Row>,
  parameters?: readonly unknown[],
  options: SuspenseQueryOptions<Row> = {},
): SuspenseQueryResult<Row> {
  const { entry, mapper } = useQueryEntry(query, parameters, options);
  const own = useSyncExternalStore(entry.subscribe, entry.getSnapshot, entry.getSnapshot);
  const state = useMappedState(own, mapper);
  const result = useMemo(() => {
    const { data, isFetching, error } = state;
    return { data, isFetching, error, refresh: entry.refresh };
  }, [state, entry]);
  // Until React 18 is gone: a promise that is thrown suspends, as `use` does from 19 on.
  if (state.isLoading) throw entry.ready();
  if (state.error !== null && !state.hasResult) throw state.error;
  return result;
}
