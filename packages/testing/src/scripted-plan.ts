import { assert, must, SyncError } from '@sluice/base';
import type { StoredConfig } from '@sluice/storage';
import type {
  DefinitionInfo,
  FilledPart,
  RequestContext,
  ResolvedBucket,
  SyncPlan,
} from '@sluice/sync-config';

export interface ScriptedStream {
  readonly name: string;
  /** Of its content, which tests that change it give; absent: a hash of the name. */
  readonly hash?: string | undefined;
  readonly isDefault?: boolean | undefined;
  readonly priority?: number | undefined;
  /** Bucket names without the prefix. */
  readonly buckets?: ((request: RequestContext) => readonly string[]) | undefined;
  /** A lookup key without the prefix, whose values name further buckets. */
  readonly lookupKey?: ((request: RequestContext) => string) | undefined;
}

/**
 * A plan that finds buckets by functions of the test. It evaluates no rows. `writeCheckpoints`: the
 * hash of those that it takes from rows.
 */
export function scriptedPlan(
  streams: readonly ScriptedStream[],
  options: { readonly writeCheckpoints?: string } = {},
): SyncPlan {
  const hash = options.writeCheckpoints;
  const writeCheckpoints = hash === undefined ? undefined : { name: 'numbers', hash, tables: [] };
  const definitions = streams.map(definitionOf);
  return {
    hash: `hash of ${streams.map(hashOf).join(', ')}`,
    options: {
      timestampsIso8601: true,
      versionedBucketIds: true,
      fixedJsonExtract: true,
      customPostgresTypes: true,
      timestampMaxPrecision: undefined,
    },
    definitions,
    writeCheckpoints,
    parts: [...definitions, ...(writeCheckpoints ? [writeCheckpoints] : [])],
    tables: [],
    dataTables: [],
    parameterTables: [],
    events: [],
    rowEvaluator: () => undefined,
    clientSchema: () => ({ tables: [], streams: [] }),
    explainRow: () => ({ placements: [], lookups: [], events: [] }),
    explainRequest: () =>
      Promise.resolve({ definitions: [], resolved: undefined, refusal: undefined }),
    eventEvaluator: () => undefined,
    writeCheckpointEvaluator: () => undefined,
    resolver: (request, prefixes) => {
      const takes = (stream: ScriptedStream) =>
        (stream.isDefault !== false && request.includeDefaults) ||
        request.subscriptions.some((subscription) => subscription.stream === stream.name);
      const taken = streams.filter(takes).map((stream) => {
        const prefix = must(prefixes.get(hashOf(stream)), 'a prefix');
        const key = stream.lookupKey?.(request);
        return { stream, prefix, key: key === undefined ? undefined : prefix + key };
      });
      return {
        isDynamic: taken.some(({ key }) => key !== undefined),
        resolve: async (lookup, maxResults) => {
          const keys = taken.flatMap(({ key }) => key ?? []);
          const values =
            keys.length === 0 ? new Map<string, readonly string[]>() : await lookup(keys);
          const results = [...values.values()].reduce((sum, list) => sum + list.length, 0);
          if (results > maxResults) {
            throw new SyncError('SYNC_TOO_MANY_PARAMETER_RESULTS', `${results} results`);
          }
          const buckets = taken.flatMap(({ stream, prefix, key = '' }, index): ResolvedBucket[] => {
            const names = [...(stream.buckets?.(request) ?? []), ...(values.get(key) ?? [])];
            return names.map((name) => ({
              name: prefix + name,
              definition: stream.name,
              priority: stream.priority ?? 3,
              subscriptions: reasons(stream, index, request),
            }));
          });
          return {
            buckets,
            streams: taken.map(({ stream }) => ({
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

/** What a generation stores of a plan: all its buckets have the same prefix unless told otherwise. */
export function scriptedConfig(
  plan: SyncPlan,
  prefix: string | ((part: FilledPart) => string),
): StoredConfig {
  const prefixOf = typeof prefix === 'string' ? () => prefix : prefix;
  const prefixes = plan.parts.map((one) => [one.hash, prefixOf(one)] as const);
  return { text: '', hash: plan.hash, prefixes: Object.fromEntries(prefixes), deployedAtMs: 0 };
}

function definitionOf(stream: ScriptedStream): DefinitionInfo {
  return {
    name: stream.name,
    kind: 'stream',
    isDefault: stream.isDefault !== false,
    priority: stream.priority ?? 3,
    hash: hashOf(stream),
    tables: [],
  };
}

function hashOf({ name, hash }: ScriptedStream): string {
  return hash ?? `hash of ${name}`;
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
