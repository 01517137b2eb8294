import { must, pacedEach, SyncError, UNPACED, type Pace } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type {
  BucketResolver,
  DefinitionInfo,
  LookupFunction,
  RequestContext,
} from '../contract.ts';
import type {
  ResolvedBucket,
  ResolvedBuckets,
  ResolvedStream,
  SubscriptionReason,
} from './resolved-buckets.ts';
import type { Dialect } from '../values/dialect.ts';
import { EvaluationFailure } from '../values/failure.ts';
import { ResultBudget } from './budget.ts';
import { driveSearches } from './drive-searches.ts';
import { findBuckets, type ObserveSearch, type Search } from './find-buckets.ts';
import type { LinkedBucketQuery } from './link-bucket-query.ts';
import { requestSlots } from './request-slots.ts';

/** A definition with all that finds its buckets. */
export interface LinkedDefinition {
  readonly info: DefinitionInfo;
  /** In front of its bucket names and lookup keys. */
  readonly prefix: string;
  readonly queries: readonly LinkedBucketQuery[];
}

/** One evaluation of a definition: for a subscription, or by default. */
export interface Participation {
  readonly definition: LinkedDefinition;
  /** Index into the streams that take part. */
  readonly stream: number;
  readonly reason: SubscriptionReason;
  readonly overridePriority: number | null;
  readonly slots: readonly SqliteValue[];
}

type ObserveResolution = (participation: Participation, query: LinkedBucketQuery) => ObserveSearch;

export interface ResolveOptions {
  readonly pace?: Pace | undefined;
  /** Gives those who explain a request a view of each search. */
  readonly observe?: ObserveResolution | undefined;
}

/** Finds the buckets of one request. Source: spec/protocol.md 6.1, spec/sync-config.md 10.7. */
export class RequestResolver implements BucketResolver {
  readonly isDynamic: boolean;
  readonly #participations: readonly Participation[];
  readonly #streams: readonly LinkedDefinition[];
  /** The answer of a request that needs no lookups, once it is known. */
  #static: ResolvedBuckets | undefined;

  constructor(definitions: readonly LinkedDefinition[], request: RequestContext, dialect: Dialect) {
    this.#streams = definitions.filter((definition) => takesPart(definition.info, request));
    this.#participations = this.#streams.flatMap((definition, stream) =>
      participationsOf(definition, stream, request, dialect),
    );
    this.isDynamic = this.#participations.some(({ definition, slots }) =>
      definition.queries.some((query) => query.isDynamic && mayPass(query, slots)),
    );
  }

  async resolve(
    lookup: LookupFunction,
    maxResults: number,
    { pace = UNPACED, observe }: ResolveOptions = {},
  ): Promise<ResolvedBuckets> {
    if (this.#static !== undefined) return this.#static;
    const budget = new ResultBudget(maxResults);
    const lookupKeys = new Set<string>();
    const tasks = this.#participations.flatMap((participation) =>
      participation.definition.queries.map((query) => ({ participation, query })),
    );
    const found = await driveSearches(
      tasks.map(({ participation, query }) => {
        const { slots, definition } = participation;
        const observeSearch = observe?.(participation, query);
        return attempt(findBuckets(query, slots, definition.prefix, budget, observeSearch));
      }),
      { lookup, lookupKeys, maxKeys: maxResults, pace },
    );
    const outcomes = new Map<Participation, QueryOutcome[]>();
    tasks.forEach(({ participation, query }, i) => {
      const outcome = { query, found: must(found[i], 'the result of a finished search') };
      const known = outcomes.get(participation);
      if (known === undefined) outcomes.set(participation, [outcome]);
      else known.push(outcome);
    });
    const result = await this.#collect(outcomes, lookupKeys, pace);
    if (!this.isDynamic) this.#static = result;
    return result;
  }

  async #collect(
    outcomes: ReadonlyMap<Participation, readonly QueryOutcome[]>,
    lookupKeys: ReadonlySet<string>,
    pace: Pace,
  ): Promise<ResolvedBuckets> {
    const buckets = new Map<string, ResolvedBucket>();
    const errors = this.#streams.map((): ResolvedStream['errors'][number][] => []);
    for (const [participation, queries] of outcomes) {
      const failure = queries
        .map(({ found }) => found)
        .find((found) => found instanceof EvaluationFailure);
      if (failure === undefined) {
        for (const { query, found } of queries) {
          if (found instanceof EvaluationFailure) continue;
          await addBuckets(buckets, { participation, query, found }, pace);
        }
        continue;
      }
      refuseLegacyFailure(participation, failure);
      errors[participation.stream]?.push({
        subscription: 'sub' in participation.reason ? participation.reason.sub : 'default',
        message: failure.message,
      });
    }
    const streams = this.#streams.map(({ info }, i) => ({
      name: info.name,
      isDefault: info.isDefault,
      errors: errors[i] ?? [],
    }));
    return { buckets: [...buckets.values()], streams, lookupKeys };
  }
}

interface FoundBuckets {
  readonly participation: Participation;
  readonly query: LinkedBucketQuery;
  readonly found: ReadonlySet<string>;
}

/** What one query found: parameter texts, or why it could not be evaluated. */
interface QueryOutcome {
  readonly query: LinkedBucketQuery;
  readonly found: ReadonlySet<string> | EvaluationFailure;
}

function takesPart(info: DefinitionInfo, request: RequestContext): boolean {
  const isDefault = info.isDefault && request.includeDefaults;
  return isDefault || request.subscriptions.some(({ stream }) => stream === info.name);
}

function participationsOf(
  definition: LinkedDefinition,
  stream: number,
  request: RequestContext,
  dialect: Dialect,
): Participation[] {
  const { claims, parameters } = request;
  const participations: Participation[] = [];
  if (definition.info.isDefault && request.includeDefaults) {
    const slots = requestSlots(claims, parameters, {}, dialect);
    const reason = { default: stream };
    participations.push({ definition, stream, reason, overridePriority: null, slots });
  }
  request.subscriptions.forEach((subscription, sub) => {
    if (subscription.stream !== definition.info.name) return;
    const slots = requestSlots(claims, parameters, subscription.parameters ?? {}, dialect);
    const { overridePriority } = subscription;
    participations.push({ definition, stream, reason: { sub }, overridePriority, slots });
  });
  return participations;
}

/** Whether a query is still in play; one that fails is, so that `resolve` reports the failure. */
function mayPass(query: LinkedBucketQuery, slots: readonly SqliteValue[]): boolean {
  try {
    return query.passes(slots);
  } catch (error) {
    if (error instanceof EvaluationFailure) return true;
    throw error;
  }
}

/** A search whose failure is a result, so that it concerns nobody else. */
function* attempt<T>(search: Search<T>): Search<T | EvaluationFailure> {
  try {
    return yield* search;
  } catch (error) {
    if (error instanceof EvaluationFailure) return error;
    throw error;
  }
}

async function addBuckets(
  buckets: Map<string, ResolvedBucket>,
  { participation, query, found }: FoundBuckets,
  pace: Pace,
): Promise<void> {
  const { definition, overridePriority, reason } = participation;
  const priority = overridePriority ?? query.priority;
  // Shared by all of them: there may be 100,000.
  const subscriptions = [reason];
  await pacedEach(found, pace, (keys) => {
    const name = `${definition.prefix}${query.bucket}[${keys}]`;
    addBucket(buckets, { name, definition: definition.info.name, priority, subscriptions });
  });
}

/** Adds a bucket, or merges it with the one of the same name. */
function addBucket(buckets: Map<string, ResolvedBucket>, bucket: ResolvedBucket): void {
  const known = buckets.get(bucket.name);
  if (known === undefined) {
    buckets.set(bucket.name, bucket);
    return;
  }
  const isSame = (a: SubscriptionReason) =>
    bucket.subscriptions.some((b) => reasonText(a) === reasonText(b));
  buckets.set(bucket.name, {
    ...known,
    priority: Math.min(known.priority, bucket.priority),
    subscriptions: [
      ...known.subscriptions.filter((reason) => !isSame(reason)),
      ...bucket.subscriptions,
    ],
  });
}

function reasonText(reason: SubscriptionReason): string {
  return 'default' in reason ? `default ${reason.default}` : `sub ${reason.sub}`;
}

function refuseLegacyFailure({ definition }: Participation, error: EvaluationFailure): void {
  if (definition.info.kind !== 'bucket_definition') return;
  throw new SyncError(
    'SYNC_PARAMETER_ERROR',
    `The parameter queries of ${definition.info.name} failed: ${error.message}`,
    { cause: error, details: { definition: definition.info.name } },
  );
}
