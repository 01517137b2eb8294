import type { BucketStorage } from '@sluice/storage';
import type { ConcernedSessions, SyncHub } from '@sluice/sync';
import type { SyncPlan } from '@sluice/sync-config';
import type { ReplicationStatus } from '../service-status.ts';
import type { OpenedStorage } from '../storage-keeper.ts';
import type { Problem } from '../watchdog/health.ts';
import type { Traffic } from './traffic.ts';

/** What serves clients: this process itself (`Serving`), or API workers (`WorkerPool`). */
export interface ClientSide extends AsyncDisposable {
  /** Where it listens, e.g. `http://127.0.0.1:8080`; empty before `listen` has resolved. */
  readonly url: string;
  readonly isListening: boolean;
  /** Open sync streams. */
  readonly streamCount: number;
  /** Of all processes that serve clients. */
  readonly traffic: Traffic;
  /** What other processes log, by code. */
  readonly errorsElsewhere: Readonly<Record<string, number>>;
  /** What is unwell in other processes. */
  readonly problemsElsewhere: readonly Problem[];
  /** Bucket storage, as far as it is open, and the hub of this process. */
  readonly opened: OpenedStorage<SyncHub> | undefined;
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
