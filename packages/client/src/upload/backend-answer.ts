import type { EntryOutcome } from '../crud/outcomes.ts';
import { ClientError } from '../errors.ts';

/** One entry's result in the backend's answer (spec/client.md 6.5). */
export interface BackendResult {
  readonly status: 'ok' | 'duplicate' | 'rejected' | 'conflict' | 'retry';
  readonly code?: string;
  readonly message?: string;
  /** The row as the server has it, where the backend shows it. */
  readonly row?: Readonly<Record<string, unknown>>;
  readonly retryAfterMs?: number;
}

/**
 * The results of an answer by queue id. They may be fewer than the entries: the rest was not processed.
 *
 * @throws ClientError `BACKEND` for an answer that is none
 */
export function backendResults(text: string): ReadonlyMap<number, BackendResult> {
  let results: unknown;
  try {
    ({ results } = JSON.parse(text) as { results?: unknown });
  } catch (cause) {
    throw new ClientError('BACKEND', 'The backend answered with what is not JSON', { cause });
  }
  if (!Array.isArray(results)) throw new ClientError('BACKEND', 'The answer has no results');
  return new Map(
    (results as readonly (BackendResult & { readonly seq: number })[]).map((result) => [
      result.seq,
      result,
    ]),
  );
}

/** What a result means for the queue; see `uploadEntries`. */
export function outcomeOf(result: BackendResult): EntryOutcome {
  switch (result.status) {
    case 'ok':
    case 'duplicate':
      return { kind: 'ok' };
    case 'retry':
      return result.retryAfterMs === undefined
        ? { kind: 'retry' }
        : { kind: 'retry', afterMs: result.retryAfterMs };
    case 'rejected':
    case 'conflict':
      return { kind: 'reject', reason: result.message ?? result.code ?? result.status };
  }
}
