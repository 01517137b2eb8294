import { createHash } from 'node:crypto';
import type { TablePattern, TableSchema } from '@sluice/model';
import type {
  BucketResolver,
  DefinitionInfo,
  RequestContext,
  RowEvaluator,
  SyncOptions,
  SyncPlan,
} from '../contract.ts';
import { linkRowEvaluator } from '../evaluate/row-evaluator.ts';
import type { LinkContext } from '../evaluate/row-selection.ts';
import { linkBucketQuery } from '../resolve/link-bucket-query.ts';
import { RequestResolver, type LinkedDefinition } from '../resolve/resolver.ts';
import type { Dialect } from '../values/dialect.ts';
import { canonicalPlanText } from './canonical-plan.ts';
import type { CompiledDefinition, CompiledQueries } from './queries.ts';

export interface PlanParts {
  readonly dialect: Dialect;
  readonly options: SyncOptions;
  readonly definitions: readonly CompiledDefinition[];
}

/** The compiled sync config, ready to be linked to tables and requests. */
export class CompiledPlan implements SyncPlan {
  readonly hash: string;
  readonly options: SyncOptions;
  readonly definitions: readonly DefinitionInfo[];
  readonly tables: readonly TablePattern[];
  readonly #queries: CompiledQueries;
  readonly #context: LinkContext;
  readonly #resolvable: readonly LinkedDefinition[];

  constructor({ dialect, options, definitions }: PlanParts) {
    this.hash = createHash('sha256')
      .update(canonicalPlanText(dialect.name, options, definitions))
      .digest('hex');
    this.options = options;
    this.definitions = definitions.map(({ info }) => info);
    this.#queries = {
      rows: definitions.flatMap(({ queries }) => queries.rows),
      lookups: definitions.flatMap(({ queries }) => queries.lookups),
      buckets: definitions.flatMap(({ queries }) => queries.buckets),
    };
    this.tables = distinctPatterns([...this.#queries.rows, ...this.#queries.lookups]);
    this.#context = { dialect };
    this.#resolvable = definitions.map(({ info, queries }) => ({
      info,
      queries: queries.buckets.map((query) => linkBucketQuery(query, this.#context)),
    }));
  }

  rowEvaluator(table: TableSchema, bucketPrefix: string): RowEvaluator | undefined {
    return linkRowEvaluator(this.#queries, table, bucketPrefix, this.#context);
  }

  resolver(request: RequestContext, bucketPrefix: string): BucketResolver {
    return new RequestResolver(this.#resolvable, request, bucketPrefix, this.#context.dialect);
  }
}

function distinctPatterns(queries: readonly { pattern: TablePattern }[]): TablePattern[] {
  const byText = new Map<string, TablePattern>();
  for (const { pattern } of queries) {
    const { schema, name, nameIsPrefix, schemaIsPrefix } = pattern;
    byText.set(JSON.stringify([schema, name, nameIsPrefix, schemaIsPrefix]), pattern);
  }
  return [...byText.values()];
}
