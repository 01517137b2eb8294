import { matchesPattern } from '@sluice/model';
import type { CheckContext } from './check-context.ts';

/** A table that a pattern names, with what the checks look at. */
export interface CheckedTable {
  readonly relationId: string;
  readonly schema: string;
  readonly name: string;
  readonly isOwner: boolean;
  readonly isPublished: boolean;
  readonly ownsPublication: boolean;
  readonly maySelect: boolean;
  readonly mayUseSchema: boolean;
  readonly hasRowSecurity: boolean;
  readonly isUnlogged: boolean;
  readonly identity: 'd' | 'i' | 'f' | 'n';
  readonly hasPrimaryKey: boolean;
}

/** The ordinary tables that exist and match a pattern, whatever the role may do with them. */
export async function readCheckedTables(context: CheckContext): Promise<readonly CheckedTable[]> {
  const tables = await context.pool.queryCatalog<CheckedTable>(
    'Reading tables',
    `SELECT c.oid::text AS "relationId", n.nspname::text AS schema, c.relname::text AS name,
       pg_has_role(c.relowner, 'USAGE') AS "isOwner",
       EXISTS (SELECT FROM pg_catalog.pg_publication_tables p WHERE p.pubname = $1
         AND p.schemaname = n.nspname AND p.tablename = c.relname) AS "isPublished",
       EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.pubname = $1
         AND NOT p.puballtables AND pg_has_role(p.pubowner, 'USAGE')) AS "ownsPublication",
       has_table_privilege(c.oid, 'SELECT') AS "maySelect",
       has_schema_privilege(n.oid, 'USAGE') AS "mayUseSchema",
       c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))
         AS "hasRowSecurity",
       c.relpersistence = 'u' AS "isUnlogged", c.relreplident AS identity,
       EXISTS (SELECT FROM pg_catalog.pg_index i
         WHERE i.indrelid = c.oid AND i.indisprimary) AS "hasPrimaryKey"
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY n.nspname, c.relname`,
    [context.publication],
  );
  return tables.filter((table) =>
    context.patterns.some((pattern) => matchesPattern(pattern, table)),
  );
}
