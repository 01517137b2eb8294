import { assert, SyncError } from '@sluice/base';
import type { RequestContext, ResolvedBucket, SyncPlan } from '@sluice/sync-config';

export interface ScriptedStream {
  readonly name: string;
  readonly isDefault?: boolean | undefined;
  readonly priority?: number | undefined;
  /** Bucket names without the prefix. */
  readonly buckets?: ((request: RequestContext) => readonly string[]) | undefined;
  /** A lookup key whose values name further buckets. */
  readonly lookupKey?: ((request: RequestContext) => string) | undefined;
}

/** A plan that finds buckets by functions of the test. It evaluates no rows. */
export function scriptedPlan(streams: readonly ScriptedStream[]): SyncPlan {
  return {
    hash: 'scripted',
    options: {
      timestampsIso8601: true,
      versionedBucketIds: true,
      fixedJsonExtract: true,
      customPostgresTypes: true,
      timestampMaxPrecision: undefined,
    },
    definitions: streams.map(({ name, isDefault, priority }) => ({
      name,
      kind: 'stream',
      isDefault: isDefault !== false,
      priority: priority ?? 3,
      hash: hashOf(name),
      tables: [],
    })),
    tables: [],
    events: [],
    rowEvaluator: () => undefined,
    eventEvaluator: () => undefined,
    clientSchema: () => ({ tables: [], streams: [] }),
    resolver: (request, prefixes) => {
      const takes = (stream: ScriptedStream) =>
        (stream.isDefault !== false && request.includeDefaults) ||
        request.subscriptions.some((subscription) => subscription.stream === stream.name);
      const taken = streams.filter(takes);
      return {
        isDynamic: taken.some((stream) => stream.lookupKey !== undefined),
        resolve: async (lookup, maxResults) => {
          const keys = taken.flatMap((stream) => stream.lookupKey?.(request) ?? []);
          const values =
            keys.length === 0 ? new Map<string, readonly string[]>() : await lookup(keys);
          const results = [...values.values()].reduce((sum, list) => sum + list.length, 0);
          if (results > maxResults) {
            throw new SyncError('SYNC_TOO_MANY_PARAMETER_RESULTS', `${results} results`);
          }
          const buckets = taken.flatMap((stream, index): ResolvedBucket[] => {
            const key = stream.lookupKey?.(request) ?? '';
            const names = [...(stream.buckets?.(request) ?? []), ...(values.get(key) ?? [])];
            return names.map((name) => ({
              name: (prefixes.get(hashOf(stream.name)) ?? '') + name,
              definition: stream.name,
              priority: stream.priority ?? 3,
              subscriptions: reasons(stream, index, request),
            }));
          });
          return {
            buckets,
            streams: taken.map((stream) => ({
              name: stream.name,
              isDefault: stream.isDefault !== false,
              errors: [],
            })),
            lookupKeys: new Set(keys),
          };
        },
      };
    },
  };
}

/** A scripted stream has no content that could change. */
function hashOf(name: string): string {
  return `hash of ${name}`;
}

/** The user of a request: the `sub` of its token. */
export function subjectOf({ claims }: RequestContext): string {
  const { sub } = claims;
  assert(typeof sub === 'string', 'tokens of tests have a text as sub');
  return sub;
}

function reasons(stream: ScriptedStream, index: number, request: RequestContext) {
  const sub = request.subscriptions.findIndex(({ stream: name }) => name === stream.name);
  return sub >= 0 ? [{ sub }] : [{ default: index }];
}
