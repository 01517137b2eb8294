import { must } from '@sluice/base';
import type { SqliteRow, TablePattern, TableSchema } from '@sluice/model';
import { buildClientSchema } from '../client-schema/build-client-schema.ts';
import type { ClientSchema } from '../client-schema/client-schema.ts';
import type {
  BucketPrefixes,
  BucketResolver,
  DefinitionInfo,
  EventEvaluator,
  EventInfo,
  FilledPart,
  LookupFunction,
  RequestContext,
  RowEvaluator,
  SyncOptions,
  SyncPlan,
  WriteCheckpointEvaluator,
} from '../contract.ts';
import { linkRowEvaluator } from '../evaluate/row-evaluator.ts';
import type { LinkContext } from '../evaluate/row-selection.ts';
import {
  isWriteCheckpointEvent,
  writeCheckpointPayloads,
  type CompiledEvent,
} from '../events/event-query.ts';
import { explainRequest } from '../explain/explain-request.ts';
import { explainRow } from '../explain/explain-row.ts';
import type { RequestExplanation, RowExplanation } from '../explain/explanation.ts';
import { linkEventEvaluator } from '../events/link-event-evaluator.ts';
import {
  linkWriteCheckpointEvaluator,
  WRITE_CHECKPOINTS,
} from '../events/link-write-checkpoint-evaluator.ts';
import { linkBucketQuery } from '../resolve/link-bucket-query.ts';
import { RequestResolver, type LinkedDefinition } from '../resolve/resolver.ts';
import type { Dialect } from '../values/dialect.ts';
import { definitionHash, planHash, writeCheckpointHash } from './canonical-plan.ts';
import type { CompiledDefinition, CompiledQueries, RowSelection } from './queries.ts';

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
  readonly writeCheckpoints: FilledPart | undefined;
  readonly parts: readonly FilledPart[];
  readonly tables: readonly TablePattern[];
  readonly dataTables: readonly TablePattern[];
  readonly parameterTables: readonly TablePattern[];
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
      tables: distinctPatterns([...definition.queries.rows, ...definition.queries.lookups]),
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
    this.#events = events;
    this.events = events.map(({ name, payloads }) => ({
      name,
      makesWriteCheckpoints: isWriteCheckpointEvent(name),
      tables: payloads.map(({ pattern }) => pattern),
    }));
    const payloads = writeCheckpointPayloads(events);
    if (payloads.length > 0) {
      this.writeCheckpoints = {
        name: WRITE_CHECKPOINTS,
        hash: writeCheckpointHash(dialect.name, options, payloads),
        tables: distinctPatterns(payloads),
      };
    }
    this.parts = [...this.definitions, ...(this.writeCheckpoints ? [this.writeCheckpoints] : [])];
    this.tables = distinctPatterns([...this.#queries.rows, ...this.#queries.lookups, ...payloads]);
    this.dataTables = distinctPatterns(this.#queries.rows);
    this.parameterTables = distinctPatterns(this.#queries.lookups);
    this.#context = { dialect };
    this.#resolvable = definitions.map(({ queries }, i) => ({
      info: must(this.definitions[i], 'one entry for each definition'),
      queries: queries.buckets.map((query) => linkBucketQuery(query, this.#context)),
    }));
  }

  rowEvaluator(table: TableSchema, prefixes: BucketPrefixes): RowEvaluator | undefined {
    return linkRowEvaluator(this.#queries, table, this.#byName(prefixes), this.#context);
  }

  /** Prefixes by the name of the definition, as far as they have one. */
  #byName(prefixes: BucketPrefixes): ReadonlyMap<string, string> {
    const byName = new Map<string, string>();
    for (const { name, hash } of this.definitions) {
      const prefix = prefixes.get(hash);
      if (prefix !== undefined) byName.set(name, prefix);
    }
    return byName;
  }

  eventEvaluator(table: TableSchema): EventEvaluator | undefined {
    return linkEventEvaluator(this.#events, table, this.#context);
  }

  writeCheckpointEvaluator(table: TableSchema): WriteCheckpointEvaluator | undefined {
    return linkWriteCheckpointEvaluator(this.#events, table, this.#context);
  }

  resolver(request: RequestContext, prefixes: BucketPrefixes): BucketResolver {
    const definitions = this.#resolvable.map((definition) => ({
      ...definition,
      prefix: must(prefixes.get(definition.info.hash), 'a prefix for every definition'),
    }));
    return new RequestResolver(definitions, request, this.#context.dialect);
  }

  explainRow(table: TableSchema, row: SqliteRow, prefixes: BucketPrefixes): RowExplanation {
    const subject = { table, row, prefixes: this.#byName(prefixes), context: this.#context };
    return explainRow(this.#queries, this.#events, subject);
  }

  explainRequest(
    request: RequestContext,
    prefixes: BucketPrefixes,
    answers: { readonly lookup: LookupFunction; readonly maxResults: number },
  ): Promise<RequestExplanation> {
    const definitions = this.#definitions.map(({ queries }, i) => {
      const info = must(this.definitions[i], 'one entry for each definition');
      return { info, queries, prefix: must(prefixes.get(info.hash), 'a prefix for each') };
    });
    return explainRequest(definitions, request, this.#context, answers);
  }

  clientSchema(sourceSchema: readonly TableSchema[] | undefined): ClientSchema {
    return buildClientSchema(this.#definitions, sourceSchema);
  }
}

function distinctPatterns(selections: readonly RowSelection[]): TablePattern[] {
  const byText = new Map<string, TablePattern>();
  for (const { pattern } of selections) {
    const { schema, name, nameIsPrefix, schemaIsPrefix } = pattern;
    byText.set(JSON.stringify([schema, name, nameIsPrefix, schemaIsPrefix]), pattern);
  }
  return [...byText.values()];
}
