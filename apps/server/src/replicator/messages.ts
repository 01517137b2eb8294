import type { LogFacts } from '@sluice/base';
import type { ReplicationStatus } from '@sluice/replication';
import type { PostgresConnection } from '../config/service-config.ts';

/** What the main thread and the replicator thread tell each other. All of it can be cloned. */
export interface ReplicatorInput {
  readonly connection: PostgresConnection;
  readonly storagePath: string;
  readonly syncConfigText: string;
}

export type ToReplicator =
  /** Begin, or begin again after `failed`. */
  | { readonly kind: 'run' }
  /** Finish what is under way, close everything and exit. */
  | { readonly kind: 'stop' };

export type FromReplicator =
  /** About every second, as long as the thread's event loop turns. */
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'status'; readonly status: ReplicationStatus }
  | { readonly kind: 'lag'; readonly lagBytes: number }
  | { readonly kind: 'failed'; readonly failure: ReplicatorFailure }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly event: string;
      readonly facts: LogFacts | undefined;
    };

/** An `AppError` that has crossed threads. */
export interface ReplicatorFailure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly retryable: boolean;
  /** Only for failures that are bugs. */
  readonly stack?: string | undefined;
}
