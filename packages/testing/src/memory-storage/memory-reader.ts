import { StorageError } from '@sluice/base';
import type { Checkpoint, OpId } from '@sluice/model';
import { addChecksums, encodeMoveElement, encodeOpElement } from '@sluice/protocol';
import type {
  BucketState,
  CheckpointDelta,
  Generation,
  GenerationReader,
  OpsChunk,
  ReadOps,
} from '@sluice/storage';
import type { StoredGeneration, StoredOp } from './memory-data.ts';

export class MemoryReader implements GenerationReader {
  readonly generation: Generation;
  readonly #stored: StoredGeneration;
  readonly #isOpen: () => boolean;
  readonly #closing = new AbortController();

  constructor(stored: StoredGeneration, isOpen: () => boolean) {
    this.generation = stored.generation;
    this.#stored = stored;
    this.#isOpen = isOpen;
  }

  checkpoint(): Checkpoint | undefined {
    return this.#stored.content.checkpoint;
  }

  watch(signal: AbortSignal): AsyncIterable<CheckpointDelta> {
    this.#check();
    return this.#stored.deltas.subscribe(AbortSignal.any([signal, this.#closing.signal]));
  }

  async bucketStates(buckets: readonly string[], at: OpId): Promise<readonly BucketState[]> {
    this.#check();
    return buckets.map((bucket) => this.#stateOf(this.#opsOf(bucket), at));
  }

  async readOps(request: ReadOps): Promise<OpsChunk | undefined> {
    this.#check();
    const { after, upTo, maxBytes } = request;
    const asked = this.#opsOf(request.bucket).filter(
      ({ op }) => op.opId > after && op.opId <= upTo,
    );
    const taken = takeUpTo(asked, maxBytes);
    const last = taken.at(-1);
    if (last === undefined) return undefined;
    const parts = foldMoves(taken);
    return {
      parts,
      opCount: parts.length,
      byteLength: parts.reduce((bytes, part) => bytes + part.length, 0),
      lastOpId: last.op.opId,
      hasMore: taken.length < asked.length,
      requiresCheckpoint: taken.reduce((max, one) => (one.target > max ? one.target : max), 0n),
      epoch: this.#stored.content.epoch,
      identity: undefined,
    };
  }

  async lookup(keys: readonly string[], at: OpId): Promise<ReadonlyMap<string, readonly string[]>> {
    this.#check();
    const found = new Map<string, string[]>();
    for (const { key, values, from, until } of this.#stored.content.lookups) {
      const isThere = from <= at && (until === undefined || until > at);
      if (!isThere || !keys.includes(key)) continue;
      found.set(key, [...(found.get(key) ?? []), values]);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
  }

  #opsOf(bucket: string): readonly StoredOp[] {
    return this.#stored.content.buckets.get(bucket) ?? [];
  }

  #stateOf(all: readonly StoredOp[], at: OpId): BucketState {
    const ops = all.filter(({ op }) => op.opId <= at);
    const first = all[0]?.op;
    // What a CLEAR stands for cannot be told apart any more.
    const isInsideClear = first?.kind === 'CLEAR' && first.opId > at;
    return {
      checksum: ops.reduce((sum, { op }) => addChecksums(sum, op.checksum), 0),
      count: ops.length,
      lastOpId: ops.at(-1)?.op.opId ?? 0n,
      requiresCheckpoint: isInsideClear ? first.opId : 0n,
    };
  }

  #check(): void {
    if (this.#closing.signal.aborted || !this.#isOpen()) {
      throw new StorageError('STORAGE_CLOSED', 'Reader is closed');
    }
  }
}

function takeUpTo(ops: readonly StoredOp[], maxBytes: number): readonly StoredOp[] {
  let bytes = 0;
  for (const [at, { op }] of ops.entries()) {
    const size = encodeOpElement(op).length;
    if (at > 0 && size > maxBytes) return ops.slice(0, at);
    bytes += size;
    if (bytes >= maxBytes) return ops.slice(0, at + 1);
  }
  return ops;
}

/** The ops as elements, all MOVEs together as one in the place of the last. */
function foldMoves(ops: readonly StoredOp[]): Uint8Array[] {
  const moves = ops.filter(({ op }) => op.kind === 'MOVE');
  const last = moves.at(-1);
  const sum = moves.reduce((total, { op }) => addChecksums(total, op.checksum), 0);
  const parts: Uint8Array[] = [];
  for (const stored of ops) {
    if (stored === last) parts.push(encodeMoveElement(stored.op.opId, sum));
    else if (stored.op.kind !== 'MOVE') parts.push(encodeOpElement(stored.op));
  }
  return parts;
}
