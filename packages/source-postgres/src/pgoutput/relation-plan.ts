import type { SourceTable } from '@sluice/source';
import type { ColumnType } from '../types/column-type.ts';
import type { TypeCatalog } from '../types/type-catalog.ts';
import type { RelationMessage } from './message.ts';

/** How changes of one table are decoded. */
export interface RelationPlan {
  /** Columns in the order in which the relation message names them. */
  readonly table: SourceTable;
  readonly columns: readonly ColumnType[];
}

/**
 * The plan for a relation whose types `types` knows already (`ensure` the oids of its columns).
 * With replica identity full, `primaryKey` names the columns that identify a row; rows have no key
 * when it is absent or names a column that is not replicated.
 */
export function planRelation(
  relation: RelationMessage,
  types: TypeCatalog,
  primaryKey: readonly string[] = [],
): RelationPlan {
  const columns = relation.columns.map((column) => types.columnType(column.typeOid));
  const table: SourceTable = {
    relationId: String(relation.relationOid),
    schema: relation.schema,
    name: relation.name,
    columns: relation.columns.map(({ name }, index) => ({
      name,
      sqliteType: columns[index]?.sqliteType ?? 'text',
      sourceType: columns[index]?.sourceType ?? '',
    })),
    keyColumns: keyColumns(relation, primaryKey),
    identity: relation.identity,
    // With identity full the old row brings every value that the new one leaves out.
    mayOmitValues: relation.identity !== 'full' && columns.some((column) => column.toastable),
  };
  return { table, columns };
}

function keyColumns(relation: RelationMessage, primaryKey: readonly string[]): number[] {
  const { columns, identity } = relation;
  if (identity === 'nothing') return [];
  if (identity !== 'full') return columns.flatMap(({ isKey }, index) => (isKey ? [index] : []));
  const indexes = primaryKey.map((name) => columns.findIndex((column) => column.name === name));
  return indexes.includes(-1) ? [] : indexes.sort((a, b) => a - b);
}
