import type { StreamRequest, StreamState } from '@sluice/client';
import { useQueryStore } from './sluice-context.tsx';
import { useStore } from './use-store.ts';

/** Subscribes to a stream while the component is mounted (spec/client.md 1.7), and tells how it stands. */
export function useStream(
  name: string,
  parameters?: StreamRequest['parameters'],
  options: Pick<StreamRequest, 'ttl' | 'priority'> = {},
): StreamState {
  return useStore(useQueryStore().stream({ name, parameters, ...options }));
}

/** Subscribes to all of them, and tells whether each has synced once. */
export function useAllStreamsHaveSynced(streams: readonly StreamRequest[]): boolean {
  return useStore(useQueryStore().allStreamsHaveSynced(streams));
}
