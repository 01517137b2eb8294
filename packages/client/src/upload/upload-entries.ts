import type { CrudEntry } from '../crud/crud-entry.ts';
import type { DeadLetters } from '../crud/dead-letters.ts';
import type { EntryOutcome } from '../crud/outcomes.ts';
import type { UploadQueue } from '../crud/upload-queue.ts';
import type { UploadResult } from './upload-loop.ts';

/** Sends entries, and tells what became of each by its queue id; those that are left out were not processed. */
export type SendEntries = (
  entries: readonly CrudEntry[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<number, EntryOutcome>>;

/**
 * An `uploadData` for backends that answer entry by entry (spec/client.md 3, upload engine): what they refuse becomes a dead
 * letter instead of stopping all that comes after it. The queue id of an entry with the client id is its idempotency key.
 */
export function uploadEntries(
  send: SendEntries,
  options: {
    readonly letters: DeadLetters;
    /** Milliseconds since 1970. */
    readonly now: () => number;
    /** Entries in one call; 100 if left out. */
    readonly limit?: number | undefined;
  },
): (queue: UploadQueue, signal: AbortSignal) => Promise<UploadResult | void> {
  return async (queue, signal) => {
    const batch = queue.batch(options.limit);
    if (batch === undefined) return;
    const outcomes = await send(batch.crud, signal);
    const { retryAfterMs } = options.letters.settle(batch.crud, outcomes, options.now());
    return { retryAfterMs };
  };
}
