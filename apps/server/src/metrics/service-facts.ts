import type { LogRetention } from '@sluice/source';
import type { StorageStats } from '@sluice/storage';
import type { SyncStats } from '@sluice/sync';
import type { CanaryCounts } from '../canary/canary.ts';
import type { ReplicatorGauges, ReplicatorMeters } from '../replicator/meters.ts';
import type { ReplicationStatus } from '../service-status.ts';
import type { StreamCounts } from '../http/stream-registry.ts';

type Counts = Readonly<Record<string, number>>;

/** Everything that metrics are made of, looked up when they are asked for. */
export interface ServiceFacts {
  readonly nowMs: number;
  readonly replication: ReplicationStatus;
  readonly meters: Readonly<ReplicatorMeters>;
  readonly gauges: ReplicatorGauges | undefined;
  /** Undefined while storage is not open. */
  readonly sync: SyncStats | undefined;
  readonly storage: StorageStats | undefined;
  /** By `database` and `wal`. */
  readonly storageBytes: Counts;
  readonly streams: StreamCounts;
  readonly queues: Counts;
  /** Of the replication slot with the least left. */
  readonly retention: LogRetention | undefined;
  readonly errors: Counts;
  readonly problems: Counts;
  readonly probes: Counts;
  readonly canary: CanaryCounts | undefined;
  /** Seconds by quantile. */
  readonly loopDelay: Counts;
  readonly process: {
    readonly residentBytes: number;
    readonly cpuSeconds: number;
    readonly startedAtSeconds: number;
  };
}
