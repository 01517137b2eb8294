import { matchesPattern, type TablePattern } from '@sluice/model';
import type { SourceTable } from '@sluice/source';
import type { QueryPool } from '../connect/query-pool.ts';
import type { RelationMessage } from '../pgoutput/message.ts';
import { planRelation, type RelationPlan } from '../pgoutput/relation-plan.ts';
import type { TypeCatalog } from '../types/type-catalog.ts';
import { requirePublication } from './publication.ts';
import { publishedRelations, readRelations, type RelationFacts } from './relation-facts.ts';

/** The key of a table: where it comes from, and its columns by name in index order. */
export interface TableKey {
  readonly identity: SourceTable['identity'];
  readonly columns: readonly string[];
}

/**
 * Which columns identify a row. With replica identity `full` or `nothing` the primary key still
 * does, if there is one. A key with a column that is not published is none.
 */
export function keyOf(facts: RelationFacts): TableKey {
  const published = new Set(facts.columns.map((column) => column.name));
  const usable = (columns: readonly string[]) =>
    columns.every((column) => published.has(column)) ? columns : [];
  const primaryKey = usable(facts.primaryKey);
  switch (facts.replicaIdentity) {
    case 'd':
      return { identity: primaryKey.length > 0 ? 'default' : 'nothing', columns: primaryKey };
    case 'i': {
      const columns = usable(facts.identityIndex);
      return columns.length > 0
        ? { identity: 'index', columns }
        : { identity: 'nothing', columns: primaryKey }; // the index was dropped
    }
    case 'f':
      return { identity: 'full', columns: primaryKey };
    case 'n':
      return { identity: 'nothing', columns: primaryKey };
  }
}

/**
 * Key columns as indexes into the row, ascending: the change stream tells which columns belong to
 * the key, but not their order in the index, and both ways must give a row the same key.
 */
function keyIndexes(columns: readonly { name: string }[], key: readonly string[]): number[] {
  return key
    .map((name) => columns.findIndex((column) => column.name === name))
    .filter((index) => index >= 0)
    .sort((a, b) => a - b);
}

/** The table as the contract describes it. The types of its columns must be loaded. */
export function sourceTable(facts: RelationFacts, types: TypeCatalog): SourceTable {
  const key = keyOf(facts);
  return {
    relationId: facts.relationId,
    schema: facts.schema,
    name: facts.name,
    columns: facts.columns.map(({ name, typeOid }) => {
      const { sqliteType, sourceType } = types.columnType(typeOid);
      return { name, sqliteType, sourceType };
    }),
    keyColumns: keyIndexes(facts.columns, key.columns),
    identity: key.identity,
    mayOmitValues: mayOmitValues(facts, types),
  };
}

/**
 * The table that a relation message describes, told like `sourceTable`: the message has the columns
 * as of the changes that follow, the catalog has what messages lack. `facts` is undefined when the
 * table has been dropped since.
 */
export function planTable(
  relation: RelationMessage,
  facts: RelationFacts | undefined,
  types: TypeCatalog,
): RelationPlan {
  const { table, columns } = planRelation(relation, types, facts?.primaryKey);
  const byPrimaryKey =
    table.identity === 'nothing' && facts
      ? keyIndexes(relation.columns, keyOf(facts).columns)
      : table.keyColumns;
  const identity =
    table.identity !== 'full' && table.keyColumns.length === 0 ? 'nothing' : table.identity;
  const mayOmit = table.mayOmitValues && facts?.hasToast !== false;
  return {
    table: { ...table, identity, keyColumns: byPrimaryKey, mayOmitValues: mayOmit },
    columns,
  };
}

/** With identity full the old row brings every value that the new one leaves out. */
function mayOmitValues(facts: RelationFacts, types: TypeCatalog): boolean {
  if (!facts.hasToast || facts.replicaIdentity === 'f') return false;
  return facts.columns.some(({ typeOid }) => types.columnType(typeOid).toastable);
}

/** Loads the types of all columns of some tables. */
export async function ensureTypes(
  pool: QueryPool,
  types: TypeCatalog,
  facts: readonly RelationFacts[],
): Promise<void> {
  const oids = facts.flatMap(({ columns }) => columns.map(({ typeOid }) => typeOid));
  await types.ensure((sql) => pool.query('Reading types', sql), oids, { refresh: true });
}

/**
 * The published tables that match any of the patterns, by schema and name.
 *
 * @throws SourceError those of `requirePublication`: without it, an empty list means nothing.
 */
export async function listSourceTables(
  pool: QueryPool,
  types: TypeCatalog,
  options: { readonly publication: string; readonly patterns: readonly TablePattern[] },
): Promise<readonly SourceTable[]> {
  await requirePublication(pool, options.publication);
  const published = await publishedRelations(pool, options.publication);
  const matching = published.filter((table) =>
    options.patterns.some((pattern) => matchesPattern(pattern, table)),
  );
  const ids = matching.map(({ relationId }) => relationId);
  const facts = await readRelations(pool, options.publication, ids);
  await ensureTypes(pool, types, facts);
  return facts.map((table) => sourceTable(table, types));
}
