/** What the replicator thread has done, as it counts up. Bytes, milliseconds, and numbers of things. */
const REPLICATOR_METERS = [
  'receivedBytes',
  'rowChanges',
  'batches',
  'batchMs',
  'operations',
  'checkpoints',
  'compactionSlices',
  'compactionMs',
  'segmentsRead',
  'segmentsWritten',
  'opsDropped',
] as const;

type ReplicatorMeter = (typeof REPLICATOR_METERS)[number];
/** All of them; plain numbers, because they are counted on hot paths. */
export type ReplicatorMeters = Record<ReplicatorMeter, number>;

/** How things are in the thread now. */
export interface ReplicatorGauges {
  /** Longest time that its event loop was held up since the report before, in ms. */
  readonly loopDelayMaxMs: number;
  /** Generations whose last slice of compaction left more to do. */
  readonly compactionsPending: number;
}

export function zeroMeters(): ReplicatorMeters {
  const entries = REPLICATOR_METERS.map((name) => [name, 0] as const);
  return Object.fromEntries(entries) as ReplicatorMeters;
}

/** Adds what a thread reports; threads come and go, and their counts add up. */
export function addMeters(total: ReplicatorMeters, added: Readonly<ReplicatorMeters>): void {
  for (const name of REPLICATOR_METERS) total[name] += added[name];
}

/** What has been counted since the call before; counting goes on from zero. */
export function takeMeters(meters: ReplicatorMeters): ReplicatorMeters {
  const taken = { ...meters };
  for (const name of REPLICATOR_METERS) meters[name] = 0;
  return taken;
}
