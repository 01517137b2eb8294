import type { CacheStats } from '@sluice/storage';

/** Counts how often a cache had what was asked for. Plain numbers: this is on the path of each read. */
export class CacheUse {
  hits = 0;
  misses = 0;

  stats(bytes: number): CacheStats {
    return { hits: this.hits, misses: this.misses, bytes };
  }
}
