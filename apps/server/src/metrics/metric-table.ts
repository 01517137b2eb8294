import type { ServiceFacts } from './service-facts.ts';

/** A number, or one for each value of the label. Undefined: not known now, so left out. */
type Sample = number | undefined | Readonly<Record<string, number | undefined>>;

export interface MetricDefinition {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly meaning: string;
  /** The only label; its values are few and known, never a bucket or a user. */
  readonly label?: string;
  readonly read: (facts: ServiceFacts) => Sample;
}

type Read = MetricDefinition['read'];

const counter = (name: string, meaning: string, read: Read): MetricDefinition => ({
  name: `sluice_${name}_total`,
  kind: 'counter',
  meaning,
  read,
});
const gauge = (name: string, meaning: string, read: Read): MetricDefinition => ({
  name: `sluice_${name}`,
  kind: 'gauge',
  meaning,
  read,
});
const by = (label: string, definition: MetricDefinition): MetricDefinition => ({
  ...definition,
  label,
});

const seconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : ms / 1000;

/** Name of the histogram of the canary's times; it is filled as they come. */
export const CANARY_HISTOGRAM = {
  name: 'sluice_canary_seconds',
  meaning: 'Time from a commit in the source until clients are told of it, as the canary measures',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
} as const;

/**
 * All metrics but the histogram: what docs/operations.md lists, and where each number comes from. They
 * are read when they are asked for; what counts is plain numbers.
 */
export const METRICS: readonly MetricDefinition[] = [
  by(
    'state',
    gauge('replicator_state', '1 for the state that the replicator is in', ({ replication }) => ({
      [replication.state]: 1,
    })),
  ),
  gauge(
    'replicator_silence_seconds',
    'Time since the replicator thread gave a sign of life',
    (f) =>
      f.replication.state === 'off' ? undefined : seconds(f.nowMs - f.replication.touchedAtMs),
  ),
  gauge(
    'replication_lag_bytes',
    'Change log of the source not yet taken',
    (f) => f.replication.lagBytes,
  ),
  gauge(
    'replication_lag_seconds',
    'Age of the last source commit when clients could see it; 0 while nothing waits in the log',
    ({ replication }) => (replication.lagBytes === 0 ? 0 : seconds(replication.lagMs)),
  ),
  counter(
    'replication_received_bytes',
    'Bytes from the change log and from snapshots',
    (f) => f.meters.receivedBytes,
  ),
  counter(
    'replication_row_changes',
    'Row changes and snapshot rows written',
    (f) => f.meters.rowChanges,
  ),
  counter('replication_operations', 'Operations written to buckets', (f) => f.meters.operations),
  counter('replication_batches', 'Transactions on bucket storage', (f) => f.meters.batches),
  counter('replication_batch_seconds', 'Time spent in them', (f) => seconds(f.meters.batchMs)),
  counter('checkpoints', 'Checkpoints published', (f) => f.meters.checkpoints),
  gauge('checkpoint_op_id', 'Newest operation that clients are served', ({ replication }) =>
    replication.checkpointOpId === undefined ? undefined : Number(replication.checkpointOpId),
  ),
  by(
    'wal_status',
    gauge(
      'source_log_status',
      '1 for what the source says of the scarcest replication slot',
      (f) => (f.retention?.status === undefined ? {} : { [f.retention.status]: 1 }),
    ),
  ),
  gauge(
    'source_log_left_bytes',
    'Change log that may still be written before the slot is lost',
    (f) => f.retention?.remainingBytes,
  ),
  gauge(
    'source_log_limit_bytes',
    'max_slot_wal_keep_size of the source',
    (f) => f.retention?.limitBytes,
  ),

  by(
    'transport',
    gauge('connections', 'Open sync streams', (f) => f.traffic.streams.open),
  ),
  by(
    'reason',
    counter('connections_closed', 'Sync streams that ended', (f) => f.traffic.streams.closed),
  ),
  by(
    'transport',
    counter(
      'slow_readers_dropped',
      'Sync streams that were cut because their client took nothing (SYNC_CLIENT_TOO_SLOW)',
      (f) => f.traffic.streams.tooSlow,
    ),
  ),
  counter('uploads', 'Uploads that the write API has answered', (f) => f.traffic.uploads.uploads),
  counter('upload_seconds', 'Time spent on them', (f) => seconds(f.traffic.uploads.durationMs)),
  by(
    'outcome',
    counter(
      'upload_entries',
      'Entries of uploads, by what became of them',
      (f) => f.traffic.uploads.entries,
    ),
  ),
  counter('sync_lines', 'Lines sent to clients', (f) => f.traffic.sync?.linesSent),
  counter('sync_operations', 'Operations sent to clients', (f) => f.traffic.sync?.opsSent),
  counter(
    'sync_bytes',
    'Bytes sent to clients, before compression',
    (f) => f.traffic.sync?.bytesSent,
  ),
  gauge('sync_buckets', 'Buckets that a connected client has', (f) => f.traffic.sync?.buckets),
  by(
    'queue',
    gauge('queue_depth', 'What waits, and what is under way, in bounded queues', (f) => ({
      reads_running: f.traffic.sync?.readsRunning,
      reads_waiting: f.traffic.sync?.readsWaiting,
      ...f.traffic.queues,
    })),
  ),

  by(
    'cache',
    counter('cache_hits', 'What was answered from memory', (f) => ({
      ...caches(f, ({ hits }) => hits),
      sync_lookups: f.traffic.sync?.lookupHits,
      sync_reads: f.traffic.sync?.readsShared,
      sync_lines: f.traffic.sync?.linesShared,
    })),
  ),
  by(
    'cache',
    counter('cache_misses', 'What had to be read or built', (f) => ({
      ...caches(f, ({ misses }) => misses),
      sync_lookups: f.traffic.sync?.lookupMisses,
      sync_reads: f.traffic.sync?.readsMade,
      sync_lines: f.traffic.sync?.linesBuilt,
    })),
  ),
  by(
    'cache',
    gauge('cache_bytes', 'Memory of caches', (f) => caches(f, ({ bytes }) => bytes)),
  ),
  by(
    'file',
    gauge('storage_bytes', 'Size of the files of bucket storage', (f) => f.storageBytes),
  ),
  counter(
    'compaction_operations_removed',
    'Operations that compaction dropped',
    (f) => f.meters.opsDropped,
  ),
  counter(
    'compaction_segments_read',
    'Segments that compaction read',
    (f) => f.meters.segmentsRead,
  ),
  counter(
    'compaction_segments_written',
    'Segments that compaction wrote',
    (f) => f.meters.segmentsWritten,
  ),
  counter(
    'compaction_slices',
    'Slices of work given to compaction',
    (f) => f.meters.compactionSlices,
  ),
  counter('compaction_seconds', 'Time spent in them', (f) => seconds(f.meters.compactionMs)),
  gauge(
    'compaction_backlog',
    'Generations that compaction has more to do for',
    (f) => f.gauges?.compactionsPending,
  ),

  by(
    'code',
    counter('errors', 'Log lines with an error code (errors.md), by code', (f) => f.errors),
  ),
  by(
    'component',
    gauge('health_problem', '1 for what is unwell', (f) => f.problems),
  ),
  by(
    'probe',
    gauge('probe', '1 while a probe succeeds', (f) => f.probes),
  ),
  counter('canary_sent', 'Canaries sent', (f) => f.canary?.sent),
  counter('canary_lost', 'Canaries that did not arrive', (f) => f.canary?.lost),

  by(
    'quantile',
    gauge(
      'event_loop_delay_seconds',
      'How long the main thread was held up, since the scrape before',
      (f) => f.loopDelay,
    ),
  ),
  gauge(
    'replicator_event_loop_delay_seconds',
    'The same of the replicator thread, the longest of the last second',
    (f) => seconds(f.gauges?.loopDelayMaxMs),
  ),
  gauge('process_resident_memory_bytes', 'Memory of the process', (f) => f.process.residentBytes),
  counter('process_cpu_seconds', 'CPU time of the process', (f) => f.process.cpuSeconds),
  gauge(
    'process_start_time_seconds',
    'When the process started, since 1970',
    (f) => f.process.startedAtSeconds,
  ),
];

function caches(
  { traffic }: ServiceFacts,
  pick: (cache: {
    readonly hits: number;
    readonly misses: number;
    readonly bytes: number;
  }) => number,
): Readonly<Record<string, number>> {
  const entries = Object.entries(traffic.caches);
  return Object.fromEntries(entries.map(([name, cache]) => [name, pick(cache)]));
}

/** The table of docs/operations.md. */
export function metricsPage(): string {
  const rows = METRICS.map(({ name, kind, label, meaning }) => row(name, kind, label, meaning));
  const { name, meaning } = CANARY_HISTOGRAM;
  rows.push(row(name, 'histogram', undefined, meaning));
  return ['| Metric | Kind | Label | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function row(name: string, kind: string, label: string | undefined, meaning: string): string {
  return `| \`${name}\` | ${kind} | ${label === undefined ? '' : `\`${label}\``} | ${meaning} |`;
}
