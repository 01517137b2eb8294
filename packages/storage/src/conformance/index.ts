import { describe } from 'vitest';
import { describeCheckpoints } from './checkpoints.ts';
import { describeCompaction } from './compaction.ts';
import { describeConfigs } from './configs.ts';
import { describeDiscarding } from './discarding.ts';
import { describeGenerations } from './generations.ts';
import { describeLifecycle } from './lifecycle.ts';
import { describeRaisedNumbers } from './raised-numbers.ts';
import { describeRandomDeploys } from './random-deploys.ts';
import { describeRandomHistories } from './random-histories.ts';
import { describeReading } from './reading.ts';
import { describeRowChanges } from './row-changes.ts';
import type { StorageTarget } from './target.ts';
import { describeWriteCheckpoints } from './write-checkpoints.ts';

export type { StorageTarget } from './target.ts';

/**
 * Registers the tests that every implementation of `BucketStorage` has to pass, to be called at
 * the top of a vitest file:
 *
 *     registerStorageConformance({ name: 'memory', open: async () => new MemoryStorage() });
 */
export function registerStorageConformance(target: StorageTarget): void {
  describe(`bucket storage: ${target.name}`, () => {
    describeGenerations(target);
    describeConfigs(target);
    describeRowChanges(target);
    describeReading(target);
    describeCheckpoints(target);
    describeCompaction(target);
    describeDiscarding(target);
    describeWriteCheckpoints(target);
    describeRaisedNumbers(target);
    describeLifecycle(target);
    describeRandomHistories(target);
    describeRandomDeploys(target);
  });
}
