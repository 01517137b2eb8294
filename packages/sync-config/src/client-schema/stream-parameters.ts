import { matchesPattern, type TableSchema } from '@sluice/model';
import { REQUEST_SOURCE, type Expression } from '../expr/expression.ts';
import { inferTypes } from '../expr/infer-types.ts';
import { ANY_JSON, INTEGER, REAL, TEXT, UNKNOWN, type ValueTypes } from '../expr/value-types.ts';
import type {
  BucketQuery,
  CompiledQueries,
  KeyValue,
  LookupQuery,
  RowSelection,
  Step,
} from '../plan/queries.ts';
import { must } from '@sluice/base';
import type { StreamParameter } from './client-schema.ts';
import { rowTypes } from './row-types.ts';

/** One use of a parameter. Without `types` it is more than a match with a column. */
interface Use {
  readonly name: string;
  readonly types?: ValueTypes | undefined;
  readonly isList?: boolean | undefined;
}

/**
 * The subscription parameters that the queries of a stream read under a literal name, typed from
 * what they are matched with; by name. Source: spec/sync-config.md 17.5.
 */
export function streamParameters(
  queries: CompiledQueries,
  sourceSchema: readonly TableSchema[],
): readonly StreamParameter[] {
  const byName = new Map<string, Use[]>();
  for (const use of queries.buckets.flatMap((bucket) => usesIn(bucket, queries, sourceSchema))) {
    byName.set(use.name, [...(byName.get(use.name) ?? []), use]);
  }
  return [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, uses]) => ({ name, ...commonType(uses) }));
}

function commonType(uses: readonly Use[]): Omit<StreamParameter, 'name'> {
  const isList = uses.every((use) => use.isList === true);
  const any = { type: 'any', isList: false } as const;
  if (!isList && uses.some((use) => use.isList === true)) return any;
  if (uses.some((use) => use.types === undefined)) return any;
  const types = uses.reduce((all, use) => all | (use.types ?? UNKNOWN), UNKNOWN);
  if (types === TEXT) return { type: 'text', isList };
  if (types === INTEGER) return { type: 'integer', isList };
  return types === REAL || types === (REAL | INTEGER) ? { type: 'real', isList } : any;
}

function usesIn(
  bucket: BucketQuery,
  queries: CompiledQueries,
  sourceSchema: readonly TableSchema[],
): readonly Use[] {
  const keyTypes = (selections: readonly RowSelection[], index: number): ValueTypes =>
    selections.reduce((all, selection) => all | typesOfKey(selection, index, sourceSchema), 0);
  const rows = queries.rows.filter((row) => row.bucket === bucket.bucket);
  const lookups = new Map(queries.lookups.map((lookup) => [lookup.id, lookup]));
  const components = bucket.components.flatMap(({ steps, results }) => {
    const matches = [
      ...steps.flatMap((step) => lookupMatches(step, lookups, keyTypes)),
      ...results.map(({ position, value }) => ({ value, types: keyTypes(rows, position) })),
    ];
    return [
      ...matches.flatMap(({ value, types }) => matchUses(value, types, steps)),
      ...steps.flatMap((step) => stepUses(step)),
    ];
  });
  return [...(bucket.filter ? looseUses(bucket.filter) : []), ...components];
}

interface Match {
  readonly value: KeyValue;
  readonly types: ValueTypes;
}

function lookupMatches(
  step: Step,
  lookups: ReadonlyMap<string, LookupQuery>,
  keyTypes: (selections: readonly RowSelection[], index: number) => ValueTypes,
): readonly Match[] {
  if (step.kind !== 'lookup') return [];
  const lookup = must(lookups.get(step.id), 'the lookup of a step');
  return step.keys.map((value, index) => ({ value, types: keyTypes([lookup], index) }));
}

function typesOfKey(
  selection: RowSelection,
  index: number,
  sourceSchema: readonly TableSchema[],
): ValueTypes {
  const key = selection.keys[index];
  const tables = sourceSchema.filter((table) => matchesPattern(selection.pattern, table));
  if (key === undefined || tables.length === 0) return ANY_JSON;
  return tables.reduce(
    (all, table) => all | (inferTypes(key, rowTypes(selection, table)) || ANY_JSON),
    UNKNOWN,
  );
}

/** The uses in a value that is matched with a key of these types. */
function matchUses(value: KeyValue, types: ValueTypes, steps: readonly Step[]): readonly Use[] {
  if (value.kind !== 'request') return [];
  const direct = parameterRead(value.value);
  if (direct !== undefined)
    return [{ name: direct.name, types: direct.isWhole ? types : undefined }];
  const list = listOfElement(value.value, steps);
  return list === undefined ? looseUses(value.value) : [{ name: list, types, isList: true }];
}

/** The parameter whose elements `json_each` gives as this very expression. */
function listOfElement(expression: Expression, steps: readonly Step[]): string | undefined {
  if (expression.kind !== 'column' || expression.column !== 'value') return undefined;
  for (const step of steps) {
    if (step.kind !== 'each' || step.expansion.source !== expression.source) continue;
    const read = parameterRead(step.expansion.input);
    return read?.isWhole ? read.name : undefined;
  }
  return undefined;
}

function stepUses(step: Step): readonly Use[] {
  if (step.kind === 'filter') return looseUses(step.condition);
  if (step.kind === 'lookup') return [];
  // A list that nothing is matched with is anything; where it is, this adds nothing.
  const read = parameterRead(step.expansion.input);
  if (read === undefined) return looseUses(step.expansion.input);
  return read.isWhole ? [{ name: read.name, types: UNKNOWN, isList: true }] : [{ name: read.name }];
}

/** Uses where nothing is known of the value that is wanted. */
function looseUses(expression: Expression): readonly Use[] {
  const read = parameterRead(expression);
  if (read !== undefined) return [{ name: read.name }];
  return expression.kind === 'call' ? expression.args.flatMap(looseUses) : [];
}

const READERS = new Set(['parameter', '->', '->>', 'json_extract']);

/** `subscription.parameter('x')` and its equals; not whole: only a part of `x` is read. */
function parameterRead(
  expression: Expression,
): { readonly name: string; readonly isWhole: boolean } | undefined {
  if (expression.kind !== 'call' || !READERS.has(expression.name)) return undefined;
  const [document, key] = expression.args;
  if (document?.kind !== 'column' || document.source !== REQUEST_SOURCE) return undefined;
  if (document.column !== 'subscription' || key?.kind !== 'constant') return undefined;
  if (typeof key.value !== 'string') return undefined;
  if (!key.value.startsWith('$')) return { name: key.value, isWhole: expression.name !== '->' };
  const [, name, ...deeper] = key.value.split('.');
  return name === undefined
    ? undefined
    : { name, isWhole: deeper.length === 0 && expression.name !== '->' };
}
