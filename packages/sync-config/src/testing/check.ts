import type { JsonObject } from '@sluice/base';
import type { EvaluatedRow, SqliteType, SqliteValue, TableSchema } from '@sluice/model';
import { compileSyncConfig } from '../compile.ts';
import type { BucketPrefixes, ResolvedBuckets, StreamSubscription, SyncPlan } from '../contract.ts';
import { formatDiagnostic } from '../format-diagnostic.ts';

/** Helpers of this package's tests. */

export function compile(yaml: string, sourceSchema?: readonly TableSchema[]) {
  return compileSyncConfig(yaml, { defaultSchema: 'public', sourceSchema });
}

/** The plan of a config that has no errors; shows them otherwise. */
export function planOf(yaml: string): SyncPlan {
  const { plan, diagnostics } = compile(yaml);
  if (plan !== undefined) return plan;
  const texts = diagnostics.map((diagnostic) => formatDiagnostic(yaml, diagnostic, 'sync.yaml'));
  throw new Error(texts.join('\n'));
}

/** `code` and the text it points at, e.g. `UNKNOWN_FUNCTION: uper`. */
export function problems(yaml: string, sourceSchema?: readonly TableSchema[]): string[] {
  return compile(yaml, sourceSchema).diagnostics.map(
    ({ code, start, end }) => `${code}: ${yaml.slice(start, end)}`,
  );
}

export type Row = Readonly<Record<string, SqliteValue>>;

function tableOf(name: string, row: Row, schema = 'public'): TableSchema {
  const columns = Object.entries(row).map(([column, value]) => ({
    name: column,
    sqliteType: typeOf(value),
    sourceType: 'test',
  }));
  return { schema, name, columns };
}

function typeOf(value: SqliteValue): SqliteType {
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return 'real';
  return typeof value === 'object' && value !== null ? 'blob' : 'text';
}

/** The same prefix for every definition of a plan. */
export function prefixesOf(plan: SyncPlan, prefix = '7#'): BucketPrefixes {
  return new Map(plan.definitions.map(({ hash }) => [hash, prefix]));
}

/** What a plan makes of a row of a table. */
export function evaluate(
  plan: SyncPlan,
  table: string,
  row: Row,
): EvaluatedRow & { readonly errors: readonly { message: string }[] } {
  const evaluator = plan.rowEvaluator(tableOf(table, row), prefixesOf(plan));
  return evaluator?.evaluate(Object.values(row)) ?? { outputs: [], lookups: [], errors: [] };
}

/** The buckets that a row is placed in, in order. */
export function bucketsOf(plan: SyncPlan, table: string, row: Row): string[] {
  return evaluate(plan, table, row).outputs.flatMap(({ buckets }) => buckets);
}

export interface TestRequest {
  readonly claims?: JsonObject;
  readonly parameters?: JsonObject;
  readonly includeDefaults?: boolean;
  readonly subscriptions?: readonly StreamSubscription[];
  /** Rows by table: what lookups are answered from. */
  readonly rows?: Readonly<Record<string, readonly Row[]>>;
  readonly maxResults?: number;
}

/** Resolves a request against the lookups that the rows given produce. */
export async function resolve(plan: SyncPlan, request: TestRequest): Promise<ResolvedBuckets> {
  const store = new Map<string, string[]>();
  for (const [table, rows] of Object.entries(request.rows ?? {})) {
    for (const row of rows) {
      for (const { key, values } of evaluate(plan, table, row).lookups) {
        store.set(key, [...(store.get(key) ?? []), values]);
      }
    }
  }
  const resolver = plan.resolver(
    {
      claims: request.claims ?? { sub: 'u1' },
      parameters: request.parameters ?? {},
      includeDefaults: request.includeDefaults ?? true,
      subscriptions: request.subscriptions ?? [],
    },
    prefixesOf(plan),
  );
  const lookup = (keys: readonly string[]) =>
    Promise.resolve(
      new Map(
        keys.flatMap((key) => (store.has(key) ? [[key, store.get(key) ?? []] as const] : [])),
      ),
    );
  return resolver.resolve(lookup, request.maxResults ?? 1000);
}

export async function bucketNames(plan: SyncPlan, request: TestRequest): Promise<string[]> {
  const { buckets } = await resolve(plan, request);
  return buckets.map(({ name }) => name).toSorted();
}

/**
 * The client rows a request ends up with: rows whose placement meets the request's buckets. Knows
 * nothing of how buckets are made, so it holds for any choice of families.
 */
export async function visibleRows(plan: SyncPlan, request: TestRequest): Promise<string[]> {
  const names = new Set(await bucketNames(plan, request));
  const visible = new Set<string>();
  for (const [table, rows] of Object.entries(request.rows ?? {})) {
    for (const row of rows) {
      for (const output of evaluate(plan, table, row).outputs) {
        if (output.buckets.some((bucket) => names.has(bucket))) {
          visible.add(`${output.objectType}/${output.objectId}`);
        }
      }
    }
  }
  return [...visible].toSorted();
}

/** A stream with one query, subscribed by default. */
export function stream(query: string, edition = 3): string {
  return `config: { edition: ${edition} }\nstreams:\n  s:\n    auto_subscribe: true\n    query: |\n      ${query}\n`;
}

/** A bucket definition of edition 1 without parameters and one data query. */
export function definition(data: string, parameters?: string, edition = 1): string {
  const lines = [`config: { edition: ${edition} }`, 'bucket_definitions:', '  d:'];
  if (parameters !== undefined) lines.push('    parameters: |', `      ${parameters}`);
  return [...lines, '    data:', '      - |', `        ${data}`, ''].join('\n');
}

/** The three languages of the spec's tables. */
export type Language = 'definitions' | 'alpha' | 'compiled';

/** A config of the language with one query over rows: a data query, or a stream. */
export function queryIn(language: Language, query: string): string {
  if (language === 'compiled') return stream(query);
  if (language === 'definitions') return definition(query);
  return stream(query).replace('edition: 3', 'edition: 2');
}

/** The codes that a query gives, without the one that every stream of edition 2 gives. */
export function codesIn(language: Language, query: string): string[] {
  const { diagnostics } = compile(queryIn(language, query));
  return diagnostics.map(({ code }) => code).filter((code) => code !== 'EDITION_UPGRADE');
}

/**
 * What an expression gives for a row: its JSON as a client gets it, `nothing` for a BLOB, or
 * `error: ...`.
 */
export function valueOf(yaml: string, row: Row): string {
  const { outputs, errors } = evaluate(planOf(yaml), 't', row);
  if (errors[0] !== undefined) return `error: ${errors[0].message}`;
  const data = outputs[0]?.data;
  if (data === undefined) return 'no row';
  return data === '{"id":"x"}' ? 'nothing' : data.replace(/^\{"id":"x","r":/, '').slice(0, -1);
}
