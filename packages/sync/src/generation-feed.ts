import {
  Backoff,
  must,
  PACED_ITEMS,
  pacedEach,
  pause,
  SyncError,
  failureFacts,
  type Clock,
  type Logger,
  type Pace,
} from '@sluice/base';
import type { Checkpoint, OpId } from '@sluice/model';
import type {
  BucketState,
  BucketStorage,
  CheckpointDelta,
  Generation,
  GenerationReader,
  OpsChunk,
} from '@sluice/storage';
import type { BucketPrefixes, SyncPlan } from '@sluice/sync-config';
import { BucketIndex, LookupIndex, type BucketNode, type Listener } from './bucket-index.ts';
import type { CacheCounts } from './cache-counts.ts';
import { CustomWriteCheckpoints } from './custom-write-checkpoints.ts';
import { ManagedWriteCheckpoints } from './managed-write-checkpoints.ts';
import type { ReadGate, ReadLane } from './read-gate.ts';
import { SharedReads, type BucketRead } from './shared-reads.ts';
import type { WriteCheckpointIndex } from './write-checkpoint-index.ts';

/** Bucket states asked for at once, each a few microseconds. */
const STATES_PER_CALL = 256;
const MAX_CACHED_LOOKUPS = 10_000;

export interface FeedOptions {
  readonly storage: BucketStorage;
  readonly generation: Generation;
  /** Of the generation's serving config. */
  readonly plan: SyncPlan;
  readonly gate: ReadGate;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly counts: CacheCounts;
  readonly random: () => number;
  readonly logger: Logger;
  readonly chunkBytes: number;
  readonly minCheckpointIntervalMs: number;
}

/**
 * One generation under one sync config, as its sessions see it: the newest checkpoint, the states of the buckets that
 * they have, and who is concerned when it moves on.
 *
 * `checkpoint` and the states change in one synchronous step together with the notice to those
 * concerned, so whatever is read between two awaits belongs together.
 */
export class GenerationFeed {
  readonly generation: Generation;
  readonly plan: SyncPlan;
  readonly prefixes: BucketPrefixes;
  readonly buckets = new BucketIndex();
  readonly lookups = new LookupIndex();
  readonly writeCheckpoints: WriteCheckpointIndex;
  readonly #options: FeedOptions;
  readonly #reader: GenerationReader;
  readonly #reads: SharedReads;
  readonly #stop = new AbortController();
  readonly #forNewer = new Set<Listener>();
  #lookupCache = new Map<string, Promise<ReadonlyMap<string, readonly string[]>>>();
  #checkpoint: Checkpoint;
  #publishedAtMs = -Infinity;
  #following: Promise<void> = Promise.resolve();

  private constructor(
    options: FeedOptions,
    prefixes: BucketPrefixes,
    reader: GenerationReader,
    checkpoint: Checkpoint,
  ) {
    this.generation = options.generation;
    this.plan = options.plan;
    this.prefixes = prefixes;
    this.writeCheckpoints = writeCheckpointIndex(options, prefixes, reader);
    this.#options = options;
    this.#reader = reader;
    this.#reads = new SharedReads({
      reader,
      gate: options.gate,
      maxBytes: options.chunkBytes,
      counts: options.counts,
    });
    this.#checkpoint = checkpoint;
  }

  /**
   * The feed stands still until `start`.
   *
   * @throws StorageError, among others `STORAGE_GENERATION_GONE`; SyncError `SYNC_PREFIX_MISSING`.
   */
  static async open(options: FeedOptions): Promise<GenerationFeed> {
    const prefixes = prefixesOf(options);
    const reader = await options.storage.openReader(options.generation.id);
    return new GenerationFeed(options, prefixes, reader, newestOf(reader));
  }

  /**
   * Takes the newest checkpoint there is and follows those to come. Nobody can have been told of a
   * newer one, so that a client which comes from another feed does not go back.
   */
  start(): void {
    this.#checkpoint = newestOf(this.#reader);
    this.#following = this.#follow();
  }

  /** Whether clients of the generation get the same buckets as from this feed. */
  serves(generation: Generation): boolean {
    return servedBy(generation) === servedBy(this.generation);
  }

  /** The newest checkpoint whose changes everybody concerned has been told of. */
  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  /** The newest checkpoint in storage, which the feed is to come to soon. @throws StorageError. */
  get stored(): Checkpoint {
    return newestOf(this.#reader);
  }

  /** Ends the feed; reads that are under way may fail. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.#reader[Symbol.asyncDispose]();
  }

  /** `listener` is touched at the next checkpoint, whatever it changes. */
  touchAtNewer(listener: Listener): void {
    this.#forNewer.add(listener);
  }

  forget(listener: Listener): void {
    this.#forNewer.delete(listener);
  }

  /**
   * Fills in the states that are missing. A state stays missing when storage was rewritten across
   * the checkpoint, so that only a newer one has exact sums (spec/protocol.md 2.7).
   */
  async loadStates(nodes: readonly BucketNode[]): Promise<void> {
    const at = this.#checkpoint.opId;
    for (let i = 0; i < nodes.length; i += STATES_PER_CALL) {
      if (i > 0) await this.#giveWay();
      // Others may have loaded some of them meanwhile.
      const missing = nodes.slice(i, i + STATES_PER_CALL).filter(isUnknown);
      const changes = missing.map((node) => node.changes);
      const states = await this.#reader.bucketStates(missing.map(nameOf), at);
      missing.forEach((node, k) => {
        if (node.changes === changes[k]) node.state ??= exactState(states[k], at);
      });
    }
  }

  /** The entries under each key at the newest checkpoint; sessions that ask together share it. */
  async lookup(keys: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const unknown = keys.filter((key) => !this.#lookupCache.has(key));
    this.#options.counts.lookupHits += keys.length - unknown.length;
    this.#options.counts.lookupMisses += unknown.length;
    if (unknown.length > 0) {
      if (this.#lookupCache.size > MAX_CACHED_LOOKUPS) this.#lookupCache = new Map();
      const cache = this.#lookupCache;
      const answer = this.#reader.lookup(unknown, this.#checkpoint.opId);
      for (const key of unknown) cache.set(key, answer);
      answer.catch(() => unknown.forEach((key) => cache.delete(key)));
    }
    const found = new Map<string, readonly string[]>();
    const answers = keys.map((key) => this.#lookupCache.get(key));
    for (let i = 0; i < keys.length; i += 1) {
      if (i % PACED_ITEMS === PACED_ITEMS - 1) await this.#giveWay();
      const key = keys[i] ?? '';
      const values = (await answers[i])?.get(key);
      if (values !== undefined) found.set(key, values);
    }
    return found;
  }

  /** The next operations of a bucket. @throws SyncError `SYNC_OVERLOADED`. */
  readOps(node: BucketNode, read: BucketRead, lane: ReadLane): Promise<OpsChunk | undefined> {
    return this.#reads.read(node, read, lane);
  }

  /** The checkpoint from which on the bucket can be read consistently, asked anew. */
  async requiredCheckpoint(node: BucketNode, at: OpId): Promise<OpId> {
    const [state] = await this.#statesOf([node], at);
    return state?.requiresCheckpoint ?? 0n;
  }

  /** Tells the sessions of users whose write checkpoint is reached already. */
  async refreshWriteCheckpoints(): Promise<void> {
    const checkpoint = this.#checkpoint;
    const announce = await this.writeCheckpoints.reachedAt({ checkpoint, lookups: new Set() });
    announce();
  }

  async #statesOf(nodes: readonly BucketNode[], at: OpId): Promise<readonly BucketState[]> {
    const states: BucketState[] = [];
    for (let i = 0; i < nodes.length; i += STATES_PER_CALL) {
      if (i > 0) await this.#giveWay();
      const names = nodes.slice(i, i + STATES_PER_CALL).map(nameOf);
      states.push(...(await this.#reader.bucketStates(names, at)));
    }
    return states;
  }

  async #giveWay(): Promise<void> {
    await this.#options.pace.giveWay();
  }

  /** Runs until `close`. A failure of storage is retried: sessions go on with what they have. */
  async #follow(): Promise<void> {
    const { random, logger, clock } = this.#options;
    const backoff = new Backoff({ firstMs: 50, maxMs: 5000, jitter: 0.2, random });
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const attempt = new AbortController();
      try {
        const both = AbortSignal.any([signal, attempt.signal]);
        await this.#followOnce(both, () => backoff.reset());
        if (!signal.aborted) logger.warn('sync_feed_ended', { generation: this.generation.id });
      } catch (error) {
        if (signal.aborted) return;
        const { id } = this.generation;
        logger.error('sync_feed_failed', { generation: id, ...failureFacts(error) });
      } finally {
        attempt.abort();
      }
      await pause(clock, backoff.nextDelayMs(), signal);
    }
  }

  async #followOnce(signal: AbortSignal, onProgress: () => void): Promise<void> {
    const deltas = this.#reader.watch(signal)[Symbol.asyncIterator]();
    // Asked for before the checkpoint is read, so that nothing falls between the two.
    let next = deltas.next();
    next.catch(() => {}); // awaited below, after what comes first; only then is a failure looked at
    const checkpoint = newestOf(this.#reader);
    if (checkpoint.opId > this.#checkpoint.opId || this.buckets.size > 0) {
      await this.#publish({ checkpoint, buckets: 'all', lookups: 'all' });
    }
    for (;;) {
      const result = await next;
      if (result.done === true) return;
      await this.#pace();
      await this.#publish(result.value);
      onProgress();
      next = deltas.next();
    }
  }

  /** Under a stream of checkpoints, storage merges those that come meanwhile into one delta. */
  async #pace(): Promise<void> {
    const { clock, minCheckpointIntervalMs } = this.#options;
    const waitMs = this.#publishedAtMs + minCheckpointIntervalMs - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, this.#stop.signal);
  }

  async #publish(delta: CheckpointDelta): Promise<void> {
    const at = delta.checkpoint.opId;
    const loading = this.buckets.concerned(delta.buckets);
    const [states, announceWriteCheckpoints] = await Promise.all([
      loading.length === 0 ? [] : this.#statesOf(loading, at),
      this.writeCheckpoints.reachedAt(delta),
    ]);
    const loaded = new Map<BucketNode, BucketState | undefined>();
    let next = 0;
    await pacedEach(loading, this.#options.pace, (node) => {
      loaded.set(node, exactState(states[next], at));
      next += 1;
    });
    // Nothing below may await: checkpoint, states and notices belong together.
    this.#checkpoint = delta.checkpoint;
    this.#lookupCache = new Map();
    const concerned = this.buckets.concerned(delta.buckets);
    for (const node of concerned) {
      node.changes += 1;
      // Unknown for a bucket that somebody joined while the states were on their way.
      node.state = loaded.get(node);
      node.listeners.forEach((listener) => listener.touch(node));
    }
    const byLookups = this.lookups.concerned(delta.lookups);
    for (const listener of byLookups) listener.touchLookups();
    announceWriteCheckpoints();
    const forNewer = [...this.#forNewer];
    this.#forNewer.clear();
    for (const listener of forNewer) listener.touch();
    if (concerned.length + byLookups.size > 0) this.#publishedAtMs = this.#options.clock.now();
  }
}

function newestOf(reader: GenerationReader): Checkpoint {
  return must(reader.checkpoint(), 'the checkpoint of the active generation');
}

function writeCheckpointIndex(
  { plan, storage }: FeedOptions,
  prefixes: BucketPrefixes,
  reader: GenerationReader,
): WriteCheckpointIndex {
  const custom = plan.writeCheckpoints;
  if (custom === undefined) return new ManagedWriteCheckpoints(storage.writeCheckpoints);
  const prefix = must(prefixes.get(custom.hash), 'a prefix for the write checkpoints');
  return new CustomWriteCheckpoints(reader, prefix);
}

function prefixesOf({ generation, plan }: FeedOptions): BucketPrefixes {
  const prefixes = new Map(Object.entries(generation.configs.serving.prefixes));
  const missing = plan.parts.filter(({ hash }) => !prefixes.has(hash));
  if (missing.length === 0) return prefixes;
  const definitions = missing.map(({ name }) => name);
  const text = `Generation ${generation.id} has no buckets for ${definitions.join(', ')}`;
  throw new SyncError('SYNC_PREFIX_MISSING', text, {
    details: { generation: generation.id, definitions },
  });
}

/** Equal texts: the same buckets under the same terms. Texts and times of configs do not matter. */
function servedBy({ id, configs }: Generation): string {
  const { hash, prefixes } = configs.serving;
  const sorted = Object.entries(prefixes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([id, hash, sorted]);
}

function isUnknown(node: BucketNode): boolean {
  return node.state === undefined;
}

function nameOf(node: BucketNode): string {
  return node.name;
}

function exactState(state: BucketState | undefined, at: OpId): BucketState | undefined {
  return state === undefined || state.requiresCheckpoint > at ? undefined : state;
}
