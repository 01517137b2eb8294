import type { Caller } from './row-write.ts';
import type { UploadEntry } from './upload-entry.ts';
import type { WriteOutcome } from './write-store.ts';

/**
 * Applies client transactions in order: an outcome for each entry. See `applyUpload`.
 *
 * @throws AppError `UPLOAD_UNAVAILABLE` on a temporary fault.
 */
export type ApplyWrites = (
  transactions: readonly (readonly UploadEntry[])[],
  caller: Caller,
) => Promise<readonly WriteOutcome[]>;
