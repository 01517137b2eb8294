import type { PlainRow, QueryEntry, QueryState, QueryStore } from '@sluice/client';
import { useMemo, useState } from 'react';
import { mappedRows } from './mapped-rows.ts';
import { normalizedQuery, type QueryArgument, type UseQueryOptions } from './query-arguments.ts';
import { useQueryStore } from './sluice-context.tsx';

export interface QueryBinding<Row> {
  readonly store: QueryStore;
  readonly entry: QueryEntry<Row>;
  readonly sql: string;
  readonly mapper: ((row: PlainRow) => Row) | undefined;
}

/** Finds the query in the cache, by value: neither parameters nor options need to be the same objects from render to render. */
export function useQueryEntry<Row>(
  query: QueryArgument<Row>,
  parameters: readonly unknown[] | undefined,
  options: UseQueryOptions<Row>,
): QueryBinding<Row> {
  const store = useQueryStore();
  // The first one stays: one that is written in place would be another query at each render.
  const [rowComparator] = useState(options.rowComparator);
  const { source, sql, mapper } = normalizedQuery(query, parameters);
  return { store, entry: store.query(source, { ...options, rowComparator }), sql, mapper };
}

export function useMappedState<Row>(
  state: QueryState<Row>,
  mapper: ((row: PlainRow) => Row) | undefined,
): QueryState<Row> {
  return useMemo(() => mappedState(state, mapper), [state, mapper]);
}

/** The state with the mapper applied; what it throws is the query's error. */
export function mappedState<Row>(
  state: QueryState<Row>,
  mapper: ((row: PlainRow) => Row) | undefined,
): QueryState<Row> {
  if (mapper === undefined) return state;
  try {
    return { ...state, data: mappedRows(state.data, mapper) };
  } catch (error) {
    return { ...state, data: [], error, hasResult: false };
  }
}
