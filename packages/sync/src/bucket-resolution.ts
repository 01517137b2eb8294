import { pacedEach, SyncError, UNPACED, type Pace } from '@sluice/base';
import type {
  BucketResolver,
  RequestContext,
  ResolvedBucket,
  ResolvedStream,
  SubscriptionReason,
} from '@sluice/sync-config';
import type { BucketNode, Listener } from './bucket-index.ts';
import type { GenerationFeed } from './generation-feed.ts';
import type { WantedBucket } from './slot.ts';
import type { SyncLimits } from './sync-limits.ts';

/** Definitions that the message of a crossed limit names. */
const NAMED_DEFINITIONS = 100;
/** Buckets and keys that a closed session is taken from in one go. */
const RELEASED_AT_ONCE = 1000;

export interface Resolution {
  readonly wanted: readonly WantedBucket[];
  readonly streams: readonly ResolvedStream[];
}

export interface BucketResolutionOptions {
  readonly feed: GenerationFeed;
  readonly request: RequestContext;
  readonly limits: SyncLimits;
  readonly reasons: ReasonPool;
  readonly pace: Pace;
  /** Touched when a lookup changes that the buckets were found by. */
  readonly listener: Listener;
}

/**
 * The buckets of one session, found again whenever lookups change. Keeps the session listed under
 * the buckets that it has or is about to have, and under the lookup keys that decide on them.
 */
export class BucketResolution {
  readonly #feed: GenerationFeed;
  readonly #limits: SyncLimits;
  readonly #reasons: ReasonPool;
  readonly #pace: Pace;
  readonly #listener: Listener;
  /** With the number of the last `resolve` that found them. */
  readonly #nodes = new Map<BucketNode, number>();
  #round = 0;
  /** How many the last `resolve` found. */
  #found = 0;
  readonly #keys = new Set<string>();
  #isClosed = false;
  /** Given up once it has answered, if the answer is for ever. */
  #resolver: BucketResolver | undefined;

  constructor(options: BucketResolutionOptions) {
    const { feed, request } = options;
    this.#feed = feed;
    this.#limits = options.limits;
    this.#reasons = options.reasons;
    this.#pace = options.pace;
    this.#listener = options.listener;
    this.#resolver = feed.plan.resolver(request, feed.prefixes);
  }

  /**
   * Undefined when the buckets found before stay, and after `close`. The listener is on record for
   * every lookup key before it is read, so a change that happens meanwhile touches it.
   *
   * @throws SyncError `SYNC_TOO_MANY_BUCKETS`, `SYNC_TOO_MANY_PARAMETER_RESULTS`,
   * `SYNC_PARAMETER_ERROR`.
   */
  async resolve(): Promise<Resolution | undefined> {
    if (this.#resolver === undefined) return undefined;
    const pace = this.#pace;
    const lookup = async (keys: readonly string[]) => {
      await pacedEach(keys, pace, (key) => this.#join(key));
      return this.#feed.lookup(keys);
    };
    const { maxParameterQueryResults, maxBucketsPerConnection } = this.#limits;
    const resolved = await this.#resolver.resolve(lookup, maxParameterQueryResults, { pace });
    const { buckets, streams, lookupKeys } = resolved;
    if (this.#isClosed) return undefined;
    checkBucketLimit(buckets, maxBucketsPerConnection);
    if (!this.#resolver.isDynamic) this.#resolver = undefined;
    await pacedEach(this.#keys, pace, (key) => {
      if (!lookupKeys.has(key)) this.#leaveKey(key);
    });
    const wanted: WantedBucket[] = [];
    this.#round += 1;
    await pacedEach(buckets, pace, (bucket) => {
      if (!this.#isClosed) wanted.push(this.#want(bucket));
    });
    this.#found = wanted.length;
    return this.#isClosed ? undefined : { wanted, streams };
  }

  /** Gives up the buckets that the last `resolve` did not find. */
  async keepFound(): Promise<void> {
    if (this.#nodes.size === this.#found) return;
    await pacedEach(this.#nodes, this.#pace, ([node, round]) => {
      if (round < this.#round) this.#leave(node);
    });
  }

  /** Many buckets and keys take a while to give up; nobody needs to wait for it. */
  close(): void {
    this.#isClosed = true;
    this.#resolver = undefined;
    const count = this.#nodes.size + this.#keys.size;
    // Does not fail: there is nothing but removals from maps.
    const pace = count > RELEASED_AT_ONCE ? this.#pace : UNPACED;
    void pacedEach(this.#nodes.keys(), pace, (node) => this.#leave(node));
    void pacedEach(this.#keys, pace, (key) => this.#leaveKey(key));
  }

  #join(key: string): void {
    if (this.#isClosed) return;
    this.#keys.add(key);
    this.#feed.lookups.join(key, this.#listener);
  }

  #leaveKey(key: string): void {
    this.#keys.delete(key);
    this.#feed.lookups.leave(key, this.#listener);
  }

  #leave(node: BucketNode): void {
    this.#nodes.delete(node);
    this.#feed.buckets.leave(node, this.#listener);
  }

  #want({ name, priority, subscriptions }: ResolvedBucket): WantedBucket {
    const node = this.#feed.buckets.join(name, this.#listener);
    this.#nodes.set(node, this.#round);
    return { node, priority, subscriptions: this.#reasons.intern(subscriptions) };
  }
}

function checkBucketLimit(buckets: readonly ResolvedBucket[], limit: number): void {
  if (buckets.length <= limit) return;
  const counts = new Map<string, number>();
  for (const { definition } of buckets) counts.set(definition, (counts.get(definition) ?? 0) + 1);
  const largest = [...counts].toSorted((a, b) => b[1] - a[1]).slice(0, NAMED_DEFINITIONS);
  const listed = largest.map(([definition, count]) => `${definition}: ${count}`).join(', ');
  throw new SyncError(
    'SYNC_TOO_MANY_BUCKETS',
    `The client would sync ${buckets.length} buckets, more than the ${limit} allowed (${listed})`,
    { details: { buckets: buckets.length, limit, byDefinition: Object.fromEntries(largest) } },
  );
}

/** Makes equal lists of reasons the same object; there are few different ones. */
export class ReasonPool {
  readonly #known = new Map<string, readonly SubscriptionReason[]>();
  readonly #capacity: number;
  /** Of 100,000 buckets most come in a row with the same list. */
  #last: readonly [readonly SubscriptionReason[], readonly SubscriptionReason[]] | undefined;

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  intern(reasons: readonly SubscriptionReason[]): readonly SubscriptionReason[] {
    if (this.#last?.[0] === reasons) return this.#last[1];
    const key = JSON.stringify(reasons);
    const known = this.#known.get(key) ?? reasons;
    this.#last = [reasons, known];
    if (known !== reasons) return known;
    if (this.#known.size >= this.#capacity) this.#known.clear();
    this.#known.set(key, reasons);
    return reasons;
  }
}
