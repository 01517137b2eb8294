import type { Clock, Logger } from '@sluice/base';
import type { ChangeSource } from '@sluice/source';
import type { BucketStorage } from '@sluice/storage';
import { SyncHub } from '@sluice/sync';
import { planForGeneration } from '../check-sync-config.ts';
import type { ApiConfig } from '../config/service-config.ts';

export interface HubSurroundings {
  readonly api: ApiConfig;
  readonly source: ChangeSource | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * A line is one RSocket frame, and clients take none of 2^24 bytes or more (spec/protocol.md 3.1). So
 * much is left for what comes before the largest row of 15 MiB in its line.
 */
const MAX_CHUNK_BYTES = (1 << 20) - (1 << 16);

/** How large lines of data become, save for a single larger row. */
export function chunkBytesFor(maxBytesInFlightPerConnection: number): number {
  // A batch that is nearly full may be joined by one more line.
  return Math.min(MAX_CHUNK_BYTES, Math.floor(maxBytesInFlightPerConnection * 0.8));
}

/** A hub as the configuration has it. */
export function newSyncHub(storage: BucketStorage, surroundings: HubSurroundings): SyncHub {
  const { api, source, clock, logger, random } = surroundings;
  return new SyncHub({
    storage,
    clock,
    logger,
    random,
    planFor: (generation) => planForGeneration(generation, source),
    limits: {
      maxBucketsPerConnection: api.maxBucketsPerConnection,
      maxParameterQueryResults: api.maxParameterQueryResults,
      maxConcurrentReads: api.maxDataFetchConcurrency,
      chunkBytes: chunkBytesFor(api.maxBytesInFlightPerConnection),
      batchBytes: Math.floor(api.maxBytesInFlightPerConnection * 0.2),
    },
  });
}
