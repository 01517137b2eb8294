import { AppError, must } from '@sluice/base';
import type { Checkpoint } from '@sluice/model';
import type { BucketStorage, Generation, GenerationReader } from '@sluice/storage';
import { compileSyncConfig, type BucketPrefixes, type SyncPlan } from '@sluice/sync-config';

/** What clients are served from at this moment. */
export interface ServedState {
  readonly plan: SyncPlan;
  readonly prefixes: BucketPrefixes;
  readonly reader: GenerationReader;
  readonly checkpoint: Checkpoint;
}

/**
 * Opens what clients are served from. The reader is the caller's to close.
 *
 * @throws AppError `CLI_NOT_FOUND` while nothing is served.
 */
export async function openServedState(
  storage: BucketStorage,
  defaultSchema: string,
): Promise<ServedState> {
  const generation = (await storage.generations()).find(({ state }) => state === 'active');
  if (generation === undefined) {
    throw new AppError('CLI_NOT_FOUND', 'Nothing has been replicated yet, so nobody is served', {
      remedy:
        'Wait until the first copy is complete, or explain the file with --sync-config FILE, which reads the database itself',
    });
  }
  const { plan } = compileSyncConfig(generation.configs.serving.text, { defaultSchema });
  const compiled = must(plan, 'the config that is served compiles');
  const reader = await storage.openReader(generation.id);
  const checkpoint = must(reader.checkpoint(), 'the checkpoint of the active generation');
  return { plan: compiled, prefixes: prefixesOf(generation), reader, checkpoint };
}

function prefixesOf({ configs }: Generation): BucketPrefixes {
  return new Map(Object.entries(configs.serving.prefixes));
}
