import { assert } from '@sluice/base';
import type { BucketStorage } from '@sluice/storage';
import { registerStorageConformance } from '@sluice/storage/conformance';
import { MemoryStorage } from './memory-storage.ts';

function onDiskOf(former: BucketStorage): MemoryStorage {
  assert(former instanceof MemoryStorage, 'storage is in memory');
  return new MemoryStorage(former.disk);
}

registerStorageConformance({
  name: 'memory',
  open: async () => new MemoryStorage(),
  reopen: async (former) => onDiskOf(former),
  second: async (former) => onDiskOf(former),
});
