import type { SourcePosition } from '@sluice/model';
import type { ErrorCode } from '@sluice/base';
import type { ConfigStatus } from '@sluice/replication';

/** What the service is doing right now, for a status line and for probes. */
export interface ServiceStatus {
  readonly replication: ReplicationStatus;
  /** The newest op id that clients are served, as a decimal string. */
  readonly checkpointOpId: string | undefined;
  /** Operations written per second, over the last seconds. */
  readonly opsPerSecond: number;
  /** Open sync streams. */
  readonly clients: number;
  /** What is unwell, also where no probe fails for it. */
  readonly problems: readonly HealthProblem[];
}

interface HealthProblem {
  /** The part of the service. */
  readonly component: string;
  readonly code: ErrorCode;
  readonly message: string;
  /** When it was seen first, in ms since 1970. */
  readonly sinceMs: number;
}

export interface ReplicationStatus {
  /**
   * `off`: nothing to replicate; `starting`: the worker is being started; `waiting`: an error
   * (see `lastError`) is being waited out.
   */
  readonly state:
    'off' | 'starting' | 'connecting' | 'snapshotting' | 'streaming' | 'waiting' | 'stopped';
  /** Only while `snapshotting`. */
  readonly snapshot?: SnapshotProgress | undefined;
  /** The generation that the rest is about; the newest while several are replicated. */
  readonly generationId?: number | undefined;
  /** How far the position is behind the head of the source; measured every few seconds. */
  readonly lagBytes?: number | undefined;
  /** Age of the last source commit at the moment when clients could see it. */
  readonly lagMs?: number | undefined;
  /** Everything up to here has been taken from the source. */
  readonly position?: SourcePosition | undefined;
  /** The newest checkpoint of the generation, as a decimal string; undefined before the first. */
  readonly checkpointOpId?: string | undefined;
  /** Reading for a sync config that takes over next, beside what serves. */
  readonly fill?: SnapshotProgress | undefined;
  /** Facts of every generation that is replicated, oldest first. */
  readonly generations: readonly GenerationStatus[];
  /** Row changes and snapshot rows taken since the replicator began its present attempt. */
  readonly rowsTotal: number;
  /** The failure that is being waited out; undefined while all is well. */
  readonly lastError?: StatusError | undefined;
  /** When the replicator last showed a sign of life, in ms since 1970. */
  readonly touchedAtMs: number;
}

export interface GenerationStatus {
  readonly id: number;
  readonly position: SourcePosition | undefined;
  readonly lagBytes?: number | undefined;
  /** When this process saw a checkpoint, and any progress of the position, last; ms since 1970. */
  readonly lastCheckpointAtMs?: number | undefined;
  readonly lastProgressAtMs?: number | undefined;
  /** Its sync configs, the serving one first. */
  readonly configs: readonly ConfigStatus[];
}

export interface SnapshotProgress {
  readonly tablesDone: number;
  readonly tablesTotal: number;
  readonly rowsDone: number;
  /** Undefined when the source does not know. */
  readonly rowsEstimated?: number | undefined;
  /** The table being read, e.g. `public.todos`. */
  readonly table?: string | undefined;
}

export interface StatusError {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** When it began, in ms since 1970. */
  readonly sinceMs: number;
}
