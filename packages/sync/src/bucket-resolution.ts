import { SyncError, type JsonObject } from '@sluice/base';
import type { StreamRequest } from '@sluice/protocol';
import type {
  BucketResolver,
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

export interface Resolution {
  readonly wanted: readonly WantedBucket[];
  readonly streams: readonly ResolvedStream[];
}

export interface BucketResolutionOptions {
  readonly feed: GenerationFeed;
  readonly request: StreamRequest;
  readonly claims: JsonObject;
  readonly limits: SyncLimits;
  readonly reasons: ReasonPool;
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
  readonly #listener: Listener;
  readonly #nodes = new Set<BucketNode>();
  readonly #keys = new Set<string>();
  #isClosed = false;
  /** Given up once it has answered, if the answer is for ever. */
  #resolver: BucketResolver | undefined;

  constructor(options: BucketResolutionOptions) {
    const { feed, request, claims } = options;
    this.#feed = feed;
    this.#limits = options.limits;
    this.#reasons = options.reasons;
    this.#listener = options.listener;
    this.#resolver = feed.plan.resolver(
      {
        claims,
        parameters: request.parameters,
        includeDefaults: request.includeDefaults,
        subscriptions: request.subscriptions,
      },
      feed.prefixes,
    );
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
    const { buckets, streams, lookupKeys } = await this.#resolver.resolve((keys) => {
      for (const key of keys) this.#join(key);
      return this.#feed.lookup(keys);
    }, this.#limits.maxParameterQueryResults);
    if (this.#isClosed) return undefined;
    checkBucketLimit(buckets, this.#limits.maxBucketsPerConnection);
    if (!this.#resolver.isDynamic) this.#resolver = undefined;
    for (const key of this.#keys) {
      if (!lookupKeys.has(key)) this.#leave(key);
    }
    return { wanted: buckets.map((bucket) => this.#want(bucket)), streams };
  }

  /** Gives up the buckets that the session does not have any more. */
  keepOnly(nodes: ReadonlySet<BucketNode>): void {
    for (const node of this.#nodes) {
      if (nodes.has(node)) continue;
      this.#nodes.delete(node);
      this.#feed.buckets.leave(node, this.#listener);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.keepOnly(new Set());
    for (const key of this.#keys) this.#leave(key);
    this.#resolver = undefined;
  }

  #join(key: string): void {
    if (this.#isClosed) return;
    this.#keys.add(key);
    this.#feed.lookups.join(key, this.#listener);
  }

  #leave(key: string): void {
    this.#keys.delete(key);
    this.#feed.lookups.leave(key, this.#listener);
  }

  #want({ name, priority, subscriptions }: ResolvedBucket): WantedBucket {
    const node = this.#feed.buckets.join(name, this.#listener);
    this.#nodes.add(node);
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

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  intern(reasons: readonly SubscriptionReason[]): readonly SubscriptionReason[] {
    const key = JSON.stringify(reasons);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#capacity) this.#known.clear();
    this.#known.set(key, reasons);
    return reasons;
  }
}
