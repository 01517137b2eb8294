import { LRUCache } from 'lru-cache';
import type { Database } from './database.ts';

const MAX_CACHED = 200_000;

/** Names of bucket ids, for readers. A bucket keeps its name for life. */
export class BucketNames {
  // By size and not by `max`, for which the cache would take its memory beforehand.
  readonly #names = new LRUCache<number, string>({
    maxSize: MAX_CACHED,
    sizeCalculation: () => 1,
  });
  readonly #find;

  constructor(db: Database) {
    this.#find = db.prepare<[number], string>('SELECT name FROM buckets WHERE id = ?').pluck();
  }

  /** Undefined for a bucket that is gone. */
  nameOf(id: number): string | undefined {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = this.#find.get(id);
    if (name !== undefined) this.#names.set(id, name);
    return name;
  }
}
