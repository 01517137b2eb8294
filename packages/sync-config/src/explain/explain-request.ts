import { SyncError } from '@sluice/base';
import type { DefinitionInfo, LookupFunction, RequestContext } from '../contract.ts';
import type { ResolvedBuckets, SubscriptionReason } from '../resolve/resolved-buckets.ts';
import type { LinkContext } from '../evaluate/row-selection.ts';
import { DEFINITION_WORDS, STREAM_WORDS } from '../expr/request-words.ts';
import type { BucketQuery, CompiledQueries } from '../plan/queries.ts';
import type { SearchEvent } from '../resolve/find-buckets.ts';
import { linkBucketQuery, type LinkedBucketQuery } from '../resolve/link-bucket-query.ts';
import { RequestResolver, type Participation } from '../resolve/resolver.ts';
import { describeLookup } from './describe-lookup.ts';
import { explainResolution, type LookupsById } from './explain-resolution.ts';
import type {
  BucketResolution,
  DefinitionExplanation,
  ParticipationExplanation,
  RequestExplanation,
} from './explanation.ts';

/** A definition with all that is needed to explain what a request gets of it. */
export interface ExplainedDefinition {
  readonly info: DefinitionInfo;
  readonly prefix: string;
  readonly queries: CompiledQueries;
}

/** What was seen of one search. */
interface SearchLog {
  readonly participation: Participation;
  readonly query: BucketQuery;
  readonly events: SearchEvent[];
}

/**
 * Resolves a request as the service does, and says of every definition what came of it and why.
 * Rejects only as `lookup` does.
 */
export async function explainRequest(
  definitions: readonly ExplainedDefinition[],
  request: RequestContext,
  context: LinkContext,
  answers: { readonly lookup: LookupFunction; readonly maxResults: number },
): Promise<RequestExplanation> {
  const queryOf = new Map<LinkedBucketQuery, BucketQuery>();
  const linked = definitions.map(({ info, prefix, queries }) => ({
    info,
    prefix,
    queries: queries.buckets.map((query) => {
      const link = linkBucketQuery(query, context);
      queryOf.set(link, query);
      return link;
    }),
  }));
  const searches: SearchLog[] = [];
  const resolver = new RequestResolver(linked, request, context.dialect);
  const outcome = await attempt(() =>
    resolver.resolve(answers.lookup, answers.maxResults, {
      observe: (participation, link) => {
        const events: SearchEvent[] = [];
        const query = queryOf.get(link);
        if (query !== undefined) searches.push({ participation, query, events });
        return (event) => void events.push(event);
      },
    }),
  );
  return {
    ...outcome,
    definitions: definitions.map((definition) => ({
      name: definition.info.name,
      kind: definition.info.kind,
      absence: absenceOf(definition.info, request),
      participations: participationsOf(definition, searches, outcome.resolved, context),
    })),
  };
}

async function attempt(
  resolve: () => Promise<ResolvedBuckets>,
): Promise<Pick<RequestExplanation, 'resolved' | 'refusal'>> {
  try {
    return { resolved: await resolve(), refusal: undefined };
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { resolved: undefined, refusal: { code: error.code, message: error.message } };
  }
}

function absenceOf(
  { name, isDefault }: DefinitionInfo,
  { includeDefaults, subscriptions }: RequestContext,
): DefinitionExplanation['absence'] {
  if (subscriptions.some(({ stream }) => stream === name)) return undefined;
  if (!isDefault) return 'not subscribed';
  return includeDefaults ? undefined : 'defaults are off';
}

function participationsOf(
  definition: ExplainedDefinition,
  searches: readonly SearchLog[],
  resolved: ResolvedBuckets | undefined,
  context: LinkContext,
): readonly ParticipationExplanation[] {
  const { info, queries } = definition;
  const own = searches.filter(({ participation }) => participation.definition.info === info);
  const lookups: LookupsById = new Map(
    queries.lookups.map((query) => [query.id, describeLookup(query, context.dialect)]),
  );
  const words = info.kind === 'stream' ? STREAM_WORDS : DEFINITION_WORDS;
  return [...new Set(own.map(({ participation }) => participation))].map((participation) => ({
    reason: participation.reason,
    error: errorOf(info.name, participation.reason, resolved),
    resolutions: own
      .filter((search) => search.participation === participation)
      .map(({ query, events }): BucketResolution => {
        const { slots } = participation;
        const found = explainResolution(query, events, { slots, lookups, words, context });
        return { ...found, buckets: bucketNames(definition, query, events, resolved) };
      }),
  }));
}

function errorOf(
  name: string,
  reason: SubscriptionReason,
  resolved: ResolvedBuckets | undefined,
): string | undefined {
  const subscription = 'sub' in reason ? reason.sub : 'default';
  const stream = resolved?.streams.find((one) => one.name === name);
  return stream?.errors.find((error) => error.subscription === subscription)?.message;
}

/** What the search found, as far as it is in the answer: a failure elsewhere may have voided it. */
function bucketNames(
  { prefix }: ExplainedDefinition,
  { bucket }: BucketQuery,
  events: readonly SearchEvent[],
  resolved: ResolvedBuckets | undefined,
): readonly string[] {
  const answered = new Set(resolved?.buckets.map(({ name }) => name));
  return events
    .flatMap((event) => (event.kind === 'found' ? [...event.keys] : []))
    .map((keys) => `${prefix}${bucket}[${keys}]`)
    .filter((name) => answered.has(name));
}
