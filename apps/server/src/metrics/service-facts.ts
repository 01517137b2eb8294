import type { LogRetention } from '@sluice/source';
import type { CanaryCounts } from '../canary/canary.ts';
import type { ReplicatorGauges, ReplicatorMeters } from '../replicator/meters.ts';
import type { ReplicationStatus } from '../service-status.ts';
import type { Traffic } from '../serving/traffic.ts';

type Counts = Readonly<Record<string, number>>;

/** Everything that metrics are made of, looked up when they are asked for. */
export interface ServiceFacts {
  readonly nowMs: number;
  readonly replication: ReplicationStatus;
  readonly meters: Readonly<ReplicatorMeters>;
  readonly gauges: ReplicatorGauges | undefined;
  readonly traffic: Traffic;
  /** By `database` and `wal`. */
  readonly storageBytes: Counts;
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
