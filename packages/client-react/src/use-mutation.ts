import type { WriteTransaction } from '@sluice/client';
import { useCallback, useRef, useState } from 'react';
import { useDatabase } from './sluice-context.tsx';

interface MutationState<Result> {
  /** A call of it is under way. */
  readonly isPending: boolean;
  /** Of the last call; null for none. Nothing of it was written then. */
  readonly error: unknown;
  /** What the last call gave; undefined before, and after an error. */
  readonly data: Result | undefined;
}

export interface Mutation<Variables, Result> extends MutationState<Result> {
  /** What goes wrong is in `error`. */
  readonly mutate: (variables: Variables) => void;
  /** Resolves when it is committed, and rejects with what goes wrong, which is in `error` too. */
  readonly mutateAsync: (variables: Variables) => Promise<Result>;
  /** Forgets error and data. */
  readonly reset: () => void;
}

const IDLE = { isPending: false, error: null, data: undefined } as const;

/**
 * A local write, all or nothing: `mutation` runs in a write transaction. It is done when the local database has it; the backend's answer
 * comes later (`useRowSyncState`, `useRejectedWrites`).
 */
export function useMutation<Variables = void, Result = unknown>(
  mutation: (transaction: WriteTransaction, variables: Variables) => Result | Promise<Result>,
): Mutation<Variables, Result> {
  const database = useDatabase();
  const [state, setState] = useState<MutationState<Result>>(IDLE);
  // Counts calls: only the last one tells how it ended.
  const lastCall = useRef(0);
  const mutateAsync = useCallback(
    async (variables: Variables): Promise<Result> => {
      lastCall.current += 1;
      const call = lastCall.current;
      const end = (next: Partial<MutationState<Result>>): void => {
        if (call === lastCall.current) setState({ ...IDLE, ...next });
      };
      setState((before) => ({ ...before, isPending: true }));
      try {
        const data = await database.writeTransaction((tx) => mutation(tx, variables));
        end({ data });
        return data;
      } catch (error) {
        end({ error });
        throw error;
      }
    },
    [database, mutation],
  );
  const mutate = useCallback(
    (variables: Variables): void => {
      mutateAsync(variables).catch(() => undefined); // It is in the state.
    },
    [mutateAsync],
  );
  const reset = useCallback(() => {
    lastCall.current += 1;
    setState(IDLE);
  }, []);
  return { ...state, mutate, mutateAsync, reset };
}
