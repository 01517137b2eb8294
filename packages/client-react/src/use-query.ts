import type { PlainRow, QueryDescription, QueryState, WatchableQuery } from '@sluice/client';
import { useMemo, useState, useSyncExternalStore } from 'react';
import type { QueryArgument, UseQueryOptions } from './query-arguments.ts';
import {
  mappedState,
  useMappedState,
  useQueryEntry,
  type QueryBinding,
} from './use-query-entry.ts';

export interface QueryResultState<Row> {
  /** Rows that have not changed are the same objects as before, so that memoised components need not render. */
  readonly data: readonly Row[];
  /** There is no result for these parameters yet, and no error: `data` is a placeholder, or of the parameters before. */
  readonly isLoading: boolean;
  /** A run is under way. */
  readonly isFetching: boolean;
  /** Of the last run; null for none. */
  readonly error: unknown;
  /** Runs again although nothing is known to have changed. Resolves when that run has ended. */
  readonly refresh: () => Promise<void>;
}

/**
 * A query that is live while the component is mounted (spec/client.md 5.6). The same query in several components runs once.
 *
 * @throws ClientError `PROVIDER`
 */
export function useQuery<Row = PlainRow>(
  sql: string,
  parameters?: readonly unknown[],
  options?: UseQueryOptions<Row>,
): QueryResultState<Row>;
export function useQuery<Row>(
  query: QueryDescription<Row> | WatchableQuery<Row>,
  parameters?: readonly unknown[],
  options?: UseQueryOptions<Row>,
): QueryResultState<Row>;
export function useQuery<Row>(
  query: QueryArgument<Row>,
  parameters?: readonly unknown[],
  options: UseQueryOptions<Row> = {},
): QueryResultState<Row> {
  const binding = useQueryEntry(query, parameters, options);
  const { entry, mapper } = binding;
  const own = useSyncExternalStore(entry.subscribe, entry.getSnapshot, entry.getInitialSnapshot);
  const state = useMappedState(own, mapper);
  const previous = usePreviousData(binding, own);
  const { placeholderData, keepPreviousData = !waitsForStream(options) } = options;
  return useMemo(() => {
    const { isLoading, isFetching, error } = state;
    const kept = keepPreviousData ? previous : undefined;
    const data = isLoading ? (kept ?? placeholderData ?? state.data) : state.data;
    return { data, isLoading, isFetching, error, refresh: entry.refresh };
  }, [state, previous, keepPreviousData, placeholderData, entry]);
}

function waitsForStream<Row>({ streams }: UseQueryOptions<Row>): boolean {
  return streams?.some(({ waitForStream }) => waitForStream === true) ?? false;
}

interface Shown<Row> extends QueryBinding<Row> {
  readonly previous: readonly Row[] | undefined;
}

/**
 * What was shown before the parameters changed, until there is a result for them; undefined if that was another query. Kept as React
 * state, so that each try of a render sees the same.
 */
function usePreviousData<Row>(
  binding: QueryBinding<Row>,
  state: QueryState<Row>,
): readonly Row[] | undefined {
  const [shown, setShown] = useState<Shown<Row>>({ ...binding, previous: undefined });
  const isNew = shown.entry !== binding.entry;
  const previous = isNew && mayFollow(shown, binding) ? dataOf(shown) : shown.previous;
  const kept = state.isLoading && shown.store === binding.store ? previous : undefined;
  if (isNew || kept !== shown.previous) setShown({ ...binding, previous: kept });
  return kept;
}

function mayFollow<Row>(before: QueryBinding<Row>, after: QueryBinding<Row>): boolean {
  return before.sql === after.sql && before.store === after.store;
}

function dataOf<Row>({ entry, mapper, previous }: Shown<Row>): readonly Row[] | undefined {
  const { data, hasResult } = mappedState(entry.getSnapshot(), mapper);
  return hasResult ? data : previous;
}
