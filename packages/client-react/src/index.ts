export {
  SluiceProvider,
  useDatabase,
  useQueryStore,
  type SluiceProviderProps,
} from './sluice-context.tsx';
export type { QueryArgument, UseQueryOptions } from './query-arguments.ts';
export { useMutation, type Mutation } from './use-mutation.ts';
export { useQuery, type QueryResultState } from './use-query.ts';
export { useRetryFailedQueries } from './use-retry-failed-queries.ts';
export { useStatus } from './use-status.ts';
export { useAllStreamsHaveSynced, useStream, useStream as useSyncStream } from './use-stream.ts';
export {
  useSuspenseQuery,
  type SuspenseQueryOptions,
  type SuspenseQueryResult,
} from './use-suspense-query.ts';
export { usePendingUploads, useRejectedWrites, useRowSyncState } from './use-uploads.ts';
export { useSuspenseWatchedQuery, useWatchedQuery } from './use-watched-query.ts';
