import type { CompileContext } from '../compile-context.ts';
import type { BucketQuery, CompiledDefinition, LookupQuery, RowQuery } from '../plan/queries.ts';
import { canonicalText } from '../expr/expression.ts';
import type { ConfigDocument, StreamDocument } from '../yaml/config-document.ts';
import { compileStreamQuery, type CompiledStreamQuery } from './compile-stream-query.ts';
import { resolutionText } from './compile-conjunction.ts';
import { CteTable } from './cte-table.ts';

/** spec/sync-config.md 12. */
const MAX_BUCKET_FAMILIES = 100;

/** Compiles `streams` with the CTEs of the file. Source: spec/sync-config.md 10. */
export function compileStreams(
  document: ConfigDocument,
  context: CompileContext,
): readonly CompiledDefinition[] {
  const globalCtes = new CteTable(document.ctes, context, undefined);
  const streams = document.streams.map((stream) => {
    const ctes = new CteTable(stream.ctes, context, globalCtes);
    const compiled = compileStream(stream, ctes, context);
    ctes.warnUnused(context);
    return compiled;
  });
  globalCtes.warnUnused(context);
  return streams;
}

function compileStream(
  stream: StreamDocument,
  ctes: CteTable,
  context: CompileContext,
): CompiledDefinition {
  const { name, priority } = stream;
  const lookups = new LookupRegistry(name);
  const queries = stream.queries
    .map((text) => compileStreamQuery(text, ctes, (query) => lookups.register(query), context))
    .filter((query) => query !== undefined);
  warnDangerous(stream, queries);
  if (context.edition < 3) warnDefaultSubscription(stream, queries);
  const families = new FamilyRegistry(stream);
  const rows = queries.flatMap(({ variants }, query) =>
    variants.map((variant): RowQuery => {
      const bucket = families.register(variant.resolution);
      return { ...variant.rows, definition: name, query, bucket };
    }),
  );
  if (families.list.length > MAX_BUCKET_FAMILIES) {
    const message = `The stream has more than ${MAX_BUCKET_FAMILIES} kinds of buckets`;
    context.diagnostics.error('TOO_MANY_TERMS', stream.nameSpan, message, 'Split the stream');
  }
  return {
    info: { name, kind: 'stream', isDefault: stream.autoSubscribe, priority },
    queries: { rows, lookups: lookups.list, buckets: families.list },
  };
}

function warnDangerous(stream: StreamDocument, queries: readonly CompiledStreamQuery[]): void {
  if (stream.acceptsDangerousQueries) return;
  for (const { isDangerous, report, span } of queries) {
    if (!isDangerous) continue;
    report.warn(
      'DANGEROUS',
      span,
      'Any client can choose what it syncs here, for nothing authenticated restricts it',
      'Add a condition on auth, or set accept_potentially_dangerous_queries: true',
    );
  }
}

/** The default subscription of a stream has no parameters, so they are NULL there (9 rule 6). */
function warnDefaultSubscription(
  stream: StreamDocument,
  queries: readonly CompiledStreamQuery[],
): void {
  if (!stream.autoSubscribe) return;
  for (const { readsSubscription, report, span } of queries) {
    if (!readsSubscription) continue;
    const message = 'auto_subscribe subscribes without parameters, which this query reads';
    report.warn('AUTO_SUBSCRIBE_PARAMS', span, message, 'Remove auto_subscribe');
  }
}

/** The lookups of a stream; equal ones are kept once. */
class LookupRegistry {
  readonly #stream: string;
  readonly #byText = new Map<string, LookupQuery>();

  constructor(stream: string) {
    this.#stream = stream;
  }

  get list(): readonly LookupQuery[] {
    return [...this.#byText.values()];
  }

  register(query: Omit<LookupQuery, 'id' | 'definition'>): string {
    const text = lookupText(query);
    const known = this.#byText.get(text);
    if (known !== undefined) return known.id;
    const id = `${this.#stream}|lookup ${this.#byText.size}`;
    this.#byText.set(text, { ...query, id, definition: this.#stream });
    return id;
  }
}

function lookupText(query: Omit<LookupQuery, 'id' | 'definition'>): string {
  const { schema, name, nameIsPrefix, schemaIsPrefix } = query.pattern;
  return JSON.stringify([
    [schema, name, nameIsPrefix, schemaIsPrefix],
    query.expansions.map(({ source, input }) => [source, canonicalText(input)]),
    query.filter ? canonicalText(query.filter) : null,
    query.keys.map((key) => canonicalText(key)),
    query.outputs.map((output) => canonicalText(output)),
  ]);
}

/** The bucket families of a stream; conjunctions that are resolved alike share one. */
class FamilyRegistry {
  readonly #stream: StreamDocument;
  readonly #byText = new Map<string, BucketQuery>();

  constructor(stream: StreamDocument) {
    this.#stream = stream;
  }

  get list(): readonly BucketQuery[] {
    return [...this.#byText.values()];
  }

  register(resolution: Pick<BucketQuery, 'filter' | 'parameterCount' | 'components'>): string {
    const text = resolutionText(resolution);
    const known = this.#byText.get(text);
    if (known !== undefined) return known.bucket;
    const { name, priority } = this.#stream;
    const bucket = `${name}|${this.#byText.size}`;
    this.#byText.set(text, { ...resolution, definition: name, bucket, priority });
    return bucket;
  }
}
