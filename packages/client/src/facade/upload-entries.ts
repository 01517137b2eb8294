import type { CrudEntry } from '../crud/crud-entry.ts';
import type { DatabaseConnector } from './sluice-database.ts';
import type { BatchOptions, EntryOutcomes } from './upload-access.ts';

/** Sends entries, and tells what became of each by its queue id; those that are left out were not processed. */
export type SendEntries = (
  entries: readonly CrudEntry[],
  signal: AbortSignal,
) => Promise<EntryOutcomes>;

/**
 * An `uploadData` for backends that answer entry by entry (spec/client.md 3, upload engine): what they refuse becomes a dead
 * letter instead of stopping all that comes after it. The queue id of an entry with the client id is its idempotency key.
 * `limit`: entries in one call; 100 if left out. `coalesce`: changes of one row that stand side by side are sent as one.
 */
export function uploadEntries(
  send: SendEntries,
  { limit, ...options }: BatchOptions & { readonly limit?: number | undefined } = {},
): DatabaseConnector['uploadData'] {
  return async (database, signal) => {
    const batch = await database.getCrudBatch(limit, options);
    return batch === null ? undefined : batch.settle(await send(batch.crud, signal));
  };
}
