import { setImmediate } from 'node:timers/promises';
import { StorageError } from '@sluice/base';
import type { Checkpoint, OpId } from '@sluice/model';
import type {
  BucketState,
  CheckpointDelta,
  Generation,
  GenerationReader,
  OpsChunk,
  ReadOps,
} from '@sluice/storage';
import { BucketNames } from './bucket-names.ts';
import { BucketSums } from './bucket-sums.ts';
import type { CacheUse } from './cache-use.ts';
import type { ChangeSignal } from './change-signal.ts';
import type { Database } from './database.ts';
import { DeltaReader, type DeltaPlace } from './delta-reader.ts';
import { OpReader, toOpNumber } from './op-reader.ts';
import type { SegmentCache } from './segment-cache.ts';
import { guarded } from './sqlite-error.ts';
import { watchChanges } from './watch-changes.ts';

interface LookupRow {
  readonly from_op: number;
  readonly entry_values: string;
}

export interface GenerationReaderParts {
  readonly db: Database;
  readonly generation: Generation;
  readonly segments: SegmentCache;
  readonly chunkCacheBytes: number;
  /** Counts for the chunks of all readers. */
  readonly chunkUse: CacheUse;
  readonly changes: ChangeSignal;
  /** Aborted when the storage closes. */
  readonly closing: AbortSignal;
  readonly onClose: () => void;
}

/** Keys that are looked up, and entries that are read, before others have their turn. */
const LOOKUPS_PER_TURN = 1000;

/** Reads one generation, in short synchronous reads. */
export class SqliteGenerationReader implements GenerationReader {
  readonly generation: Generation;
  readonly #db: Database;
  readonly #storageClosing: AbortSignal;
  readonly #changes: ChangeSignal;
  readonly #deltas: DeltaReader;
  readonly #sums: BucketSums;
  readonly #ops: OpReader;
  readonly #lookup;
  readonly #inTransaction;
  /** Up to where `#sums` has been told of changes. */
  #place: DeltaPlace;
  readonly #onClose: () => void;
  readonly #closing = new AbortController();

  constructor(parts: GenerationReaderParts) {
    const { db, generation, segments } = parts;
    this.generation = generation;
    this.#db = db;
    this.#storageClosing = parts.closing;
    this.#changes = parts.changes;
    this.#onClose = parts.onClose;
    this.#deltas = new DeltaReader(db, generation.id, new BucketNames(db));
    this.#place = this.#deltas.here();
    const knownUpTo = Number(this.#place.checkpoint?.opId ?? 0n);
    this.#sums = new BucketSums(db, generation.id, segments, knownUpTo);
    this.#ops = new OpReader({
      db,
      generationId: generation.id,
      segments,
      chunkBytes: parts.chunkCacheBytes,
      use: parts.chunkUse,
    });
    this.#lookup = db.prepare<[number, string, number, number, number], LookupRow>(
      `SELECT from_op, entry_values FROM lookups WHERE generation_id = ? AND key = ?
           AND from_op > ? AND from_op <= ? AND (to_op IS NULL OR to_op > ?)
         ORDER BY from_op LIMIT ${LOOKUPS_PER_TURN}`,
    );
    this.#inTransaction = db.transaction(<T>(read: () => T): T => read());
  }

  /** What its cached chunks take. */
  get chunkBytes(): number {
    return this.#ops.cachedBytes;
  }

  checkpoint(): Checkpoint | undefined {
    return this.#guarded(() => this.#deltas.checkpoint());
  }

  watch(signal: AbortSignal): AsyncIterable<CheckpointDelta> {
    return this.#guarded(() => {
      let place = this.#deltas.here();
      const take = () =>
        this.#guarded(() => {
          const news = this.#deltas.since(place);
          place = news?.place ?? place;
          const { checkpoint, buckets, lookups } = news ?? {};
          return checkpoint && buckets && lookups ? { checkpoint, buckets, lookups } : undefined;
        });
      const ends = AbortSignal.any([signal, this.#closing.signal, this.#storageClosing]);
      return watchChanges({
        signal: ends,
        changes: this.#changes,
        topic: this.generation.id,
        take,
      });
    });
  }

  async bucketStates(buckets: readonly string[], at: OpId): Promise<readonly BucketState[]> {
    return this.#guarded(() => {
      const opNumber = toOpNumber(at);
      return this.#read(() => {
        this.#noteNews();
        this.#sums.noteDiscards();
        return buckets.map((bucket) => this.#sums.state(bucket, opNumber));
      });
    });
  }

  async readOps(request: ReadOps): Promise<OpsChunk | undefined> {
    return this.#guarded(() => {
      const newest = () => this.#deltas.checkpoint()?.opId ?? 0n;
      return this.#read(() => this.#ops.read(request, newest));
    });
  }

  async lookup(keys: readonly string[], at: OpId): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>();
    let left = LOOKUPS_PER_TURN;
    for (const key of keys) {
      const values: string[] = [];
      for (let afterOp: number | undefined = -1; afterOp !== undefined;) {
        if (left <= 0) {
          await setImmediate();
          left = LOOKUPS_PER_TURN;
        }
        const page = this.#lookupPage(key, afterOp, at);
        for (const row of page) values.push(row.entry_values);
        left -= 1 + page.length;
        afterOp = page.length === LOOKUPS_PER_TURN ? page.at(-1)?.from_op : undefined;
      }
      if (values.length > 0) found.set(key, values);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#onClose();
  }

  /** Entries after `afterOp`; what belongs to a checkpoint stays the same between two pages. */
  #lookupPage(key: string, afterOp: number, at: OpId): readonly LookupRow[] {
    return this.#guarded(() => {
      const opNumber = toOpNumber(at);
      return this.#lookup.all(this.generation.id, key, afterOp, opNumber, opNumber);
    });
  }

  #noteNews(): void {
    const news = this.#deltas.since(this.#place);
    if (news === undefined) return;
    this.#sums.advance(news);
    this.#place = news.place;
  }

  /** One snapshot for several statements. */
  #read<T>(read: () => T): T {
    return this.#inTransaction(read) as T;
  }

  #guarded<T>(run: () => T): T {
    if (this.#closing.signal.aborted)
      throw new StorageError('STORAGE_CLOSED', 'The reader is closed');
    return guarded(this.#db, run);
  }
}
