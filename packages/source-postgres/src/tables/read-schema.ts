import type { TableSchema } from '@sluice/model';
import type { QueryPool } from '../connect/query-pool.ts';
import type { TypeCatalog } from '../types/type-catalog.ts';

interface SchemaRow {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly typeOid: number }[];
}

/**
 * All ordinary tables, partitions included, that the role may select from, whether published or not;
 * without system schemas and temporary tables. Columns in the order of the table.
 */
export async function readSchema(
  pool: QueryPool,
  types: TypeCatalog,
): Promise<readonly TableSchema[]> {
  const tables = await pool.query<SchemaRow>(
    'Reading the schema',
    `SELECT n.nspname::text AS schema, c.relname::text AS name,
       (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'typeOid', a.atttypid::int8)
            ORDER BY a.attnum), '[]')
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
     FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
     ORDER BY n.nspname, c.relname`,
  );
  const oids = tables.flatMap(({ columns }) => columns.map(({ typeOid }) => typeOid));
  await types.ensure((sql) => pool.query('Reading types', sql), oids, { refresh: true });
  return tables.map(({ schema, name, columns }) => ({
    schema,
    name,
    columns: columns.map((column) => {
      const { sqliteType, sourceType } = types.columnType(column.typeOid);
      return { name: column.name, sqliteType, sourceType };
    }),
  }));
}
