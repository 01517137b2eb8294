import type { UploadConnection } from './upload-database.ts';

/** A table that uploads may change, as the catalog describes it now. */
export interface TargetTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: ReadonlyMap<string, TargetColumn>;
  /** The column that holds the client's row id; undefined when the table has none. */
  readonly idColumn: TargetColumn | undefined;
  /** Column sets that a unique index covers, the primary key first. */
  readonly uniqueKeys: readonly (readonly string[])[];
}

export interface TargetColumn {
  readonly name: string;
  /** What to cast a parameter to; without length limits, so that too long a value is an error. */
  readonly castType: string;
  /** Name of the type below any domains, e.g. `bool`, `jsonb`, `_int4`. */
  readonly baseType: string;
  readonly kind: 'plain' | 'array' | 'composite' | 'range';
  /** Name of an array's element type. */
  readonly elementType: string | undefined;
}

interface CatalogRow {
  readonly table_name: string;
  readonly columns: readonly TargetColumn[];
  readonly unique_keys: readonly (readonly string[])[];
}

/** Tables only, no views; generated columns are left out, so that writing one is an unknown column. */
const CATALOG_QUERY = `
SELECT c.relname AS table_name, cols.columns, keys.unique_keys
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
   SELECT coalesce(json_agg(json_build_object(
            'name', a.attname,
            'castType', pg_catalog.format_type(a.atttypid, -1),
            'baseType', base.typname,
            'kind', CASE WHEN base.typcategory = 'A' THEN 'array' WHEN base.typtype = 'c' THEN 'composite'
                         WHEN base.typtype = 'r' THEN 'range' ELSE 'plain' END,
            'elementType', element.typname) ORDER BY a.attnum), '[]'::json) AS columns
     FROM pg_catalog.pg_attribute a
    CROSS JOIN LATERAL (
      WITH RECURSIVE below AS (
        SELECT t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype
          FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
         UNION ALL
        SELECT t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype
          FROM pg_catalog.pg_type t JOIN below ON t.oid = below.typbasetype AND below.typtype = 'd')
      SELECT typname, typtype, typcategory, typelem FROM below WHERE typtype <> 'd') base
     LEFT JOIN pg_catalog.pg_type element ON element.oid = base.typelem AND base.typcategory = 'A'
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') cols
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
 WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname = ANY ($2::name[])`;

/** Reads the definitions of those of the named tables that exist. One query. */
export async function readTargetTables(
  connection: UploadConnection,
  schema: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, TargetTable>> {
  const result = await connection.query(CATALOG_QUERY, [schema, names]);
  const tables = new Map<string, TargetTable>();
  for (const row of result.rows as unknown as readonly CatalogRow[]) {
    tables.set(row.table_name, targetTable(schema, row));
  }
  return tables;
}

function targetTable(schema: string, row: CatalogRow): TargetTable {
  const columns = new Map(row.columns.map((column) => [column.name, column]));
  const onlyKey = row.unique_keys[0]?.length === 1 ? row.unique_keys[0][0] : undefined;
  return {
    schema,
    name: row.table_name,
    columns,
    idColumn: columns.get('id') ?? columns.get(onlyKey ?? ''),
    uniqueKeys: row.unique_keys,
  };
}
