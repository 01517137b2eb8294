import type { ConcernedSessions } from '@sluice/sync';
import type { ServiceConfig } from '../config/service-config.ts';
import type { SqlRequest } from '../http/backend.ts';
import type { StorageChange } from '../open-stores.ts';
import type { ReplicatorFailure } from '../replicator/messages.ts';
import type { Answer } from '../replicator/pending-requests.ts';
import type { ReplicationStatus } from '../service-status.ts';
import type { Traffic } from '../serving/traffic.ts';
import type { Problem } from '../watchdog/health.ts';

/** What the main process and an API worker tell each other. All of it can be cloned. */
export type ToWorker =
  /** The answer to `ready`. Over the channel, as it holds secrets. */
  | {
      readonly kind: 'begin';
      readonly config: ServiceConfig;
      readonly production: boolean;
      readonly replication: ReplicationStatus;
    }
  /** What replication does, and what is unwell; every second, and whenever the phase changes. */
  | {
      readonly kind: 'replication';
      readonly replication: ReplicationStatus;
      readonly problems: readonly Problem[];
    }
  | { readonly kind: 'changed'; readonly change: StorageChange }
  /** Count the sessions that a sync config concerns; answered by `counted`. */
  | { readonly kind: 'count'; readonly id: number; readonly configText: string }
  | { readonly kind: 'admin'; readonly answer: Answer<unknown> }
  /** End all streams, close everything and exit. */
  | { readonly kind: 'stop' };

export type FromWorker =
  /** First of all, once it listens to the channel: node:cluster loses what is sent before. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'failed'; readonly failure: ReplicatorFailure }
  | { readonly kind: 'report'; readonly report: WorkerReport }
  | { readonly kind: 'changed'; readonly change: StorageChange }
  | { readonly kind: 'counted'; readonly answer: Answer<ConcernedSessions> }
  /** Answered by `admin` with the same id. */
  | { readonly kind: 'request'; readonly id: number; readonly request: AdminRequest };

/** About every second, as long as the worker's event loop turns; so it is also the sign of life. */
export interface WorkerReport {
  readonly traffic: Traffic;
  /** Log lines with an error code so far, by code. */
  readonly errors: Readonly<Record<string, number>>;
  /** What is unwell in the worker. */
  readonly problems: readonly Problem[];
}

/** The methods of `AdminBackend` that the main process answers. */
export type AdminRequest =
  | { readonly method: 'executeSql'; readonly argument: SqlRequest }
  | { readonly method: 'diagnostics'; readonly argument: { readonly withContent: boolean } }
  | { readonly method: 'validate' | 'deploy' | 'plan'; readonly argument: string }
  | { readonly method: 'schema' | 'current' | 'rollBack' | 'reprocess' | 'status' };
