import type { SluiceDatabase } from '../facade/sluice-database.ts';
import type { SyncStatus } from '../sync/status/sync-status.ts';
import { sameValue } from './same-value.ts';

/**
 * Calls back when the upload queue may have changed, or what became of local writes: after writes, uploads and checkpoints.
 * Returns how to stop.
 */
export function onUploadActivity(
  database: SluiceDatabase,
  changed: () => void,
  onProblem: (problem: unknown) => void,
): () => void {
  if (database.closed) return () => undefined;
  const meant = (status: SyncStatus) => [
    status.uploading,
    status.uploadError,
    status.uploadAttempts,
    status.nextUploadAt,
    status.lastSyncedAt,
  ];
  let before = meant(database.currentStatus);
  const stopListening = database.registerListener({
    uploadsChanged: changed,
    statusChanged: (status) => {
      const after = meant(status);
      if (sameValue(before, after)) return;
      before = after;
      changed();
    },
  });
  const stopChanges = database.onChange({ onChange: changed, onError: onProblem });
  return () => {
    stopListening();
    stopChanges();
  };
}
