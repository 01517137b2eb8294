/** Above this many a delta says `all`. */
const MAX_BUCKETS = 50_000;
const MAX_LOOKUP_CHARS = 1 << 20;

/** What a batch changed, gathered while it is applied. */
export class BatchDelta {
  #buckets: Set<number> | undefined = new Set();
  #lookups: Set<string> | undefined = new Set();
  #lookupChars = 0;

  addBucket(id: number): void {
    if (this.#buckets === undefined) return;
    this.#buckets.add(id);
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets = undefined;
  }

  addLookup(key: string): void {
    if (this.#lookups === undefined || this.#lookups.has(key)) return;
    this.#lookups.add(key);
    this.#lookupChars += key.length;
    if (this.#lookupChars > MAX_LOOKUP_CHARS) this.#lookups = undefined;
  }

  get isEmpty(): boolean {
    return this.#buckets?.size === 0 && this.#lookups?.size === 0;
  }

  /** JSON array of bucket ids; null for `all`. */
  get bucketsJson(): string | null {
    return this.#buckets === undefined ? null : `[${[...this.#buckets].join(',')}]`;
  }

  /** JSON array of lookup keys; null for `all`. */
  get lookupsJson(): string | null {
    return this.#lookups === undefined ? null : JSON.stringify([...this.#lookups]);
  }
}
