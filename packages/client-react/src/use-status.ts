import type { SluiceDatabase, Store, SyncStatus } from '@sluice/client';
import { useMemo } from 'react';
import { useDatabase } from './sluice-context.tsx';
import { useSelected } from './use-store.ts';

/**
 * How sync stands. With `select`, the component renders only when what it gives looks different: `useStatus((status) => status.connected)`
 * does not for each step of a download.
 */
export function useStatus(): SyncStatus;
export function useStatus<Selected>(select: (status: SyncStatus) => Selected): Selected;
export function useStatus(select: (status: SyncStatus) => unknown = whole): unknown {
  const database = useDatabase();
  const store = useMemo(() => statusStore(database), [database]);
  return useSelected(store, select);
}

function whole(status: SyncStatus): unknown {
  return status;
}

function statusStore(database: SluiceDatabase): Store<SyncStatus> {
  return {
    getSnapshot: () => database.currentStatus,
    subscribe: (statusChanged) => database.registerListener({ statusChanged }),
  };
}
