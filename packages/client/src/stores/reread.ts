import { DatabaseClosedError } from '../errors.ts';
import type { SluiceDatabase } from '../facade/sluice-database.ts';
import type { SyncStatus } from '../sync/status/sync-status.ts';
import { sameValue } from './same-value.ts';

export interface RereadOptions<Value> {
  readonly read: () => Promise<Value>;
  readonly set: (value: Value) => void;
  readonly onProblem: (problem: unknown) => void;
}

/** A value that is read now and whenever the function it gives is called: one read at a time, and one more for all that comes meanwhile. */
export function rereading<Value>({ read, set, onProblem }: RereadOptions<Value>): () => void {
  let isReading = false;
  let isStale = false;
  const run = async (): Promise<void> => {
    isStale = true;
    if (isReading) return;
    isReading = true;
    while (isStale) {
      isStale = false;
      try {
        set(await read());
      } catch (error) {
        if (!(error instanceof DatabaseClosedError)) onProblem(error);
      }
    }
    isReading = false;
  };
  void run();
  return () => void run();
}

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
  const meant = ({ uploading, uploadError, lastSyncedAt }: SyncStatus) => [
    uploading,
    uploadError,
    lastSyncedAt,
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
