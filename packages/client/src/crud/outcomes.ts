import type { CrudEntry } from './crud-entry.ts';

/** What the connector says became of an entry (spec/client.md 3, upload engine). */
export type EntryOutcome =
  | { readonly kind: 'ok' }
  /** A passing fault: the entry waits, with what has no outcome. Without `afterMs` it is sent again after a delay that grows. */
  | { readonly kind: 'retry'; readonly afterMs?: number }
  /** The backend will never take it. */
  | { readonly kind: 'reject'; readonly reason: string }
  /** Set aside until the app queues it again. */
  | { readonly kind: 'park'; readonly reason: string };

export interface Settlement {
  readonly done: readonly CrudEntry[];
  readonly dead: readonly {
    readonly entry: CrudEntry;
    readonly state: 'rejected' | 'parked';
    readonly reason: string;
  }[];
  /** When to send what is left again; undefined if no entry asked to wait, 0 if one did not say how long. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Sorts entries by what became of them, oldest first. An entry without an outcome was not processed: it waits with
 * everything behind it, except that what the backend did take is done. Updates of a row whose insertion or update was
 * rejected or parked share its fate unless they have an outcome of their own: they would meet a row that is not there as they expect it.
 */
export function settleOutcomes(
  crud: readonly CrudEntry[],
  outcomes: ReadonlyMap<number, EntryOutcome>,
): Settlement {
  const done: CrudEntry[] = [];
  const dead: Settlement['dead'][number][] = [];
  const fates = new Map<string, Settlement['dead'][number]>();
  let retryAfterMs: number | undefined;
  for (const entry of crud) {
    const row = JSON.stringify([entry.table, entry.id]);
    const outcome = outcomes.get(entry.clientId);
    const fate = fates.get(row);
    if (outcome === undefined) {
      if (fate !== undefined && entry.op === 'PATCH') dead.push({ ...fate, entry });
    } else if (outcome.kind === 'ok') {
      done.push(entry);
      fates.delete(row);
    } else if (outcome.kind === 'retry') {
      retryAfterMs = Math.max(retryAfterMs ?? 0, outcome.afterMs ?? 0);
    } else {
      const state = outcome.kind === 'reject' ? 'rejected' : 'parked';
      const letter = { entry, state, reason: outcome.reason } as const;
      dead.push(letter);
      fates.set(row, letter);
    }
  }
  return { done, dead, retryAfterMs };
}
