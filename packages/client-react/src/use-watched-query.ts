import {
  DatabaseClosedError,
  type Store,
  type WatchedQuery,
  type WatchedQueryState,
} from '@sluice/client';
import { useMemo } from 'react';
import { useStore } from './use-store.ts';

/** The state of a query that the app watches already, and closes itself. */
export function useWatchedQuery<Row, Query>(
  query: WatchedQuery<Row, Query>,
): WatchedQueryState<Row> {
  return useStore(useMemo(() => watchedStore(query), [query]));
}

/**
 * The same, but suspends until the query has a result.
 *
 * @throws its error, if it never had a result; DatabaseClosedError if it was closed before it had one
 */
export function useSuspenseWatchedQuery<Row, Query>(
  query: WatchedQuery<Row, Query>,
): WatchedQueryState<Row> {
  const state = useWatchedQuery(query);
  if (state.isLoading && query.closed) throw new DatabaseClosedError();
  if (state.isLoading) throw loaded(query);
  if (state.error !== null && state.lastUpdated === null) throw state.error;
  return state;
}

function watchedStore<Row, Query>(query: WatchedQuery<Row, Query>): Store<WatchedQueryState<Row>> {
  return {
    getSnapshot: () => query.state,
    subscribe: (onStateChange) => query.registerListener({ onStateChange }),
  };
}

const waits = new WeakMap<object, Promise<void>>();

/** One promise per query, whoever waits. */
function loaded<Row, Query>(query: WatchedQuery<Row, Query>): Promise<void> {
  const known = waits.get(query);
  if (known !== undefined) return known;
  const wait = new Promise<void>((resolve) => {
    const stop = query.registerListener({
      onStateChange: ({ isLoading }) => {
        if (!isLoading) done();
      },
      closed: () => done(),
    });
    const done = (): void => {
      stop();
      waits.delete(query);
      resolve();
    };
  });
  waits.set(query, wait);
  return wait;
}
