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
      // A batch that is nearly full may be joined by one more line.
      chunkBytes: Math.floor(api.maxBytesInFlightPerConnection * 0.8),
      batchBytes: Math.floor(api.maxBytesInFlightPerConnection * 0.2),
    },
  });
}
