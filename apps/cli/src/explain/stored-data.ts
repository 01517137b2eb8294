import { BucketReplica, decodeOpElements } from '@sluice/protocol';
import type { BucketStorage } from '@sluice/storage';
import { formatCount } from '../terminal/text.ts';
import { openServedState, type ServedState } from './serving-config.ts';
import type { ClientRow, SyncedData } from './synced-data.ts';

const CHUNK_BYTES = 1 << 20;

export interface StoredDataOptions {
  /** Closed with the data. */
  readonly storage: BucketStorage;
  readonly defaultSchema: string;
  /** The storage in a few words. */
  readonly name: string;
  /** Operations to read in all. */
  readonly maxOps: number;
}

/** What clients are served now, from bucket storage as of one checkpoint. */
export async function openStoredData(options: StoredDataOptions): Promise<SyncedData> {
  try {
    return new StoredData(options, await openServedState(options.storage, options.defaultSchema));
  } catch (error) {
    await options.storage[Symbol.asyncDispose]();
    throw error;
  }
}

class StoredData implements SyncedData {
  readonly plan: SyncedData['plan'];
  readonly prefixes: SyncedData['prefixes'];
  readonly origin: string;
  readonly #options: StoredDataOptions;
  readonly #served: ServedState;
  readonly #read = new Map<string, readonly ClientRow[]>();
  #opsLeft: number;
  #isCut = false;

  constructor(options: StoredDataOptions, served: ServedState) {
    this.plan = served.plan;
    this.prefixes = served.prefixes;
    this.origin = `what ${options.name} serves at checkpoint ${served.checkpoint.opId}`;
    this.#options = options;
    this.#served = served;
    this.#opsLeft = options.maxOps;
  }

  readonly lookup: SyncedData['lookup'] = (keys) =>
    this.#served.reader.lookup(keys, this.#served.checkpoint.opId);

  async rowsOf(bucket: string): Promise<readonly ClientRow[]> {
    const known = this.#read.get(bucket);
    if (known !== undefined) return known;
    const rows = await this.#readBucket(bucket);
    this.#read.set(bucket, rows);
    return rows;
  }

  /** As a client that has nothing of the bucket yet. */
  async #readBucket(bucket: string): Promise<readonly ClientRow[]> {
    const { reader, checkpoint } = this.#served;
    const replica = new BucketReplica();
    let fresh: 'start' | number = 'start';
    for (let after = 0n; ;) {
      if (this.#opsLeft <= 0) this.#isCut = true;
      if (this.#isCut) break;
      const request = { bucket, after, upTo: checkpoint.opId, maxBytes: CHUNK_BYTES, fresh };
      const chunk = await reader.readOps(request);
      if (chunk === undefined) break;
      replica.apply(decodeOpElements(Buffer.concat(chunk.parts)));
      this.#opsLeft -= chunk.opCount;
      if (!chunk.hasMore) break;
      if (fresh === 'start') fresh = chunk.epoch;
      after = chunk.lastOpId;
    }
    return replica.rows();
  }

  gaps(): readonly string[] {
    if (!this.#isCut) return [];
    const count = formatCount(this.#options.maxOps);
    return [`Only ${count} operations were read, so there are more rows than shown; see --limit`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#served.reader[Symbol.asyncDispose]();
    await this.#options.storage[Symbol.asyncDispose]();
  }
}
