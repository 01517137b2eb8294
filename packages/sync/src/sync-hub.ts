import { setImmediate } from 'node:timers/promises';
import {
  Backoff,
  FairTurns,
  pause,
  SyncError,
  failureFacts,
  toAppError,
  type AppError,
  type Clock,
  type JsonObject,
  type Logger,
} from '@sluice/base';
import type { Checkpoint, SourcePosition } from '@sluice/model';
import type { StreamFormat, StreamRequest } from '@sluice/protocol';
import type { BucketStorage, Generation } from '@sluice/storage';
import type { SyncPlan } from '@sluice/sync-config';
import { ReasonPool } from './bucket-resolution.ts';
import { newCacheCounts, type CacheCounts } from './cache-counts.ts';
import { countConcerned, type ConcernedSessions } from './concerned-sessions.ts';
import { GenerationFeed } from './generation-feed.ts';
import { LineEncoder, type LineForm } from './line-encoder.ts';
import { ReadGate } from './read-gate.ts';
import { DEFAULT_SYNC_LIMITS, type SyncLimits } from './sync-limits.ts';
import { SyncSession, type SessionSurroundings, type SyncTotals } from './sync-session.ts';
import { TokenWheel } from './token-wheel.ts';

export interface SyncHubOptions {
  readonly storage: BucketStorage;
  /**
   * Compiles the serving config of the active generation; called whenever clients are to be served
   * by another one. While it fails, they go on with what they have.
   */
  readonly planFor: (generation: Generation) => SyncPlan | Promise<SyncPlan>;
  readonly limits?: Partial<SyncLimits> | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); spreads keepalives. */
  readonly random: () => number;
}

export interface OpenSession {
  readonly request: StreamRequest;
  /** The verified token payload. */
  readonly claims: JsonObject;
  /** `U` of spec/protocol.md 5.2: `sub`, or `sub/client_id`. */
  readonly userKey: string;
  /** When the token expires; a time that has passed gives the one line that says so. */
  readonly expiresAtMs: number;
  readonly format: StreamFormat;
  /** Whether the stream itself must show that it lives; false where the transport does. Default true. */
  readonly keepalive?: boolean | undefined;
  /** Ends the session when the client has gone. */
  readonly signal: AbortSignal;
}

export interface SyncStats extends Readonly<CacheCounts> {
  readonly connections: number;
  readonly linesSent: number;
  readonly opsSent: number;
  /** Before compression. */
  readonly bytesSent: number;
  /** Reads of operations that run now, and those that wait for their turn. */
  readonly readsRunning: number;
  readonly readsWaiting: number;
  /** Buckets that a connection has. */
  readonly buckets: number;
}

/** What a watchdog looks at to see whether the loops of a hub move. */
export interface HubVitals {
  /** When keepalives were last looked at; they are once a second. Undefined before the first time. */
  readonly wheelTurnedAtMs: number | undefined;
  /** What clients are told of, and what there is in storage; undefined while nothing is served. */
  readonly feed:
    | {
        readonly served: Checkpoint;
        /** Reads storage. @throws StorageError. */
        readonly stored: () => Checkpoint;
      }
    | undefined;
}

/** How long `passed` waits before it looks again by itself, as the feed may have been replaced. */
const LOOK_AGAIN_MS = 500;

/**
 * Serves any number of clients from bucket storage: follows the active generation and its serving
 * config, and gives every client its stream of lines. Knows no transport.
 */
export class SyncHub implements AsyncDisposable {
  readonly #options: SyncHubOptions;
  readonly #stop = new AbortController();
  readonly #gate: ReadGate;
  readonly #turns: FairTurns;
  readonly #limits: SyncLimits;
  readonly #around: SessionSurroundings;
  readonly #encoders: Readonly<Record<LineForm, LineEncoder>>;
  readonly #sessions = new Set<SyncSession>();
  readonly #totals: SyncTotals = { linesSent: 0, opsSent: 0, bytesSent: 0 };
  readonly #counts = newCacheCounts();
  readonly #background: Promise<unknown>;
  readonly #wheel = new TokenWheel();
  #feed: GenerationFeed | undefined;
  /** Why there is no feed, when it is not for lack of an active generation. */
  #feedError: AppError | undefined;
  #isDraining = false;
  #markReady: () => void = () => {};
  /** Resolves once it is known whether there is an active generation. */
  readonly #ready = new Promise<void>((resolve) => (this.#markReady = resolve));

  constructor(options: SyncHubOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_SYNC_LIMITS, ...options.limits };
    const { clock, random } = options;
    const nextTurn = () => setImmediate();
    this.#turns = new FairTurns({ clock, nextTurn });
    this.#gate = new ReadGate({
      maxConcurrent: this.#limits.maxConcurrentReads,
      waitMs: this.#limits.readWaitMs,
      clock,
      nextTurn,
    });
    this.#encoders = {
      bson: new LineEncoder('bson', this.#counts),
      text: new LineEncoder('text', this.#counts),
      embedded: new LineEncoder('embedded', this.#counts),
    };
    const wheel = this.#wheel;
    this.#around = {
      limits: this.#limits,
      clock,
      pace: this.#turns,
      random,
      wheel,
      reasons: new ReasonPool(),
      totals: this.#totals,
      ready: this.#ready,
      attach: (session) => this.#attach(session),
      detach: (session) => this.#sessions.delete(session),
    };
    this.#background = Promise.all([
      this.#retrying('generations', (signal) => this.#followGenerations(signal)),
      this.#retrying('write_checkpoints', (signal) => this.#followWriteCheckpoints(signal)),
      this.#retrying('token_wheel', (signal) => wheel.turn(clock, signal)),
    ]);
  }

  /**
   * A client's stream of lines. Failures reject its first `next` where possible:
   * `SYNC_SHUTTING_DOWN`, `SYNC_NO_ACTIVE_CONFIG`, `SYNC_TOO_MANY_BUCKETS`,
   * `SYNC_TOO_MANY_PARAMETER_RESULTS`, `SYNC_PARAMETER_ERROR`, `SYNC_OVERLOADED`, storage errors.
   * It ends normally at token expiry, when another generation or config is served, and at `drain`.
   */
  open(input: OpenSession): SyncSession {
    const embedded: LineForm = input.request.rawData ? 'text' : 'embedded';
    const encoder = this.#encoders[input.format === 'bson' ? 'bson' : embedded];
    return new SyncSession(this.#around, { ...input, encoder, keepalive: input.keepalive ?? true });
  }

  /** Whether there is an active generation that new clients are served from. */
  get isServing(): boolean {
    return this.#feed !== undefined && !this.#isDraining;
  }

  /**
   * Whether write checkpoints come from rows of the source, so that the service gives out none
   * (spec/protocol.md 5.3). Waits until it is known what is served.
   */
  async takesWriteCheckpointsFromRows(): Promise<boolean> {
    await this.#ready;
    return this.#feed?.plan.writeCheckpoints !== undefined;
  }

  stats(): SyncStats {
    return {
      connections: this.#sessions.size,
      ...this.#totals,
      ...this.#counts,
      readsRunning: this.#gate.running,
      readsWaiting: this.#gate.waiting,
      buckets: this.#feed?.buckets.size ?? 0,
    };
  }

  vitals(): HubVitals {
    const feed = this.#feed;
    return {
      wheelTurnedAtMs: this.#wheel.turnedAtMs,
      feed: feed && { served: feed.checkpoint, stored: () => feed.stored },
    };
  }

  /**
   * Resolves once clients are told of a checkpoint beyond `position`: at the very moment at
   * which the sessions are. Rejects with the reason of the signal.
   */
  async passed(position: SourcePosition, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const feed = this.#feed;
      if (feed !== undefined && feed.checkpoint.position > position) return;
      await this.#newerIn(feed, signal);
    }
  }

  /** Until the feed has moved on, or a while has passed. */
  async #newerIn(feed: GenerationFeed | undefined, signal: AbortSignal): Promise<void> {
    const moved = new AbortController();
    const listener = { touch: () => moved.abort(), touchLookups: () => {} };
    feed?.touchAtNewer(listener);
    try {
      await pause(this.#options.clock, LOOK_AGAIN_MS, AbortSignal.any([signal, moved.signal]));
    } finally {
      feed?.forget(listener);
    }
  }

  /**
   * How many of the connected sessions a plan concerns that is not deployed, definition by
   * definition. Looks at a sample where there are many of them, and gives way to other work.
   */
  sessionsConcerned(plan: SyncPlan): Promise<ConcernedSessions> {
    return countConcerned(plan, this.#sessions, {
      random: this.#options.random,
      pace: this.#turns,
    });
  }

  /** Ends all sessions normally and refuses new ones. */
  drain(): void {
    this.#isDraining = true;
    this.#markReady();
    for (const session of this.#sessions) session.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drain();
    this.#stop.abort();
    await this.#background;
    await this.#feed?.close();
    this.#feed = undefined;
  }

  #attach(session: SyncSession): GenerationFeed {
    if (this.#isDraining) throw new SyncError('SYNC_SHUTTING_DOWN', 'The service is stopping');
    if (this.#feed === undefined) {
      throw new SyncError('SYNC_NO_ACTIVE_CONFIG', 'No sync config is active', {
        cause: this.#feedError,
      });
    }
    this.#sessions.add(session);
    return this.#feed;
  }

  async #followGenerations(signal: AbortSignal): Promise<void> {
    for await (const generations of this.#options.storage.watchGenerations(signal)) {
      const active = generations.find((generation) => generation.state === 'active');
      try {
        if (!this.#isServed(active)) await this.#switchTo(active);
      } finally {
        this.#markReady();
      }
    }
  }

  #isServed(active: Generation | undefined): boolean {
    return active === undefined ? this.#feed === undefined : this.#feed?.serves(active) === true;
  }

  /** The new feed is there before the old sessions end, so that clients find it at once. */
  async #switchTo(generation: Generation | undefined): Promise<void> {
    const old = this.#feed;
    try {
      const feed = generation && (await this.#openFeed(generation));
      feed?.start();
      this.#feed = feed;
      this.#feedError = undefined;
    } catch (error) {
      this.#feedError = toAppError(error);
      throw error;
    }
    const config = generation?.configs.serving.hash;
    this.#options.logger.info('sync_generation_served', { generation: generation?.id, config });
    if (old === undefined) return;
    for (const session of this.#sessions) {
      if (session.isServedBy(old)) session.end();
    }
    await old.close();
  }

  async #openFeed(generation: Generation): Promise<GenerationFeed> {
    const { storage, planFor, clock, logger, random } = this.#options;
    const { chunkBytes, minCheckpointIntervalMs } = this.#limits;
    const plan = await planFor(generation);
    const gate = this.#gate;
    return GenerationFeed.open({
      storage,
      generation,
      plan,
      gate,
      pace: this.#turns,
      counts: this.#counts,
      clock,
      logger,
      random,
      chunkBytes,
      minCheckpointIntervalMs,
    });
  }

  async #followWriteCheckpoints(signal: AbortSignal): Promise<void> {
    const changes = this.#options.storage.writeCheckpoints.watch(signal)[Symbol.asyncIterator]();
    // After a failure some changes may have been missed; asking about everybody covers that.
    let next = changes.next();
    next.catch(() => {}); // awaited below, after what comes first; only then is a failure looked at
    this.#feed?.writeCheckpoints.recordsChanged('all');
    await this.#feed?.refreshWriteCheckpoints();
    for (let result = await next; result.done !== true; result = await next) {
      this.#feed?.writeCheckpoints.recordsChanged(result.value);
      await this.#feed?.refreshWriteCheckpoints();
      next = changes.next();
    }
  }

  /** Keeps a background loop going until the hub stops; failures are logged and retried. */
  async #retrying(name: string, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, logger, random } = this.#options;
    const backoff = new Backoff({ firstMs: 100, maxMs: 5000, jitter: 0.2, random });
    const stopped = this.#stop.signal;
    while (!stopped.aborted) {
      const attempt = new AbortController();
      try {
        await run(AbortSignal.any([stopped, attempt.signal]));
      } catch (error) {
        if (stopped.aborted) return;
        logger.error('sync_loop_failed', { loop: name, ...failureFacts(error) });
      } finally {
        attempt.abort();
      }
      await pause(clock, backoff.nextDelayMs(), stopped);
    }
  }
}
