import type { QueryPool } from '../connect/query-pool.ts';

/** What the catalog says now of one table. */
export interface RelationFacts {
  readonly relationId: string;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relreplident. */
  readonly replicaIdentity: 'd' | 'i' | 'f' | 'n';
  /** Without a TOAST table no value is ever stored out of line, so none can be left out. */
  readonly hasToast: boolean;
  /** From the statistics, for the size that the table has now; negative when there are none. */
  readonly estimatedRows: number;
  /** Published columns in the order in which the change stream carries them. */
  readonly columns: readonly ColumnFacts[];
  /** Names of key columns, in the order of the index; empty when there is none. */
  readonly primaryKey: readonly string[];
  readonly identityIndex: readonly string[];
  /** Condition of the publication for this table, SQL over its columns. */
  readonly rowFilter: string | null;
}

export interface ColumnFacts {
  readonly name: string;
  readonly typeOid: number;
  /** The type as SQL names it, without length or precision. */
  readonly sqlType: string;
}

export interface RelationName {
  readonly relationId: string;
  readonly schema: string;
  readonly name: string;
}

/** The permanent ordinary tables (partitions among them, their roots not) of a publication. */
export async function publishedRelations(
  pool: QueryPool,
  publication: string,
): Promise<readonly RelationName[]> {
  return pool.queryCatalog<RelationName>(
    'Listing the tables of the publication',
    `SELECT c.oid::text AS "relationId", n.nspname::text AS schema, c.relname::text AS name
     FROM pg_catalog.pg_publication_tables p
     JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
     JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
     WHERE p.pubname = $1 AND c.relkind = 'r' AND c.relpersistence = 'p'
     ORDER BY n.nspname, c.relname`,
    [publication],
  );
}

/**
 * Reads the facts of some tables, as far as they still exist. Columns and condition are those of the
 * publication; for a table outside it, all that would be published.
 */
export async function readRelations(
  pool: QueryPool,
  publication: string,
  relationIds: readonly string[],
): Promise<readonly RelationFacts[]> {
  if (relationIds.length === 0) return [];
  const sql = relationsSql(await pool.serverVersion());
  return pool.queryCatalog<RelationFacts>('Reading table definitions', sql, [
    relationIds,
    publication,
  ]);
}

/**
 * One rule for generated columns: a snapshot shows what the stream shows. Before PostgreSQL 18 the
 * stream never has them; since then the publication says which, and lists them among its columns.
 */
function relationsSql(version: number): string {
  const hasColumnLists = version >= 150_000;
  const published = hasColumnLists
    ? `(p.attnames IS NULL OR a.attname = ANY (p.attnames))`
    : 'true';
  const generated =
    version >= 180_000 ? `(a.attgenerated = '' OR p.attnames IS NOT NULL)` : `a.attgenerated = ''`;
  return `
    SELECT c.oid::text AS "relationId", n.nspname::text AS schema, c.relname::text AS name,
      c.relreplident AS "replicaIdentity", c.reltoastrelid <> 0 AS "hasToast",
      CASE WHEN c.reltuples > 0 AND c.relpages > 0
        THEN round(c.reltuples::float8 / c.relpages * (pg_catalog.pg_relation_size(c.oid)
          / pg_catalog.current_setting('block_size')::int))
        WHEN c.reltuples = 0 AND pg_catalog.pg_relation_size(c.oid) > 0 THEN -1
        ELSE c.reltuples::float8 END AS "estimatedRows",
      ${hasColumnLists ? 'p.rowfilter' : 'NULL::text'} AS "rowFilter",
      (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'typeOid', a.atttypid::int8,
           'sqlType', pg_catalog.format_type(a.atttypid, -1)) ORDER BY a.attnum), '[]')
       FROM pg_catalog.pg_attribute a
       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         AND ${generated} AND ${published}) AS columns,
      ${indexColumns('indisprimary')} AS "primaryKey",
      ${indexColumns('indisreplident')} AS "identityIndex"
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_publication_tables p
      ON p.pubname = $2 AND p.schemaname = n.nspname AND p.tablename = c.relname
    WHERE c.oid = ANY ($1::oid[])
    ORDER BY n.nspname, c.relname`;
}

function indexColumns(flag: 'indisprimary' | 'indisreplident'): string {
  return `(SELECT coalesce(json_agg(a.attname ORDER BY k.place), '[]')
       FROM pg_catalog.pg_index i
       CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
       JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
       WHERE i.indrelid = c.oid AND i.${flag} AND k.place <= i.indnkeyatts)`;
}
