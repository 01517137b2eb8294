import {
  assert,
  must,
  PACED_ITEMS,
  pacedEach,
  type Clock,
  type JsonObject,
  type Pace,
} from '@sluice/base';
import type { OpId } from '@sluice/model';
import type { BucketLineHead, StreamDescription, StreamRequest } from '@sluice/protocol';
import type { RequestContext } from '@sluice/sync-config';
import type { BucketNode, Listener } from './bucket-index.ts';
import { BucketResolution, type ReasonPool, type Resolution } from './bucket-resolution.ts';
import { Download } from './download.ts';
import type { GenerationFeed } from './generation-feed.ts';
import { LineBatch } from './line-batch.ts';
import type { LineEncoder } from './line-encoder.ts';
import { nextStep, type SessionFacts, type Step } from './next-step.ts';
import { isUpToDate, toCheckpointBucket, type Slot } from './slot.ts';
import { refreshedSlots, SlotReplacement, type SlotChange } from './slot-change.ts';
import { SlotSet } from './slot-set.ts';
import type { SyncLimits } from './sync-limits.ts';
import { TouchedBuckets } from './touched-buckets.ts';
import { nextTokenLineMs, secondsLeft, type TokenWheel } from './token-wheel.ts';
import type { ConnectedUser } from './connected-users.ts';

/** What all sessions of a hub share. */
export interface SessionSurroundings {
  readonly limits: SyncLimits;
  readonly clock: Clock;
  /** Of all sessions together: whoever has many buckets gives way to the others. */
  readonly pace: Pace;
  /** In [0, 1). */
  readonly random: () => number;
  readonly wheel: TokenWheel;
  readonly reasons: ReasonPool;
  readonly totals: SyncTotals;
  /** Resolves once `attach` knows what to do. */
  readonly ready: Promise<void>;
  /**
   * The feed of the active generation, which the session is listed under from now on.
   *
   * @throws SyncError `SYNC_NO_ACTIVE_CONFIG`, `SYNC_SHUTTING_DOWN`.
   */
  attach(session: SyncSession): GenerationFeed;
  detach(session: SyncSession): void;
}

export interface SyncTotals {
  linesSent: number;
  opsSent: number;
  bytesSent: number;
}

export interface SessionInput {
  readonly request: StreamRequest;
  readonly claims: JsonObject;
  readonly userKey: string;
  readonly expiresAtMs: number;
  readonly encoder: LineEncoder;
  /** Whether to send token lines in between, to show that the connection lives. */
  readonly keepalive: boolean;
  readonly signal: AbortSignal;
}

/** What is new for the client at the feed's checkpoint. */
interface News {
  readonly opId: OpId;
  readonly writeCheckpoint: bigint | undefined;
  readonly change: SlotChange;
  readonly streams: readonly StreamDescription[];
}

const DONE = { done: true, value: undefined } as const;

/**
 * One sync stream: an iterator over batches of whole lines, ready to be written
 * (spec/protocol.md 2). Nothing is read or built before it is asked for, so a slow client slows
 * itself alone. Errors before the first batch reject the first `next`; later ones end the stream.
 *
 * `next` must not be called again before it has settled.
 */
export class SyncSession implements AsyncIterableIterator<readonly Uint8Array[]>, Listener {
  readonly #around: SessionSurroundings;
  readonly #encoder: LineEncoder;
  readonly #signal: AbortSignal;
  readonly #userKey: string;
  readonly #expiresAtMs: number;
  readonly #keepalive: boolean;
  /** What went to this client. */
  readonly sent: SyncTotals = { linesSent: 0, opsSent: 0, bytesSent: 0 };
  /** What the client asks for, without what it holds. */
  readonly asks: RequestContext;
  /** Let go of once the first checkpoint was sent. */
  #input: SessionInput | undefined;
  #feed: GenerationFeed | undefined;
  #resolution: BucketResolution | undefined;
  #user: ConnectedUser | undefined;

  #slots = SlotSet.none;
  /** Buckets found, as long as no checkpoint was shown with them. */
  #found: Resolution | undefined;
  readonly #download = new Download();
  #sentWriteCheckpoint: bigint | undefined;
  /** The checkpoint that could not be shown, because its state could not be read. */
  #unusable: OpId | undefined;

  #changed = false;
  readonly #touched = new TouchedBuckets();
  #lookupsChanged = true;
  #tokenLineDue = false;
  #tokenSlot = 0;
  #isRunning = false;
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(around: SessionSurroundings, input: SessionInput) {
    this.#around = around;
    this.#input = input;
    this.asks = asksOf(input);
    this.#encoder = input.encoder;
    this.#signal = input.signal;
    this.#userKey = input.userKey;
    this.#expiresAtMs = input.expiresAtMs;
    this.#keepalive = input.keepalive;
    this.#signal.addEventListener('abort', this.end, { once: true });
    if (this.#signal.aborted) this.#isEnded = true;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<readonly Uint8Array[], undefined>> {
    assert(!this.#isRunning, 'one batch is asked for at a time');
    this.#isRunning = true;
    const batch = new LineBatch(this.#around.limits.batchBytes);
    try {
      if (this.#feed === undefined && !this.#isEnded) await this.#start();
      while (!batch.isReady && !this.#isEnded) {
        const step = nextStep(this.#facts());
        if (!isWait(step)) await this.#perform(step, batch);
        else if (batch.isEmpty) await this.#sleep(step);
        else break;
      }
    } catch (error) {
      // What fails after the end fails because of it, e.g. a read of storage that was closed.
      if (!this.#isEnded) {
        this.end();
        throw error;
      }
    } finally {
      this.#isRunning = false;
    }
    if (batch.isEmpty) return DONE;
    for (const totals of [this.#around.totals, this.sent]) {
      totals.linesSent += batch.lines;
      totals.bytesSent += batch.byteLength;
    }
    return { done: false, value: batch.parts };
  }

  return(): Promise<IteratorResult<readonly Uint8Array[], undefined>> {
    this.end();
    return Promise.resolve(DONE);
  }

  /** Ends the stream normally, at once. */
  readonly end = (): void => {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#signal.removeEventListener('abort', this.end);
    this.#around.wheel.clear(this, this.#tokenSlot);
    this.#resolution?.close();
    if (this.#user !== undefined) this.#feed?.writeCheckpoints.leave(this.#user, this);
    this.#feed?.forget(this);
    this.#slots = SlotSet.none;
    this.#touched.clear();
    this.#download.complete();
    this.#input = undefined;
    this.#found = undefined;
    this.#around.detach(this);
    this.#wake?.();
  };

  isServedBy(feed: GenerationFeed): boolean {
    return this.#feed === feed;
  }

  touch(node?: BucketNode): void {
    if (this.#isEnded) return;
    this.#changed = true;
    const buckets = Math.max(this.#slots.slots.length, this.#found?.wanted.length ?? 0);
    if (node !== undefined) this.#touched.add(node, buckets);
    this.#wake?.();
  }

  touchLookups(): void {
    this.#lookupsChanged = true;
    this.touch();
  }

  /** From the token wheel. */
  ring(): void {
    const nowMs = this.#around.clock.now();
    this.#tokenLineDue = true;
    this.#setAlarm(nowMs);
    this.#wake?.();
  }

  async #start(): Promise<void> {
    const nowMs = this.#around.clock.now();
    if (nowMs >= this.#expiresAtMs) return;
    await this.#around.ready;
    if (this.#isEnded) return;
    const feed = this.#around.attach(this);
    this.#feed = feed;
    const { limits, reasons, pace } = this.#around;
    this.#resolution = new BucketResolution({
      feed,
      request: this.asks,
      limits,
      reasons,
      pace,
      listener: this,
    });
    this.#user = feed.writeCheckpoints.join(this.#userKey, this, feed.checkpoint);
    this.#setAlarm(nowMs);
    await this.#user.loaded;
  }

  #setAlarm(nowMs: number): void {
    if (nowMs >= this.#expiresAtMs) return;
    const { wheel, random } = this.#around;
    this.#tokenSlot = wheel.set(
      this,
      nextTokenLineMs(this.#expiresAtMs, nowMs, this.#keepalive ? random() : undefined),
    );
  }

  #facts(): SessionFacts {
    const { checkpoint, completed, requires, opsSent, priority, next } = this.#download;
    return {
      tokenExpired: this.#around.clock.now() >= this.#expiresAtMs,
      tokenLineDue: this.#tokenLineDue,
      checkpoint,
      newest: this.#feed?.checkpoint.opId ?? 0n,
      changed: this.#changed,
      unusable: this.#unusable,
      completed,
      requires,
      opsSent,
      supersedeAfterOps: this.#around.limits.supersedeAfterOps,
      priority,
      next: next && { priority: next.priority, isUpToDate: isUpToDate(next) },
    };
  }

  async #perform(step: Exclude<Step, WaitStep>, batch: LineBatch): Promise<void> {
    switch (step) {
      case 'expire':
        batch.line(this.#encoder.tokenExpiresIn(0));
        this.end();
        return;
      case 'send-token-line':
        this.#tokenLineDue = false;
        batch.line(
          this.#encoder.tokenExpiresIn(secondsLeft(this.#expiresAtMs, this.#around.clock.now())),
        );
        return;
      case 'plan':
        return this.#plan(batch);
      case 'read':
        return this.#read(must(this.#download.next), batch);
      case 'skip':
        return this.#skip();
      case 'complete-priority': {
        const { checkpoint, priority } = this.#download;
        batch.line(this.#encoder.completePriority(must(checkpoint), must(priority)));
        this.#download.completePriority();
        batch.isUrgent = true;
        return;
      }
      case 'complete':
        batch.line(this.#encoder.complete(must(this.#download.checkpoint)));
        this.#download.complete();
        return;
    }
  }

  #sleep(step: WaitStep): Promise<void> {
    if (step === 'wait-for-newer') must(this.#feed).touchAtNewer(this);
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** Finds out what the newest checkpoint means, and sends a line unless it means nothing. */
  async #plan(batch: LineBatch): Promise<void> {
    const news = await this.#takeNews();
    if (news === undefined || this.#isEnded) return;
    const { change, opId, writeCheckpoint } = news;
    const isFirst = this.#download.checkpoint === undefined;
    const isWorthLine =
      isFirst ||
      this.#download.isInvalid ||
      change.updated.length + change.removed.length > 0 ||
      writeCheckpoint !== this.#sentWriteCheckpoint;
    if (!isWorthLine) return;
    const line = await this.#checkpointLine(news);
    if (this.#isEnded) return;
    batch.line(line);
    for (const slot of change.updated) slot.pending = true;
    // After a completed download nothing is left of it, so that only a cut one is gone through.
    const { completed } = this.#download;
    const possible = completed && !isFirst ? change.updated : change.set.slots;
    const pending = isFirst ? possible : possible.filter((slot) => slot.pending);
    this.#download.begin(opId, pending);
    this.#sentWriteCheckpoint = writeCheckpoint;
    this.#input = undefined;
  }

  /** Undefined when the newest checkpoint cannot be shown, or the session has ended. */
  async #takeNews(): Promise<News | undefined> {
    const feed = must(this.#feed);
    const resolution = must(this.#resolution);
    for (;;) {
      const at = feed.checkpoint;
      if (this.#lookupsChanged) {
        this.#lookupsChanged = false;
        this.#found = (await resolution.resolve()) ?? this.#found;
      }
      const unknown = await this.#unknownNodes();
      if (unknown.length > 0) await feed.loadStates(unknown);
      const replacement = this.#found && (await this.#replacementBy(this.#found));
      if (this.#isEnded) return undefined;
      if (this.#lookupsChanged) continue;
      // From here on nothing awaits: checkpoint, states and write checkpoint belong together.
      if (this.#areStatesKnown(replacement)) {
        const news = this.#takeNewsNow(feed, replacement);
        if (replacement !== undefined) await resolution.keepFound();
        return news;
      }
      if (feed.checkpoint !== at) continue;
      this.#unusable = at.opId;
      return undefined;
    }
  }

  /** Of the buckets whose states are to be shown, those where they are not known. */
  async #unknownNodes(): Promise<readonly BucketNode[]> {
    const shown = this.#found?.wanted ?? this.#touched.of(this.#slots);
    const unknown: BucketNode[] = [];
    await pacedEach(shown, this.#around.pace, ({ node }) => {
      if (node.state === undefined) unknown.push(node);
    });
    return unknown;
  }

  async #replacementBy({ wanted }: Resolution): Promise<SlotReplacement> {
    const { pace } = this.#around;
    const positions = new Map<string, OpId>();
    const buckets = this.#input?.request.buckets ?? [];
    await pacedEach(buckets, pace, ({ name, after }) => positions.set(name, after));
    this.#touched.clear();
    const after = (name: string) => positions.get(name) ?? 0n;
    return SlotReplacement.prepare({ held: this.#slots, wanted, after, pace });
  }

  #areStatesKnown(replacement: SlotReplacement | undefined): boolean {
    if (replacement !== undefined) return replacement.unknown(this.#touched.nodes).length === 0;
    return this.#touched.of(this.#slots).every(({ node }) => node.state !== undefined);
  }

  #takeNewsNow(feed: GenerationFeed, replacement: SlotReplacement | undefined): News {
    const { opId } = feed.checkpoint;
    const writeCheckpoint = must(this.#user).value;
    const streams = this.#found?.streams ?? [];
    const change =
      replacement?.commit(this.#touched.nodes) ??
      refreshedSlots(this.#slots, this.#touched.of(this.#slots));
    this.#changed = false;
    this.#unusable = undefined;
    this.#found = undefined;
    this.#touched.clear();
    this.#slots = change.set;
    return { opId, writeCheckpoint, change, streams };
  }

  async #checkpointLine({ change, opId, writeCheckpoint, streams }: News): Promise<Uint8Array> {
    const { set, updated, removed } = change;
    const common = { lastOpId: opId, writeCheckpoint };
    if (this.#download.checkpoint === undefined) {
      return this.#lineOf({ kind: 'checkpoint', ...common, streams }, set.slots);
    }
    const [only] = updated;
    const isSharable =
      updated.length === 1 && removed.length === 0 && writeCheckpoint === undefined;
    if (isSharable && only !== undefined) {
      return this.#encoder.diffOfOne(opId, toCheckpointBucket(only));
    }
    const removedBuckets = removed.map((slot) => slot.node.name);
    return this.#lineOf({ kind: 'checkpoint_diff', ...common, removedBuckets }, updated);
  }

  async #lineOf(head: BucketLineHead, slots: readonly Slot[]): Promise<Uint8Array> {
    const line = this.#encoder.start(head, slots.length);
    await pacedEach(slots, this.#around.pace, (slot) => line.add(toCheckpointBucket(slot)));
    return line.finish();
  }

  /** Passes what needs nothing; a first checkpoint may have many empty buckets. */
  async #skip(): Promise<void> {
    while (this.#download.skip(PACED_ITEMS)) await this.#around.pace.giveWay();
  }

  async #read(slot: Slot, batch: LineBatch): Promise<void> {
    const download = this.#download;
    const upTo = must(download.checkpoint);
    const { node, position: after, fresh } = slot;
    const isLong = download.opsSent >= this.#around.limits.supersedeAfterOps;
    const read = { after, upTo, fresh };
    const chunk = await must(this.#feed).readOps(node, read, isLong ? 'more' : 'first');
    if (this.#isEnded) return;
    if (chunk !== undefined) {
      const frame = { bucket: node.name, after, nextAfter: chunk.lastOpId, hasMore: chunk.hasMore };
      batch.lineOfParts(this.#encoder.data(frame, chunk));
      download.sentChunk(slot, chunk);
      this.#around.totals.opsSent += chunk.opCount;
      this.sent.opsSent += chunk.opCount;
      if (chunk.hasMore) return;
    }
    // Where the client stands before the last operation all the same, the rest may have become
    // part of a CLEAR beyond the checkpoint, so that only a newer one can be completed.
    if (!isUpToDate(slot)) download.require(await must(this.#feed).requiredCheckpoint(node, upTo));
    if (!this.#isEnded) download.passNext();
  }
}

function asksOf({ claims, request }: SessionInput): RequestContext {
  const { parameters, includeDefaults, subscriptions } = request;
  return { claims, parameters, includeDefaults, subscriptions };
}

type WaitStep = 'wait' | 'wait-for-newer';

function isWait(step: Step): step is WaitStep {
  return step === 'wait' || step === 'wait-for-newer';
}
