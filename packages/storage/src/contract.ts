import type { Checkpoint, EvaluatedRow, OpId, SourcePosition } from '@sluice/model';

/**
 * Bucket storage: what the replicator fills and the sync hub reads.
 *
 * One process writes (any number of generations, from one thread); any number of processes and
 * threads read. Everything a writer reports as written is durable. Implementations run the suite
 * in `./conformance`.
 *
 * All methods reject with `StorageError`; `STORAGE_CLOSED` after disposal.
 */
export interface BucketStorage extends AsyncDisposable {
  /** All generations, oldest first. */
  generations(): Promise<readonly Generation[]>;
  /** Adds a generation in state `preparing`. */
  createGeneration(input: NewGeneration): Promise<Generation>;
  /**
   * A number that was never given out before in this storage, however it ends: what makes the
   * prefixes of buckets that are filled anew differ from all earlier ones.
   */
  takeFillNumber(): Promise<number>;
  /** Remembers which replication slot (or the like) feeds a generation. */
  setSourceHandle(id: number, handle: string): Promise<void>;
  /**
   * Removes a generation and all its data, in steps that do not hold up other work. Repeatable,
   * and continues where an interrupted call stopped. Its writer and readers must be closed.
   */
  deleteGeneration(id: number, signal?: AbortSignal): Promise<void>;
  /** Yields all generations at once, and again whenever one was added, changed state or went. */
  watchGenerations(signal: AbortSignal): AsyncIterable<readonly Generation[]>;

  /** @throws StorageError `STORAGE_LOCKED` while another process writes to this storage. */
  openWriter(generationId: number): Promise<GenerationWriter>;
  /** @throws StorageError `STORAGE_GENERATION_GONE` when there is no such generation. */
  openReader(generationId: number): Promise<GenerationReader>;

  readonly writeCheckpoints: WriteCheckpointStore;

  /** What this instance has done since it was opened, for metrics. Cheap, and never fails. */
  stats(): StorageStats;
}

export interface StorageStats {
  /** Of each cache, by its name. */
  readonly caches: Readonly<Record<string, CacheStats>>;
}

export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  /** What it takes now, about. */
  readonly bytes: number;
}

/** A place in the source's change log, and the buckets that are filled from there. */
export interface Generation {
  readonly id: number;
  /** At most one is `active`: the one that clients are served from. */
  readonly state: 'preparing' | 'active' | 'retired';
  readonly configs: GenerationConfigs;
  readonly sourceHandle: string | undefined;
  readonly createdAtMs: number;
}

export interface NewGeneration {
  readonly configs: GenerationConfigs;
  readonly createdAtMs: number;
}

/** The sync configs that a generation keeps buckets for (design D7). */
export interface GenerationConfigs {
  /** What clients are served by; in a generation that is `preparing`, what they will be served by. */
  readonly serving: StoredConfig;
  /** Takes over from `serving` at the first checkpoint at which all its buckets are filled. */
  readonly next?: StoredConfig | undefined;
  /** What `serving` took over from. Its buckets are kept up to date, so that going back is one step. */
  readonly previous?: StoredConfig | undefined;
}

/** A sync config, and where its buckets are. Opaque to storage. */
export interface StoredConfig {
  /** YAML. */
  readonly text: string;
  /** `SyncPlan.hash`. */
  readonly hash: string;
  /** What stands in front of the bucket names and lookup keys of a definition, by its hash. */
  readonly prefixes: Readonly<Record<string, string>>;
  readonly deployedAtMs: number;
}

export interface GenerationWriter extends AsyncDisposable {
  /** What the last durable batch left behind; where to go on after a restart. */
  progress(): Promise<WriterProgress>;
  /**
   * Applies a batch in one durable transaction: all of it or, on an error or a crash, nothing.
   *
   * Each change is compared with the stored state of its row. What differs becomes operations: a
   * PUT for a new or changed output in a bucket, a REMOVE where the row left one. An unchanged
   * output yields nothing. Op ids rise in the order of the changes.
   * Resolves with the checkpoint it published, if the batch asked for one.
   */
  write(batch: WriteBatch): Promise<Checkpoint | undefined>;
  /** The copies stored with rows (`PutRow.copy`), undefined where there is none. */
  loadCopies(rows: readonly RowRef[]): Promise<readonly (Uint8Array | undefined)[]>;
  /**
   * Makes storage smaller and downloads shorter without changing what any client ends up with
   * (spec/protocol.md 4.5): merges small segments, drops superseded operations, turns a leading
   * run without rows into one CLEAR. Works for about `maxMs`, resolves with what it did; call again
   * while `more` is true.
   */
  compact(options: { readonly maxMs: number }): Promise<CompactionReport>;
  /**
   * Removes buckets and lookups that no config has any more, without operations, for nobody is
   * served by them; and the rows of tables that produced nothing else, which need not be truncated
   * then. Works for about `maxMs`; call again while `more` is true. What rows of other tables still
   * say of removed buckets is ignored from the first call on.
   */
  discard(
    what: Discarded,
    options: { readonly maxMs: number },
  ): Promise<{ readonly more: boolean }>;
}

export interface Discarded {
  /** Of bucket names and lookup keys. */
  readonly prefixes: readonly string[];
  readonly tables: readonly number[];
}

export interface WriterProgress {
  /** `WriteBatch.resume` of the last batch; undefined before the first. */
  readonly resume: string | undefined;
  readonly tables: readonly StoredTable[];
  readonly checkpoint: Checkpoint | undefined;
}

/** What replication remembers of a table; `state` is opaque to storage. */
export interface StoredTable {
  /** Chosen by the caller, unique within the generation for all time. */
  readonly id: number;
  readonly state: string;
}

export interface WriteBatch {
  readonly changes: readonly RowChange[];
  /** Opaque text that says where to go on after this batch. */
  readonly resume: string;
  /** Tables to insert or overwrite. */
  readonly tables?: readonly StoredTable[] | undefined;
  /** Tables to forget; `truncate` them first, in the same batch or before. */
  readonly forgetTables?: readonly number[] | undefined;
  /** Publishes a checkpoint: clients may see everything written so far, as of this position. */
  readonly checkpoint?: SourcePosition | undefined;
  /** Together with `checkpoint`: makes this generation active and retires the one before. */
  readonly activate?: boolean | undefined;
  /** Replaces the configs of the generation, in the same transaction. */
  readonly configs?: GenerationConfigs | undefined;
}

export interface RowRef {
  readonly tableId: number;
  /** Text that identifies the source row within its table (see `rowKey` in @sluice/source). */
  readonly key: string;
}

export type RowChange =
  PutRow | DeleteRow | AddCopy | RemoveCopy | TruncateTable | DropTombstones | RaiseNumber;

/** The row exists with this content. */
export interface PutRow extends RowRef {
  readonly kind: 'put';
  /** For snapshots: does nothing if the row, or a tombstone of it, is already known. */
  readonly ifAbsent?: boolean | undefined;
  /** May be computed when it is read, so storage reads it at most once per change. */
  readonly row: EvaluatedRow;
  /** The source's values, kept where a later change may omit some of them. */
  readonly copy?: Uint8Array | undefined;
}

/** The row is gone. Deleting an unknown row changes nothing. */
export interface DeleteRow extends RowRef {
  readonly kind: 'delete';
  /** While the table's snapshot runs: remember the deletion, so that `ifAbsent` respects it. */
  readonly tombstone?: boolean | undefined;
}

/** For tables without a key, where equal rows share one `key`: one more row like this. */
export interface AddCopy extends RowRef {
  readonly kind: 'add-copy';
  readonly row: EvaluatedRow;
}

/** One row like this less. The count may pass below zero until a snapshot has brought the row. */
export interface RemoveCopy extends RowRef {
  readonly kind: 'remove-copy';
}

/** All rows of the table are gone, their tombstones too. */
export interface TruncateTable {
  readonly kind: 'truncate';
  readonly tableId: number;
}

/** The snapshot of the table is complete: tombstones are no longer needed. */
export interface DropTombstones {
  readonly kind: 'drop-tombstones';
  readonly tableId: number;
}

/**
 * The number under a lookup key is at least this; a lower or equal one changes nothing. `lookup` gives
 * it as decimal digits, from the checkpoint on that publishes the batch. It belongs to no row, so it
 * never falls and stays whatever becomes of tables, until its prefix is discarded. No row has a lookup
 * entry under the same key.
 */
export interface RaiseNumber {
  readonly kind: 'raise';
  readonly key: string;
  /** From 1 to 2^63-1. */
  readonly value: bigint;
}

export interface CompactionReport {
  readonly segmentsRead: number;
  readonly segmentsWritten: number;
  readonly opsDropped: number;
  readonly more: boolean;
}

/** Reads one generation at checkpoints. Positions and ids that were never handed out are harmless. */
export interface GenerationReader extends AsyncDisposable {
  readonly generation: Generation;
  /** The newest checkpoint, or undefined before the first. Cheap. */
  checkpoint(): Checkpoint | undefined;
  /**
   * Yields after each new checkpoint what it changed. Checkpoints that come faster than the
   * consumer takes them are merged into one delta. Misses none since `watch` was called. Ends,
   * without an error, when the signal aborts or the reader is disposed.
   */
  watch(signal: AbortSignal): AsyncIterable<CheckpointDelta>;
  /** One state per name, in the order of the names; unknown buckets are empty. */
  bucketStates(buckets: readonly string[], at: OpId): Promise<readonly BucketState[]>;
  /**
   * Reads the next operations of one bucket after `after` (exclusive) up to `upTo` (inclusive),
   * oldest first. Undefined when there are none.
   */
  readOps(request: ReadOps): Promise<OpsChunk | undefined>;
  /**
   * The `values` of all lookup entries under each key as of a checkpoint, duplicates included.
   * Keys without entries are missing from the map.
   */
  lookup(keys: readonly string[], at: OpId): Promise<ReadonlyMap<string, readonly string[]>>;
}

export interface CheckpointDelta {
  readonly checkpoint: Checkpoint;
  /** Buckets with new operations since the delta before; `all` when that is not known. */
  readonly buckets: ReadonlySet<string> | 'all';
  /** Keys of lookup entries that came or went. */
  readonly lookups: ReadonlySet<string> | 'all';
}

export interface BucketState {
  /** Sum of the checksums of all operations up to the checkpoint, as unsigned 32 bit. */
  readonly checksum: number;
  /** About how many operations a client that starts now receives. */
  readonly count: number;
  /** The last operation up to the checkpoint; 0n for an empty bucket. */
  readonly lastOpId: OpId;
  /** The state is only exact at checkpoints from this one on (spec/protocol.md 2.8). */
  readonly requiresCheckpoint: OpId;
}

export interface ReadOps {
  readonly bucket: string;
  readonly after: OpId;
  readonly upTo: OpId;
  /** The chunk ends at the first operation that reaches this size; a single larger one comes alone. */
  readonly maxBytes: number;
  /**
   * Set while a client downloads a bucket that it holds nothing of: `start` on the first read, the
   * `epoch` of the first chunk afterwards. Lets storage leave out removals of rows that the client
   * never had; ignored once the bucket has been compacted since.
   */
  readonly fresh?: 'start' | number | undefined;
}

/**
 * A run of operations, ready to send: BSON array elements (protocol, `op-codec.ts`). Superseded
 * operations among them are represented by one MOVE that carries the sum of their checksums.
 */
export interface OpsChunk {
  /** Concatenated they are elements of a BSON array; each part holds whole elements. */
  readonly parts: readonly Uint8Array[];
  readonly opCount: number;
  readonly byteLength: number;
  /** Where the client stands afterwards. */
  readonly lastOpId: OpId;
  /** Whether operations up to `upTo` remain. */
  readonly hasMore: boolean;
  /** A download for a checkpoint below this one must not be completed (spec/protocol.md 2.8). */
  readonly requiresCheckpoint: OpId;
  /** Compaction epoch of the bucket when it was read. */
  readonly epoch: number;
  /**
   * An object that is identical for identical chunks while they are cached (same `parts` and
   * `hasMore`; `after` may differ), so that derived forms (other encodings) can be kept in a
   * WeakMap under it. Undefined for chunks not worth sharing.
   */
  readonly identity: object | undefined;
}

/** A write checkpoint whose value the client chose (spec/protocol.md 5.2). */
export interface CheckpointRequest {
  readonly id: bigint;
  /** Taken over only when the value rises. */
  readonly head: SourcePosition;
  readonly requestedAtMs: number;
}

/** Managed write checkpoints (spec/protocol.md 5.2). May be written by any process. */
export interface WriteCheckpointStore {
  /** Raises the user's counter (never above 2^63-1) and records the source head it waits for. Returns the new value. */
  create(user: string, head: SourcePosition): Promise<bigint>;
  /**
   * Raises the user's value to one that the client chose, 1 to 2^63-1; a lower or equal one leaves
   * value and head as they are. Returns the stored value, so at least `request.id`.
   */
  request(user: string, request: CheckpointRequest): Promise<bigint>;
  /**
   * Forgets records whose last request came before `beforeMs`, a bounded number of them; those
   * last raised by `create` stay for ever. Returns how many.
   */
  expireRequests(beforeMs: number): Promise<number>;
  /** The recorded values of the users whose head is at or before `position`. */
  reached(users: readonly string[], position: SourcePosition): Promise<ReadonlyMap<string, bigint>>;
  /** Yields the users whose record changed, soon after it did. */
  watch(signal: AbortSignal): AsyncIterable<ReadonlySet<string>>;
}
