import type { EvaluatedRow, LookupEntry, RowOutput, SqliteRow, TableSchema } from '@sluice/model';
import { matchesPattern } from '@sluice/model';
import type { EvaluationError, RowEvaluator } from '../contract.ts';
import type { CompiledQueries, LookupQuery, RowQuery } from '../plan/queries.ts';
import { EvaluationFailure } from '../values/failure.ts';
import { linkLookup, type LinkedLookup } from './lookup-entries.ts';
import { linkOutput, type RowOutputWriter } from './row-output.ts';
import { linkSelection, type LinkContext, type Select } from './row-selection.ts';

type Evaluated = EvaluatedRow & { readonly errors: readonly EvaluationError[] };

/**
 * Compiles everything that reads a table, for the definitions with a prefix in `prefixes`, by name;
 * undefined when nothing does.
 */
export function linkRowEvaluator(
  queries: CompiledQueries,
  table: TableSchema,
  prefixes: ReadonlyMap<string, string>,
  context: LinkContext,
): RowEvaluator | undefined {
  const reads = ({ definition, pattern }: RowQuery | LookupQuery) =>
    prefixes.has(definition) && matchesPattern(pattern, table);
  const groups = groupByOutput(queries.rows.filter(reads), table, prefixes, context);
  const lookups = queries.lookups
    .filter(reads)
    .map((query) => linkLookup(query, table, prefixes.get(query.definition) ?? '', context));
  if (groups.length === 0 && lookups.length === 0) return undefined;
  return new LinkedRowEvaluator(groups, lookups);
}

/** Queries of one client table whose data is the same: the row is written once for all of them. */
interface OutputGroup {
  readonly objectType: string;
  readonly writer: RowOutputWriter;
  readonly queries: readonly LinkedQuery[];
  readonly sink: BucketSink;
  /** Another group may put the same client row, with other data, into the same bucket. */
  readonly overlaps: boolean;
}

/** What one query of the config does with a row: all of it, or nothing when something fails. */
interface LinkedQuery {
  readonly definition: string;
  readonly placements: readonly Placement[];
}

interface Placement {
  /** Up to and including the opening bracket. */
  readonly bucketStart: string;
  readonly select: Select;
}

function groupByOutput(
  queries: readonly RowQuery[],
  table: TableSchema,
  prefixes: ReadonlyMap<string, string>,
  context: LinkContext,
): OutputGroup[] {
  const groups = new Map<
    string,
    { objectType: string; writer: RowOutputWriter; queries: RowQuery[] }
  >();
  for (const query of queries) {
    const objectType = query.objectType ?? table.name;
    const writer = linkOutput(query, table, context.dialect);
    const identity = `${JSON.stringify(objectType)} ${writer.shape}`;
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, { objectType, writer, queries: [query] });
    else group.queries.push(query);
  }
  const list = [...groups.values()];
  return list.map(({ objectType, writer, queries: members }) => ({
    objectType,
    writer,
    queries: groupByQuery(members).map((parts) => ({
      definition: parts[0]?.definition ?? '',
      placements: parts.map((query) => ({
        bucketStart: `${prefixes.get(query.definition) ?? ''}${query.bucket}[`,
        select: linkSelection(query, table, context),
      })),
    })),
    sink: new BucketSink(mayRepeat(members)),
    overlaps: list.some(
      (other) =>
        other.writer !== writer &&
        other.objectType === objectType &&
        other.queries.some((query) => members.some((member) => member.bucket === query.bucket)),
    ),
  }));
}

function groupByQuery(rowQueries: readonly RowQuery[]): readonly (readonly RowQuery[])[] {
  const groups = new Map<string, RowQuery[]>();
  for (const rowQuery of rowQueries) {
    const identity = `${rowQuery.query} ${rowQuery.definition}`;
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, [rowQuery]);
    else group.push(rowQuery);
  }
  return [...groups.values()];
}

/** Whether a row may be put into one bucket twice. */
function mayRepeat(queries: readonly RowQuery[]): boolean {
  const names = new Set(queries.map(({ bucket }) => bucket));
  return names.size < queries.length || queries.some(({ expansions }) => expansions.length > 0);
}

/** Collects the bucket names of one row and group, each once. */
class BucketSink {
  bucketStart = '';
  buckets: string[] = [];
  readonly #mayRepeat: boolean;
  #seen: Set<string> | undefined;

  constructor(mayRepeat: boolean) {
    this.#mayRepeat = mayRepeat;
  }

  reset(): void {
    this.buckets = [];
    this.#seen = undefined;
  }

  add(keys: string): void {
    const bucket = `${this.bucketStart}${keys}]`;
    if (this.#mayRepeat && this.#isKnown(bucket)) return;
    this.buckets.push(bucket);
    this.#seen?.add(bucket);
  }

  /** Forgets what a query added before it failed. */
  truncate(length: number): void {
    this.buckets.length = length;
    this.#seen = undefined;
  }

  #isKnown(bucket: string): boolean {
    if (this.buckets.length < 16) return this.buckets.includes(bucket);
    this.#seen ??= new Set(this.buckets);
    return this.#seen.has(bucket);
  }
}

const NO_LOOKUPS: readonly LookupEntry[] = [];
const NO_ERRORS: readonly EvaluationError[] = [];

class LinkedRowEvaluator implements RowEvaluator {
  readonly #groups: readonly OutputGroup[];
  readonly #lookups: readonly LinkedLookup[];
  readonly #mayOverlap: boolean;

  constructor(groups: readonly OutputGroup[], lookups: readonly LinkedLookup[]) {
    this.#groups = groups;
    this.#lookups = lookups;
    this.#mayOverlap = groups.some((group) => group.overlaps);
  }

  evaluate(row: SqliteRow): Evaluated {
    const outputs: RowOutput[] = [];
    const errors: EvaluationError[] = [];
    for (const group of this.#groups) this.#place(group, row, outputs, errors);
    const lookups = this.#lookups.length === 0 ? NO_LOOKUPS : this.#lookUp(row, errors);
    return {
      outputs: this.#mayOverlap ? keepLast(outputs) : outputs,
      lookups,
      errors: errors.length === 0 ? NO_ERRORS : errors,
    };
  }

  #place(group: OutputGroup, row: SqliteRow, outputs: RowOutput[], errors: EvaluationError[]) {
    const { sink } = group;
    sink.reset();
    for (const query of group.queries) {
      const before = sink.buckets.length;
      try {
        for (const placement of query.placements) {
          sink.bucketStart = placement.bucketStart;
          placement.select(row, sink);
        }
      } catch (error) {
        sink.truncate(before);
        errors.push(evaluationError(error, query.definition));
      }
    }
    if (sink.buckets.length === 0) return;
    try {
      outputs.push({
        objectType: group.objectType,
        objectId: group.writer.objectId(row),
        data: group.writer.data(row),
        buckets: sink.buckets,
      });
    } catch (error) {
      for (const { definition } of group.queries) {
        errors.push(evaluationError(error, definition));
      }
    }
  }

  #lookUp(row: SqliteRow, errors: EvaluationError[]): readonly LookupEntry[] {
    const entries: LookupEntry[] = [];
    for (const lookup of this.#lookups) {
      const before = entries.length;
      try {
        lookup.collect(row, entries);
      } catch (error) {
        entries.length = before;
        errors.push(evaluationError(error, lookup.definition));
      }
    }
    return entries;
  }
}

function evaluationError(error: unknown, definition: string): EvaluationError {
  if (!(error instanceof EvaluationFailure)) throw error;
  return { definition, message: error.message };
}

/** Where two outputs are the same client row in the same bucket, the later one stands. */
function keepLast(outputs: readonly RowOutput[]): RowOutput[] {
  const taken = new Set<string>();
  const kept: RowOutput[] = [];
  for (const output of outputs.toReversed()) {
    const identity = `${JSON.stringify([output.objectType, output.objectId])} `;
    const buckets = output.buckets.filter((bucket) => !taken.has(identity + bucket));
    for (const bucket of buckets) taken.add(identity + bucket);
    if (buckets.length > 0) kept.push({ ...output, buckets });
  }
  return kept.toReversed();
}
