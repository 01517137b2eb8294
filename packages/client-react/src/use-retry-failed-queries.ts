import { useCallback } from 'react';
import { useQueryStore } from './sluice-context.tsx';

/** Gives what lets failed queries begin anew: to be called when an error boundary is reset, or it shows the same error again. */
export function useRetryFailedQueries(): () => void {
  const store = useQueryStore();
  return useCallback(() => store.retryFailed(), [store]);
}
