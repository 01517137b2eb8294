import { matchesPattern, type SqliteRow, type TableSchema } from '@sluice/model';
import { linkRowEvaluator } from '../evaluate/row-evaluator.ts';
import type { LinkContext } from '../evaluate/row-selection.ts';
import type { CompiledEvent } from '../events/event-query.ts';
import type { CompiledQueries, LookupQuery, RowQuery } from '../plan/queries.ts';
import { splitKeyTexts } from '../values/key-text.ts';
import { writtenSql } from './as-written.ts';
import { describeLookup } from './describe-lookup.ts';
import { explainEvents } from './explain-events.ts';
import type { PlacedBucket, RowExplanation, RowLookup, RowPlacement } from './explanation.ts';
import { keyLiteral, keyLiterals } from './key-values.ts';
import { whyNotSelected } from './why-not-selected.ts';

export interface RowToExplain {
  readonly table: TableSchema;
  readonly row: SqliteRow;
  /** By definition name; queries of others are left out. */
  readonly prefixes: ReadonlyMap<string, string>;
  readonly context: LinkContext;
}

/**
 * Says of every query that reads the table where it puts the row, or why nowhere.
 *
 * What happens is asked of the evaluator that replication uses, once per query; only the reasons are
 * worked out here.
 */
export function explainRow(
  queries: Pick<CompiledQueries, 'rows' | 'lookups'>,
  events: readonly CompiledEvent[],
  subject: RowToExplain,
): RowExplanation {
  const reads = ({ definition, pattern }: RowQuery | LookupQuery) =>
    subject.prefixes.has(definition) && matchesPattern(pattern, subject.table);
  const rows = queries.rows.filter(reads);
  const failing = new Set(
    rows.filter((query) => evaluate({ rows: [query] }, subject).error).map(queryId),
  );
  return {
    placements: rows.map((query) => explainPlacement(query, failing.has(queryId(query)), subject)),
    lookups: queries.lookups.filter(reads).map((query) => explainLookup(query, subject)),
    events: explainEvents(events, subject),
  };
}

/** Alternatives of one query share this. */
function queryId({ definition, query }: RowQuery): string {
  return `${query} ${definition}`;
}

function evaluate(
  { rows = [], lookups = [] }: Partial<Pick<CompiledQueries, 'rows' | 'lookups'>>,
  { table, row, prefixes, context }: RowToExplain,
) {
  const evaluator = linkRowEvaluator({ rows, lookups, buckets: [] }, table, prefixes, context);
  const result = evaluator?.evaluate(row);
  return {
    objectId: result?.outputs[0]?.objectId,
    buckets: result?.outputs.flatMap(({ buckets }) => buckets) ?? [],
    entries: result?.lookups ?? [],
    error: result?.errors[0]?.message,
  };
}

function explainPlacement(query: RowQuery, fails: boolean, subject: RowToExplain): RowPlacement {
  const { buckets, objectId, error } = evaluate({ rows: [query] }, subject);
  const { definition, bucket: family } = query;
  const objectType = query.objectType ?? subject.table.name;
  const start = `${subject.prefixes.get(definition) ?? ''}${family}[`;
  const base = {
    definition,
    query: query.query,
    objectType,
    objectId: undefined,
    family,
    buckets: [],
  };
  if (error !== undefined) return { ...base, whyNot: [{ kind: 'error', message: error }] };
  if (buckets.length === 0) return { ...base, whyNot: whyNotSelected(query, [], subject) };
  if (fails) return { ...base, whyNot: [{ kind: 'failed query' }] };
  const placed = buckets.map((name) => placedBucket(name, start, query, subject.context));
  return { ...base, objectId, buckets: placed, whyNot: [] };
}

function placedBucket(
  name: string,
  start: string,
  { keys }: RowQuery,
  { dialect }: LinkContext,
): PlacedBucket {
  const values = keyLiterals(`[${name.slice(start.length)}`);
  return {
    name,
    keys: keys.map((key, i) => ({ sql: writtenSql(key, dialect), value: values[i] ?? 'NULL' })),
  };
}

function explainLookup(query: LookupQuery, subject: RowToExplain): RowLookup {
  const { entries, error } = evaluate({ lookups: [query] }, subject);
  const { definition } = query;
  const start = `${subject.prefixes.get(definition) ?? ''}${query.id}[`;
  const base = { definition, lookup: describeLookup(query, subject.context.dialect) };
  if (entries.length > 0) {
    const literals = entries.map(({ key, values }) => ({
      keys: keyLiterals(`[${key.slice(start.length)}`),
      outputs: splitKeyTexts(values).map(keyLiteral),
    }));
    return { ...base, entries: literals, whyNot: [] };
  }
  const needed = query.nullableOutputs ? [] : query.outputs;
  const whyNot =
    error === undefined
      ? whyNotSelected(query, needed, subject)
      : [{ kind: 'error' as const, message: error }];
  return { ...base, entries: [], whyNot };
}
