import { assert, must, StorageError } from '@sluice/base';
import type { Checkpoint, OpId, SourcePosition } from '@sluice/model';
import { addChecksums, encodeOpElement, type Op } from '@sluice/protocol';
import type {
  BucketState,
  BucketStorage,
  CheckpointDelta,
  Generation,
  GenerationConfigs,
  GenerationReader,
  GenerationWriter,
  NewGeneration,
  OpsChunk,
  ReadOps,
  StoredConfig,
  WriteCheckpointStore,
  StorageStats,
} from '@sluice/storage';
import { LatestChannel } from './latest-channel.ts';

/** An operation of a row in a bucket, without its id: `data` for a PUT, none for a REMOVE. */
export interface ScriptedRow {
  readonly bucket: string;
  readonly objectType?: string | undefined;
  readonly objectId: string;
  readonly subkey?: string | undefined;
  readonly checksum: number;
  readonly data?: string | undefined;
}

export interface ScriptedCommit {
  readonly rows?: readonly ScriptedRow[] | undefined;
  /** Sets the values under a lookup key. */
  readonly lookups?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly position?: SourcePosition | undefined;
  /** Makes the delta say that anything may have changed. */
  readonly announceAll?: boolean | undefined;
}

interface StoredOp {
  readonly op: Op;
  readonly bytes: Uint8Array;
  /** A checkpoint below this one is not consistent with the operation (spec/protocol.md 2.8). */
  readonly target: OpId;
}

interface ScriptedGeneration {
  info: Generation;
  checkpoint: Checkpoint | undefined;
  readonly buckets: Map<string, StoredOp[]>;
  readonly epochs: Map<string, number>;
  readonly lookups: Map<string, { readonly from: OpId; readonly values: readonly string[] }[]>;
  readonly deltas: LatestChannel<CheckpointDelta>;
}

/**
 * Bucket storage for readers whose content the test writes directly: operations with any checksum,
 * checkpoints, lookups, compaction at a chosen moment. Counts calls, and can hold up reads. It is
 * no store for a replicator: there is no writer.
 */
export class ScriptedStorage implements BucketStorage {
  readonly #generations: ScriptedGeneration[] = [];
  readonly #listings = new LatestChannel<readonly Generation[]>();
  readonly #records = new Map<string, { readonly value: bigint; readonly head: SourcePosition }>();
  readonly #recordChanges = new LatestChannel<ReadonlySet<string>>();
  #opId = 0n;
  readonly calls = { bucketStates: 0, readOps: 0, lookup: 0, reached: 0 };
  /** Awaited before each read of operations. */
  beforeRead: (request: ReadOps) => Promise<void> | void = () => {};
  /** Awaited before bucket states are read; may throw. */
  beforeStates: () => Promise<void> | void = () => {};

  addActiveGeneration(id: number, serving: StoredConfig): void {
    for (const generation of this.#generations) {
      generation.info = { ...generation.info, state: 'retired' };
    }
    this.#generations.push({
      info: {
        id,
        state: 'active',
        configs: { serving },
        sourceHandle: undefined,
        createdAtMs: 0,
      },
      checkpoint: { opId: this.#opId, position: '' },
      buckets: new Map(),
      epochs: new Map(),
      lookups: new Map(),
      deltas: new LatestChannel(),
    });
    this.#listings.send(this.#list());
  }

  /** Replaces the configs of a generation, and publishes a checkpoint with the same step. */
  setConfigs(generationId: number, configs: GenerationConfigs): void {
    const generation = this.#find(generationId);
    generation.info = { ...generation.info, configs };
    this.commit(generationId, {});
    this.#listings.send(this.#list());
  }

  /** Adds operations with the next ids and publishes a checkpoint (one id higher if there are none). */
  commit(generationId: number, commit: ScriptedCommit): Checkpoint {
    const generation = this.#find(generationId);
    for (const row of commit.rows ?? []) this.#append(generation, row);
    const keys = Object.entries(commit.lookups ?? {});
    if (keys.length > 0 || (commit.rows ?? []).length === 0) this.#opId += 1n;
    for (const [key, values] of keys) {
      const versions = generation.lookups.get(key) ?? [];
      generation.lookups.set(key, [...versions, { from: this.#opId, values }]);
    }
    const position = commit.position ?? generation.checkpoint?.position ?? '';
    const checkpoint = { opId: this.#opId, position };
    generation.checkpoint = checkpoint;
    const delta = {
      checkpoint,
      buckets: new Set((commit.rows ?? []).map((row) => row.bucket)),
      lookups: new Set(keys.map(([key]) => key)),
    };
    const all = { checkpoint, buckets: 'all', lookups: 'all' } as const;
    generation.deltas.send(commit.announceAll === true ? all : delta);
    return checkpoint;
  }

  /** Spec/protocol.md 4.5: MOVE for what was superseded up to the checkpoint, then one CLEAR. */
  compact(generationId: number, bucket: string): void {
    const generation = this.#find(generationId);
    const upTo = generation.checkpoint?.opId ?? 0n;
    const moved = moveSuperseded(generation.buckets.get(bucket) ?? [], upTo);
    generation.buckets.set(bucket, clearLeading(moved, upTo));
    generation.epochs.set(bucket, (generation.epochs.get(bucket) ?? 0) + 1);
  }

  generations(): Promise<readonly Generation[]> {
    return Promise.resolve(this.#list());
  }

  watchGenerations(signal: AbortSignal): AsyncIterable<readonly Generation[]> {
    return this.#listings.watch(signal, (_, newer) => newer, this.#list());
  }

  openReader(generationId: number): Promise<GenerationReader> {
    const generation = this.#find(generationId);
    return Promise.resolve({
      generation: generation.info,
      checkpoint: () => generation.checkpoint,
      watch: (signal) => generation.deltas.watch(signal, mergeDeltas),
      bucketStates: async (names, at) => {
        this.calls.bucketStates += 1;
        await this.beforeStates();
        return names.map((name) => stateAt(generation.buckets.get(name) ?? [], at));
      },
      readOps: async (request) => {
        this.calls.readOps += 1;
        await this.beforeRead(request);
        const epoch = generation.epochs.get(request.bucket) ?? 0;
        return readChunk(generation.buckets.get(request.bucket) ?? [], request, epoch);
      },
      lookup: async (keys, at) => {
        this.calls.lookup += 1;
        await Promise.resolve();
        return new Map(keys.flatMap((key) => entriesAt(generation, key, at)));
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  }

  readonly writeCheckpoints: WriteCheckpointStore = {
    create: (user, head) => {
      const value = (this.#records.get(user)?.value ?? 0n) + 1n;
      this.#records.set(user, { value, head });
      this.#recordChanges.send(new Set([user]));
      return Promise.resolve(value);
    },
    request: (user, { id, head }) => {
      const { value } = this.#records.get(user) ?? { value: 0n };
      if (id <= value) return Promise.resolve(value);
      this.#records.set(user, { value: id, head });
      this.#recordChanges.send(new Set([user]));
      return Promise.resolve(id);
    },
    expireRequests: () => Promise.resolve(0),
    reached: (users, position) => {
      this.calls.reached += 1;
      const reached = users.flatMap((user) => {
        const record = this.#records.get(user);
        return record && record.head <= position ? [[user, record.value] as const] : [];
      });
      return Promise.resolve(new Map(reached));
    },
    watch: (signal) => this.#recordChanges.watch(signal, (a, b) => new Set([...a, ...b])),
  };

  createGeneration(_input: NewGeneration): Promise<Generation> {
    return this.#refuse();
  }
  takeFillNumber(): Promise<number> {
    return this.#refuse();
  }
  setSourceHandle(): Promise<void> {
    return this.#refuse();
  }
  deleteGeneration(): Promise<void> {
    return this.#refuse();
  }
  openWriter(): Promise<GenerationWriter> {
    return this.#refuse();
  }
  stats(): StorageStats {
    return { caches: {} };
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #refuse(): Promise<never> {
    return Promise.reject(new Error('A scripted storage is filled with commit()'));
  }

  #list(): readonly Generation[] {
    return this.#generations.map((generation) => generation.info);
  }

  #find(id: number): ScriptedGeneration {
    const generation = this.#generations.find(({ info }) => info.id === id);
    if (generation) return generation;
    throw new StorageError('STORAGE_GENERATION_GONE', `There is no generation ${id}`);
  }

  #append(generation: ScriptedGeneration, row: ScriptedRow): void {
    this.#opId += 1n;
    const { objectType = 'rows', objectId, checksum, data, subkey = `s/${row.objectId}` } = row;
    const fields = { opId: this.#opId, objectType, objectId, subkey, checksum };
    const op: Op =
      data === undefined ? { kind: 'REMOVE', ...fields } : { kind: 'PUT', ...fields, data };
    const ops = generation.buckets.get(row.bucket) ?? [];
    ops.push(stored(op));
    generation.buckets.set(row.bucket, ops);
  }
}

function stored(op: Op, target = 0n): StoredOp {
  return { op, bytes: encodeOpElement(op), target };
}

function rowOf(op: Op): string | undefined {
  return op.kind === 'PUT' || op.kind === 'REMOVE'
    ? JSON.stringify([op.objectType, op.objectId, op.subkey])
    : undefined;
}

function moveSuperseded(ops: readonly StoredOp[], upTo: OpId): StoredOp[] {
  const newest = new Map<string, OpId>();
  return ops
    .toReversed()
    .map((entry) => {
      const row = rowOf(entry.op);
      if (row === undefined || entry.op.opId > upTo) return entry;
      const target = newest.get(row);
      if (target !== undefined) {
        return stored({ kind: 'MOVE', opId: entry.op.opId, checksum: entry.op.checksum }, target);
      }
      newest.set(row, entry.op.opId);
      return entry;
    })
    .toReversed();
}

function clearLeading(ops: readonly StoredOp[], upTo: OpId): StoredOp[] {
  const end = ops.findIndex(({ op }) => op.kind === 'PUT' || op.opId > upTo);
  const run = end < 0 ? ops : ops.slice(0, end);
  const last = run.at(-1);
  if (last === undefined || run.length < 2) return [...ops];
  const checksum = run.reduce((sum, { op }) => addChecksums(sum, op.checksum), 0);
  const target = run.reduce((max, entry) => (entry.target > max ? entry.target : max), 0n);
  return [
    stored({ kind: 'CLEAR', opId: last.op.opId, checksum }, target),
    ...ops.slice(run.length),
  ];
}

function stateAt(ops: readonly StoredOp[], at: OpId): BucketState {
  const upTo = ops.filter(({ op }) => op.opId <= at);
  const [first] = ops;
  return {
    checksum: upTo.reduce((sum, { op }) => addChecksums(sum, op.checksum), 0),
    count: upTo.length,
    lastOpId: upTo.at(-1)?.op.opId ?? 0n,
    requiresCheckpoint: first?.op.kind === 'CLEAR' ? first.op.opId : 0n,
  };
}

function readChunk(ops: readonly StoredOp[], read: ReadOps, epoch: number): OpsChunk | undefined {
  assert(read.maxBytes > 0, 'a chunk has room');
  const wanted = ops.filter(({ op }) => op.opId > read.after && op.opId <= read.upTo);
  let byteLength = 0;
  const end = wanted.findIndex((entry) => (byteLength += entry.bytes.length) >= read.maxBytes);
  const taken = end < 0 ? wanted : wanted.slice(0, end + 1);
  if (taken.length === 0) return undefined;
  return {
    parts: taken.map((entry) => entry.bytes),
    opCount: taken.length,
    byteLength,
    lastOpId: must(taken.at(-1)).op.opId,
    hasMore: taken.length < wanted.length,
    requiresCheckpoint: taken.reduce((max, { target }) => (target > max ? target : max), 0n),
    epoch,
    identity: taken[0],
  };
}

function entriesAt(generation: ScriptedGeneration, key: string, at: OpId) {
  const versions = generation.lookups.get(key) ?? [];
  const values = versions.findLast((version) => version.from <= at)?.values ?? [];
  return values.length === 0 ? [] : [[key, values] as const];
}

function mergeDeltas(a: CheckpointDelta, b: CheckpointDelta): CheckpointDelta {
  return {
    checkpoint: b.checkpoint,
    buckets: mergeSets(a.buckets, b.buckets),
    lookups: mergeSets(a.lookups, b.lookups),
  };
}

function mergeSets(
  a: ReadonlySet<string> | 'all',
  b: ReadonlySet<string> | 'all',
): ReadonlySet<string> | 'all' {
  return a === 'all' || b === 'all' ? 'all' : new Set([...a, ...b]);
}
