import type { DeadLetter, PendingUploads, RowSyncState } from '@sluice/client';
import { useQueryStore } from './sluice-context.tsx';
import { useStore } from './use-store.ts';

/**
 * How many local writes wait for the backend, with `withSize` how many bytes they have, how often the oldest was sent in vain, and when it
 * is sent again; null until it is known.
 */
export function usePendingUploads(options?: {
  readonly withSize?: boolean;
}): PendingUploads | null {
  return useStore(useQueryStore().pendingUploads(options));
}

/** What became of the local writes to a row of a synced table (by its synced name); null until it is known. */
export function useRowSyncState(table: string, id: string): RowSyncState | null {
  return useStore(useQueryStore().rowSyncState(table, id));
}

/**
 * The newest writes that the backend refused or the connector set aside (100 if not told otherwise), newest first; null until they
 * are known.
 */
export function useRejectedWrites(options?: {
  readonly limit?: number;
}): readonly DeadLetter[] | null {
  return useStore(useQueryStore().rejectedWrites(options));
}
