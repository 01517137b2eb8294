import { existsSync } from 'node:fs';
import { silentLogger } from '@sluice/base';
import type { Generation } from '@sluice/storage';
import type { ServiceConfig } from '../config/service-config.ts';
import { openBucketStorage, openSource } from '../open-stores.ts';
import type { DeployPlan } from './deploy-plan.ts';
import { readDeployPlan } from './read-deploy-plan.ts';

/**
 * Plans a deploy for a service that does not run or is not asked: from its storage, which any
 * process may read, and its source.
 *
 * @throws ConfigError `CONFIG_SYNC_INVALID`; StorageError.
 */
export async function planFromStorage(config: ServiceConfig, text: string): Promise<DeployPlan> {
  const source = config.source && openSource(config.source, { logger: silentLogger });
  try {
    return await readDeployPlan(text, {
      generations: await storedGenerations(config.storage.path),
      source,
      concerned: undefined,
      rowsPerSecond: undefined,
    });
  } finally {
    await source?.[Symbol.asyncDispose]();
  }
}

/** Opening would make the files, so storage that is not there yet is left so. */
async function storedGenerations(path: string): Promise<readonly Generation[]> {
  if (!existsSync(path)) return [];
  await using storage = await openBucketStorage({ path, mode: 'reader', logger: silentLogger });
  return storage.generations();
}
