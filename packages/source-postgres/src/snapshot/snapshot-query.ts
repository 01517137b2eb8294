import { SourceError } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { SourceTable } from '@sluice/source';
import { quoteLiteral, quoteName, quoteTable } from '../connect/quoting.ts';
import { keyOf } from '../tables/source-tables.ts';
import type { ColumnFacts, RelationFacts } from '../tables/relation-facts.ts';
import type { TypeCatalog } from '../types/type-catalog.ts';
import type { DecodeSlice } from '../types/text-slice.ts';
import { utf8Slice } from '../types/utf8.ts';

/** The reading of one table, planned; SQL that is the same for every chunk. */
export interface SnapshotPlan {
  /** One for each selected column; the table's own come first. */
  readonly decoders: readonly DecodeSlice[];
  /** How many of the selected columns belong to the row. */
  readonly columnCount: number;
  /** Where in a copied row the key values are, in the order of the key's index. */
  readonly keyPlaces: readonly number[];
  /** The query for up to `limit` rows behind a key; the whole table, unordered, without a limit. */
  copySql(range: { after: readonly string[] | undefined; limit: number } | undefined): string;
  /** Places of the key's columns in the consumer's rows, in the order of the key's index. */
  readonly keyColumns: readonly number[];
  /** The query for the rows that have one of these keys, given as text in that order. */
  copyKeysSql(keys: readonly (readonly string[])[]): string;
  /**
   * The query for up to `limit` rows that equal these texts, by column.
   *
   * @throws SourceError `SOURCE_TABLE_CHANGED` for a column that does not exist.
   */
  copyEqualSql(texts: ReadonlyMap<string, string>, limit: number): string;
}

/** Types whose values say as text exactly what was read, so they can be given back as a boundary. */
const EXACT_AS_TEXT = new Set([20, 21, 23, 25, 26, 1043, 2950]); // int8 int2 int4 text oid varchar uuid

/**
 * Plans the reading of `table` with the columns that the consumer knows; their types are as in the
 * catalog now and must be loaded.
 *
 * @throws SourceError `SOURCE_TABLE_CHANGED` when a column does not exist any more.
 */
export function planSnapshot(
  table: SourceTable,
  facts: RelationFacts,
  types: TypeCatalog,
): SnapshotPlan {
  const byName = new Map(facts.columns.map((column) => [column.name, column]));
  const columns = table.columns.map(({ name }) => byName.get(name) ?? columnGone(table, name));
  const key = keyOf(facts).columns.map((name) => byName.get(name) ?? columnGone(table, name));
  const expressions = columns.map(({ name, typeOid }) =>
    types.columnType(typeOid).copyExpression(quoteName(name)),
  );
  const decoders = columns.map(({ typeOid }) => types.columnType(typeOid).decodeCopied);
  const keyPlaces = key.map((column) => {
    const place = columns.indexOf(column);
    if (place >= 0 && EXACT_AS_TEXT.has(column.typeOid)) return place;
    // The output form of other types is read beside the value, because a decoded value may say less.
    decoders.push(utf8Slice);
    return expressions.push(`pg_catalog.format('%s', ${quoteName(column.name)})`) - 1;
  });
  const from = `FROM ONLY ${quoteTable(facts)} AS t`;
  // Qualified, because a bare name in ORDER BY means the selected expression of that name first.
  const order = key.map(({ name }) => `t.${quoteName(name)}`).join(', ');
  const copy = (conditions: readonly string[], tail: string): string => {
    const all = facts.rowFilter ? [`(${facts.rowFilter})`, ...conditions] : conditions;
    const where = all.length > 0 ? ` WHERE ${all.join(' AND ')}` : '';
    return `COPY (SELECT ${expressions.join(', ')} ${from}${where}${tail}) TO STDOUT (FORMAT binary)`;
  };
  return {
    decoders,
    columnCount: columns.length,
    keyPlaces,
    keyColumns: key.map(({ name }) => table.columns.findIndex((column) => column.name === name)),
    copySql(range) {
      const conditions = range?.after ? [`(${order}) > (${boundary(key, range.after)})`] : [];
      return copy(conditions, range ? ` ORDER BY ${order} LIMIT ${range.limit}` : '');
    },
    copyKeysSql(keys) {
      return copy(
        [`(${order}) IN (${keys.map((one) => `(${boundary(key, one)})`).join(', ')})`],
        '',
      );
    },
    copyEqualSql(texts, limit) {
      const conditions = [...texts].map(([name, text]) => {
        const { sqlType } = byName.get(name) ?? columnGone(table, name);
        return `t.${quoteName(name)} = ${quoteLiteral(text)}::${sqlType}`;
      });
      return copy(conditions, ` LIMIT ${limit}`);
    },
  };
}

/** The key of the last row of a chunk, as JSON, for continuing behind it. */
export function progressOf(plan: SnapshotPlan, row: readonly SqliteValue[]): string {
  return JSON.stringify(plan.keyPlaces.map((place) => String(row[place])));
}

/** @throws SourceError `SOURCE_TABLE_CHANGED` for progress of another key. */
export function parseProgress(progress: string, plan: SnapshotPlan): readonly string[] {
  const values: unknown = JSON.parse(progress);
  if (
    !Array.isArray(values) ||
    values.length !== plan.keyPlaces.length ||
    !values.every((value) => typeof value === 'string')
  ) {
    throw new SourceError('SOURCE_TABLE_CHANGED', 'The key of the table is no longer the same');
  }
  return values;
}

function boundary(key: readonly ColumnFacts[], after: readonly string[]): string {
  return key.map(({ sqlType }, i) => `${quoteLiteral(after[i] ?? '')}::${sqlType}`).join(', ');
}

function columnGone(table: SourceTable, column: string): never {
  throw new SourceError(
    'SOURCE_TABLE_CHANGED',
    `Column ${column} of ${table.schema}.${table.name} does not exist any more or is not published`,
  );
}
