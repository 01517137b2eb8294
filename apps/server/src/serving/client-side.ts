import type { BucketStorage } from '@sluice/storage';
import type { ConcernedSessions } from '@sluice/sync';
import type { SyncPlan } from '@sluice/sync-config';
import type { ReplicationStatus } from '../service-status.ts';

/** What serves clients: this process itself (`Serving`), or API workers (`WorkerPool`). */
export interface ClientSide extends AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:8080`; empty before `listen` has resolved. */
  readonly url: string;
  /** Open sync streams. */
  readonly streamCount: number;
  /** Bucket storage, as far as it is open. */
  readonly storage: BucketStorage | undefined;
  /** @throws StorageError while storage is not open. */
  requireStorage(): BucketStorage;
  /** Counts the connected clients that the plan of this text concerns. */
  concerned(plan: SyncPlan, text: string): Promise<ConcernedSessions>;
  /** @throws AppError `API_LISTEN_FAILED`, `API_WORKER_FAILED`. */
  listen(): Promise<void>;
  /** Opens storage, trying again until it succeeds; returns then or at the signal. Never rejects. */
  openStorage(signal: AbortSignal): Promise<void>;
  /** Told every second, and whenever something happens. */
  replicationChanged(status: ReplicationStatus): void;
  /** Stops accepting and ends all streams normally; takes at most a few seconds. */
  close(): Promise<void>;
}
