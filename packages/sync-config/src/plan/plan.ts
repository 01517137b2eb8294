import { must } from '@sluice/base';
import type { TablePattern, TableSchema } from '@sluice/model';
import { buildClientSchema } from '../client-schema/build-client-schema.ts';
import type { ClientSchema } from '../client-schema/client-schema.ts';
import type {
  BucketPrefixes,
  BucketResolver,
  DefinitionInfo,
  EventEvaluator,
  EventInfo,
  RequestContext,
  RowEvaluator,
  SyncOptions,
  SyncPlan,
} from '../contract.ts';
import { linkRowEvaluator } from '../evaluate/row-evaluator.ts';
import type { LinkContext } from '../evaluate/row-selection.ts';
import type { CompiledEvent } from '../events/event-query.ts';
import { linkEventEvaluator } from '../events/link-event-evaluator.ts';
import { linkBucketQuery } from '../resolve/link-bucket-query.ts';
import { RequestResolver, type LinkedDefinition } from '../resolve/resolver.ts';
import type { Dialect } from '../values/dialect.ts';
import { definitionHash, planHash } from './canonical-plan.ts';
import type { CompiledDefinition, CompiledQueries } from './queries.ts';

export interface PlanParts {
  readonly dialect: Dialect;
  readonly options: SyncOptions;
  readonly definitions: readonly CompiledDefinition[];
  readonly events: readonly CompiledEvent[];
}

/** The compiled sync config, ready to be linked to tables and requests. */
export class CompiledPlan implements SyncPlan {
  readonly hash: string;
  readonly options: SyncOptions;
  readonly definitions: readonly DefinitionInfo[];
  readonly tables: readonly TablePattern[];
  readonly events: readonly EventInfo[];
  readonly #events: readonly CompiledEvent[];
  readonly #definitions: readonly CompiledDefinition[];
  readonly #queries: CompiledQueries;
  readonly #context: LinkContext;
  readonly #resolvable: readonly Omit<LinkedDefinition, 'prefix'>[];

  constructor({ dialect, options, definitions, events }: PlanParts) {
    this.options = options;
    this.#definitions = definitions;
    this.definitions = definitions.map((definition) => ({
      ...definition.info,
      hash: definitionHash(dialect.name, options, definition),
      tables: distinctPatterns(definition.queries),
    }));
    this.hash = planHash(
      options,
      definitions.map(({ queries }, i) => ({
        info: must(this.definitions[i], 'one entry for each definition'),
        priorities: queries.buckets.map(({ priority }) => priority),
      })),
      events,
    );
    this.#queries = {
      rows: definitions.flatMap(({ queries }) => queries.rows),
      lookups: definitions.flatMap(({ queries }) => queries.lookups),
      buckets: definitions.flatMap(({ queries }) => queries.buckets),
    };
    this.tables = distinctPatterns(this.#queries);
    this.#events = events;
    this.events = events.map(({ name, payloads }) => ({
      name,
      tables: payloads.map(({ pattern }) => pattern),
    }));
    this.#context = { dialect };
    this.#resolvable = definitions.map(({ queries }, i) => ({
      info: must(this.definitions[i], 'one entry for each definition'),
      queries: queries.buckets.map((query) => linkBucketQuery(query, this.#context)),
    }));
  }

  rowEvaluator(table: TableSchema, prefixes: BucketPrefixes): RowEvaluator | undefined {
    const byName = new Map<string, string>();
    for (const { name, hash } of this.definitions) {
      const prefix = prefixes.get(hash);
      if (prefix !== undefined) byName.set(name, prefix);
    }
    return linkRowEvaluator(this.#queries, table, byName, this.#context);
  }

  eventEvaluator(table: TableSchema): EventEvaluator | undefined {
    return linkEventEvaluator(this.#events, table, this.#context);
  }

  resolver(request: RequestContext, prefixes: BucketPrefixes): BucketResolver {
    const definitions = this.#resolvable.map((definition) => ({
      ...definition,
      prefix: must(prefixes.get(definition.info.hash), 'a prefix for every definition'),
    }));
    return new RequestResolver(definitions, request, this.#context.dialect);
  }

  clientSchema(sourceSchema: readonly TableSchema[] | undefined): ClientSchema {
    return buildClientSchema(this.#definitions, sourceSchema);
  }
}

function distinctPatterns({ rows, lookups }: CompiledQueries): TablePattern[] {
  const byText = new Map<string, TablePattern>();
  for (const { pattern } of [...rows, ...lookups]) {
    const { schema, name, nameIsPrefix, schemaIsPrefix } = pattern;
    byText.set(JSON.stringify([schema, name, nameIsPrefix, schemaIsPrefix]), pattern);
  }
  return [...byText.values()];
}
