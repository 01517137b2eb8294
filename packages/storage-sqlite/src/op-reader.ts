import type { OpId } from '@sluice/model';
import { ChunkAssembler, type OpsChunk, type ReadOps, type Segment } from '@sluice/storage';
import { LRUCache } from 'lru-cache';
import type { CacheUse } from './cache-use.ts';
import type { Database } from './database.ts';
import type { SegmentCache, SegmentKey } from './segment-cache.ts';

/** Segments looked up at a time: few at first, because one large segment makes a chunk. */
const FIRST_PAGE_SEGMENTS = 3;
const MAX_PAGE_SEGMENTS = 100;
const CHUNK_ENTRY_BYTES = 500;

interface BucketRow {
  readonly id: number;
  readonly epoch: number;
  readonly hidden_up_to: number;
}

interface SegmentPlace extends SegmentKey {
  readonly payload_bytes: number;
}

interface Read {
  readonly bucket: BucketRow;
  readonly after: number;
  readonly upTo: number;
  readonly maxBytes: number;
  readonly hideUpTo: number;
}

export interface OpReaderParts {
  readonly db: Database;
  readonly generationId: number;
  readonly segments: SegmentCache;
  /** Memory for chunks ready to send. */
  readonly chunkBytes: number;
  readonly use: CacheUse;
}

/** Reads chunks of operations, from memory where somebody has asked for the same before. */
export class OpReader {
  readonly #generationId: number;
  readonly #segments: SegmentCache;
  readonly #chunks: LRUCache<string, OpsChunk>;
  readonly #use: CacheUse;
  readonly #bucket;
  readonly #places;

  constructor({ db, generationId, segments, chunkBytes, use }: OpReaderParts) {
    this.#use = use;
    this.#generationId = generationId;
    this.#segments = segments;
    this.#chunks = new LRUCache({
      maxSize: chunkBytes,
      sizeCalculation: (chunk) => CHUNK_ENTRY_BYTES + chunk.byteLength,
    });
    this.#bucket = db.prepare<[number, string], BucketRow>(
      'SELECT id, epoch, hidden_up_to FROM buckets WHERE generation_id = ? AND name = ?',
    );
    this.#places = db.prepare<[number, number, number, number], SegmentPlace>(
      `SELECT first_op, last_op, payload_bytes, epoch FROM segments INDEXED BY segments_bucket
       WHERE bucket_id = ? AND last_op > ? AND first_op <= ?
       ORDER BY last_op LIMIT ?`,
    );
  }

  /** What the cached chunks take. */
  get cachedBytes(): number {
    return this.#chunks.calculatedSize;
  }

  /**
   * To be called in a read transaction: bucket and segments have to belong together.
   * `checkpoint` gives the newest one; above it a chunk may still grow, so it is not kept.
   */
  read(request: ReadOps, checkpoint: () => OpId): OpsChunk | undefined {
    const bucket = this.#bucket.get(this.#generationId, request.bucket);
    if (bucket === undefined) return undefined;
    const isFresh = request.fresh === 'start' || request.fresh === bucket.epoch;
    const read: Read = {
      bucket,
      after: toOpNumber(request.after),
      upTo: toOpNumber(request.upTo),
      maxBytes: request.maxBytes,
      hideUpTo: isFresh ? bucket.hidden_up_to : 0,
    };
    const key = `${bucket.id}/${bucket.epoch}/${read.hideUpTo}/${read.after}/${read.upTo}/${read.maxBytes}`;
    const known = this.#chunks.get(key);
    if (known) {
      this.#use.hits += 1;
      return known;
    }
    this.#use.misses += 1;
    const chunk = this.#assemble(read);
    if (chunk === undefined) return undefined;
    if (chunk.identity !== undefined) return chunk;
    if (request.upTo > checkpoint()) return chunk;
    const shared = asShared(chunk);
    this.#chunks.set(key, shared);
    return shared;
  }

  #assemble(read: Read): OpsChunk | undefined {
    const assembler = new ChunkAssembler({
      after: BigInt(read.after),
      upTo: BigInt(read.upTo),
      maxBytes: read.maxBytes,
      hideUpTo: BigInt(read.hideUpTo),
    });
    let after = read.after;
    let moreSegments = false;
    for (let limit = FIRST_PAGE_SEGMENTS; ; limit = Math.min(limit * 4, MAX_PAGE_SEGMENTS)) {
      const places = this.#places.all(read.bucket.id, after, read.upTo, limit);
      const taken = this.#addPage(assembler, read, places);
      moreSegments = taken < places.length;
      after = places.at(-1)?.last_op ?? after;
      if (moreSegments || places.length < limit) break;
    }
    return assembler.finish({ epoch: read.bucket.epoch, moreSegments });
  }

  /** How many segments the assembler took. */
  #addPage(assembler: ChunkAssembler, read: Read, places: readonly SegmentPlace[]): number {
    let loaded: readonly Segment[] = [];
    let loadedFrom = 0;
    for (const [at, place] of places.entries()) {
      if (!assembler.wantsMore) return at;
      const isLoaded = at < loadedFrom + loaded.length;
      if (!isLoaded && !this.#segments.has(read.bucket.id, place)) {
        loaded = this.#segments.load(read.bucket.id, place.last_op, lastToLoad(places, at, read));
        loadedFrom = at;
      }
      const segment = loaded[at - loadedFrom] ?? this.#segments.get(read.bucket.id, place);
      if (!assembler.add(segment)) return at;
    }
    return places.length;
  }
}

/** The last of the segments that together fill a chunk. */
function lastToLoad(places: readonly SegmentPlace[], from: number, read: Read): number {
  let bytes = 0;
  for (const place of places.slice(from)) {
    bytes += place.payload_bytes;
    if (bytes >= read.maxBytes) return place.last_op;
  }
  return places.at(-1)?.last_op ?? 0;
}

/** In one piece, with an identity under which derived forms can be kept. */
function asShared(chunk: OpsChunk): OpsChunk {
  const parts = chunk.parts.length > 1 ? [Buffer.concat(chunk.parts)] : chunk.parts;
  return { ...chunk, parts, identity: parts };
}

/** Positions of clients may be any number; none that was handed out is above 2^53. */
export function toOpNumber(opId: bigint): number {
  if (opId <= 0n) return 0;
  return opId > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(opId);
}
