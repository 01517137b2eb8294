import { runStatements } from './statement-run.ts';
import type { WriteConnection } from './write-database.ts';

/** A table that uploads may change, as the catalog describes it now. */
export interface TargetTable {
  readonly schema: string;
  readonly name: string;
  /** Those that can be written. */
  readonly columns: ReadonlyMap<string, TargetColumn>;
  /** All of them, in their order, generated ones too. */
  readonly storedColumns: readonly TargetColumn[];
  /** The column that holds the client's row id; undefined when the table has none. */
  readonly idColumn: TargetColumn | undefined;
  /** Column sets that a unique index covers, the primary key first. */
  readonly uniqueKeys: readonly (readonly string[])[];
  /** Whether a trigger fires per statement, and so sees how writes are put together. */
  readonly hasStatementTriggers: boolean;
}

export interface TargetColumn {
  readonly name: string;
  /** What to cast a parameter to; without length limits, so that too long a value is an error. */
  readonly castType: string;
  /** The same with its modifiers, e.g. `numeric(6,2)`: what makes of a value that which is stored. */
  readonly storedType: string;
  /** Name of the type below any domains, e.g. `bool`, `jsonb`, `_int4`. */
  readonly baseType: string;
  readonly kind: 'plain' | 'array' | 'composite' | 'range';
  /** Name of an array's element type. */
  readonly elementType: string | undefined;
  readonly typeOid: number;
  readonly isGenerated: boolean;
  /** Whether equal values are those with equal bytes. */
  readonly isDeterministic: boolean;
}

interface CatalogRow {
  readonly table_name: string;
  readonly columns: readonly TargetColumn[];
  readonly unique_keys: readonly (readonly string[])[];
  readonly statement_triggers: boolean;
}

/** One JSON text per table. Tables only, no views. */
const CATALOG_QUERY = `
SELECT json_build_object('table_name', c.relname, 'columns', cols.columns, 'unique_keys', keys.unique_keys,
         'statement_triggers', EXISTS (SELECT FROM pg_catalog.pg_trigger g
           WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 1 = 0))
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
   SELECT coalesce(json_agg(json_build_object(
            'name', a.attname,
            'castType', pg_catalog.format_type(a.atttypid, -1),
            'storedType', pg_catalog.format_type(a.atttypid, a.atttypmod),
            'baseType', base.typname,
            'kind', CASE WHEN base.typcategory = 'A' THEN 'array' WHEN base.typtype = 'c' THEN 'composite'
                         WHEN base.typtype = 'r' THEN 'range' ELSE 'plain' END,
            'elementType', element.typname,
            'typeOid', a.atttypid::bigint,
            'isGenerated', a.attgenerated <> '',
            'isDeterministic', coalesce(coll.collisdeterministic, true)) ORDER BY a.attnum), '[]'::json) AS columns
     FROM pg_catalog.pg_attribute a
    CROSS JOIN LATERAL (
      WITH RECURSIVE below AS (
        SELECT t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype
          FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
         UNION ALL
        SELECT t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype
          FROM pg_catalog.pg_type t JOIN below ON t.oid = below.typbasetype AND below.typtype = 'd')
      SELECT typname, typtype, typcategory, typelem FROM below WHERE typtype <> 'd') base
     LEFT JOIN pg_catalog.pg_collation coll ON coll.oid = a.attcollation
     LEFT JOIN pg_catalog.pg_type element ON element.oid = base.typelem AND base.typcategory = 'A'
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) cols
 CROSS JOIN LATERAL (
   SELECT coalesce(json_agg(k.names ORDER BY i.indisprimary DESC, i.indexrelid), '[]'::json) AS unique_keys
     FROM pg_catalog.pg_index i
    CROSS JOIN LATERAL (
      SELECT json_agg(a.attname ORDER BY u.place) AS names
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u(attnum, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
       WHERE u.place <= i.indnkeyatts) k
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
      AND i.indpred IS NULL AND i.indexprs IS NULL) keys
 WHERE n.nspname = $1::name AND c.relkind IN ('r', 'p') AND c.relname IN (SELECT json_array_elements_text($2::json))`;

/** Reads the definitions of those of the named tables that exist. One query. */
export async function readTargetTables(
  connection: WriteConnection,
  schema: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, TargetTable>> {
  const values = [schema, JSON.stringify(names)];
  const [result] = await runStatements(connection, [{ text: CATALOG_QUERY, values }]);
  const tables = new Map<string, TargetTable>();
  for (const [json] of result?.rows ?? []) {
    const row = JSON.parse(json ?? '') as CatalogRow;
    tables.set(row.table_name, targetTable(schema, row));
  }
  return tables;
}

function targetTable(schema: string, row: CatalogRow): TargetTable {
  const writable = row.columns.filter((column) => !column.isGenerated);
  const columns = new Map(writable.map((column) => [column.name, column]));
  const onlyKey = row.unique_keys[0]?.length === 1 ? row.unique_keys[0][0] : undefined;
  return {
    schema,
    name: row.table_name,
    columns,
    storedColumns: row.columns,
    idColumn: columns.get('id') ?? columns.get(onlyKey ?? ''),
    uniqueKeys: row.unique_keys,
    hasStatementTriggers: row.statement_triggers,
  };
}
