import type { SourceCheck } from '@sluice/source';
import { quoteName, quoteTable } from '../connect/quoting.ts';
import { ok, type CheckContext } from './check-context.ts';
import type { CheckedTable } from './checked-tables.ts';

interface PublicationRow {
  readonly isOwner: boolean;
  readonly missingKinds: readonly string[];
  readonly viaRoot: boolean;
}

/** The publication itself: that it exists, what kinds of changes it has, and for partitions. */
export async function checkPublication(
  context: CheckContext,
  tables: readonly CheckedTable[],
): Promise<readonly SourceCheck[]> {
  const [row] = await context.pool.query<PublicationRow>(
    'Reading the publication',
    `SELECT pg_has_role(p.pubowner, 'USAGE') AS "isOwner", p.pubviaroot AS "viaRoot",
       array_remove(ARRAY[CASE WHEN NOT p.pubinsert THEN 'insert' END,
         CASE WHEN NOT p.pubupdate THEN 'update' END, CASE WHEN NOT p.pubdelete THEN 'delete' END,
         CASE WHEN NOT p.pubtruncate THEN 'truncate' END], NULL) AS "missingKinds"
     FROM pg_catalog.pg_publication p WHERE p.pubname = $1`,
    [context.publication],
  );
  if (!row) return [missingPublication(context, tables)];
  return [
    ok('publication', `Publication ${context.publication} exists`),
    publishedKinds(context, row),
    viaRoot(context, row),
  ];
}

function missingPublication(context: CheckContext, tables: readonly CheckedTable[]): SourceCheck {
  const name = quoteName(context.publication);
  const forAll = `CREATE PUBLICATION ${name} FOR ALL TABLES`;
  const own = tables.filter((table) => !table.isUnlogged);
  const forOwn = `CREATE PUBLICATION ${name} FOR TABLE ${own.map(quoteTable).join(', ')}`;
  const mayForOwn = context.role.mayCreate && own.length > 0 && own.every(({ isOwner }) => isOwner);
  const fix = context.role.isSuperuser ? forAll : mayForOwn ? forOwn : undefined;
  return {
    name: 'publication',
    status: 'problem',
    message: `Publication ${context.publication} does not exist`,
    remedy: [`${fix ?? forAll};`],
    fix: fix === undefined ? undefined : [fix],
  };
}

function publishedKinds({ publication, role }: CheckContext, row: PublicationRow): SourceCheck {
  const name = 'publication_kinds';
  if (row.missingKinds.length === 0) return ok(name, 'All kinds of changes are published');
  const sql = `ALTER PUBLICATION ${quoteName(publication)} SET (publish = 'insert, update, delete, truncate')`;
  return {
    name,
    status: 'problem',
    message: `Publication ${publication} leaves out ${row.missingKinds.join(', ')}`,
    remedy: [`${sql};`],
    fix: row.isOwner || role.isSuperuser ? [sql] : undefined,
  };
}

function viaRoot({ publication, role }: CheckContext, row: PublicationRow): SourceCheck {
  const name = 'publication_via_root';
  if (!row.viaRoot) return ok(name, 'Partitions are published under their own names');
  const sql = `ALTER PUBLICATION ${quoteName(publication)} SET (publish_via_partition_root = false)`;
  return {
    name,
    status: 'problem',
    message: `Publication ${publication} publishes partitions under the name of their root`,
    remedy: [`${sql};`],
    fix: row.isOwner || role.isSuperuser ? [sql] : undefined,
  };
}
