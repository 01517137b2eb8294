import {
  AppError,
  ERROR_TABLE,
  failureFacts,
  toAppError,
  type ErrorCode,
  type LogFacts,
} from '@sluice/base';
import type { DeployOutcome, ReplicationStatus } from '@sluice/replication';
import type { PostgresConnection } from '../config/service-config.ts';
import type { ReplicatorGauges, ReplicatorMeters } from './meters.ts';

/** What the main thread and the replicator thread tell each other. All of it can be cloned. */
export interface ReplicatorInput {
  readonly connection: PostgresConnection;
  readonly storagePath: string;
  readonly compactEveryMs: number;
  /** Undefined: what was deployed before, or else what is deployed first. */
  readonly syncConfigText: string | undefined;
}

/** What the main thread may ask for while replication runs (`Replication` in @sluice/replication). */
export type ReplicatorRequest =
  | { readonly kind: 'deploy'; readonly configText: string }
  | { readonly kind: 'rollBack' }
  | { readonly kind: 'reprocess' };

export type ToReplicator =
  /** Begin, or begin again after `failed`. */
  | { readonly kind: 'run' }
  /** Answered by `answer` or `refusal` with the same id. */
  | { readonly kind: 'request'; readonly id: number; readonly request: ReplicatorRequest }
  /** Finish what is under way, close everything and exit. */
  | { readonly kind: 'stop' };

export type FromReplicator =
  /** About every second, as long as the thread's event loop turns. */
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'status'; readonly status: ReplicationStatus }
  /** Of all generations that there are, now and then; undefined where it is not known. */
  | {
      readonly kind: 'lags';
      readonly lags: readonly {
        readonly generationId: number;
        readonly lagBytes: number | undefined;
      }[];
    }
  /** About every second: what has been done since the report before, and how things are. */
  | {
      readonly kind: 'meters';
      readonly added: ReplicatorMeters;
      readonly gauges: ReplicatorGauges;
    }
  | { readonly kind: 'failed'; readonly failure: ReplicatorFailure }
  | ReplicatorAnswer
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly event: string;
      readonly facts: LogFacts | undefined;
    };

type ReplicatorAnswer =
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: DeployOutcome }
  | { readonly kind: 'refusal'; readonly id: number; readonly failure: ReplicatorFailure };

/** An `AppError` that has crossed threads. */
export interface ReplicatorFailure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Only for failures that are bugs. */
  readonly stack?: string | undefined;
}

/** Details stay behind where they cannot be cloned: a failure must arrive in any case. */
export function toFailure(error: unknown): ReplicatorFailure {
  const { remedy, retryable, details } = toAppError(error);
  return {
    ...failureFacts(error),
    remedy,
    retryable,
    details: isCloneable(details) ? details : undefined,
  };
}

/** The error on this side of the threads. */
export function fromFailure({ code, message, remedy, details }: ReplicatorFailure): AppError {
  return isErrorCode(code)
    ? new AppError(code, message, { remedy, details })
    : new AppError('INTERNAL_BUG', `${code}: ${message}`);
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_TABLE, code);
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false; // a function or a handle among the details
  }
}
