import { toAppError } from '@sluice/base';
import type { SourceCheck } from '@sluice/source';
import type { QueryPool } from '../connect/query-pool.ts';
import { ok } from './check-context.ts';
import type { CheckContext, CheckedRole, CheckOptions } from './check-context.ts';
import { checkPublication } from './check-publication.ts';
import {
  checkPrimary,
  checkRole,
  checkSlots,
  checkVersion,
  checkWalKeep,
  checkWalLevel,
  checkWalSenders,
} from './check-server.ts';
import { checkTables } from './check-tables.ts';
import { readCheckedTables } from './checked-tables.ts';

/**
 * Looks at everything that replication needs, in the order in which things are best put right. A
 * database that cannot be reached is the one point `connection`.
 */
export async function runChecks(
  pool: QueryPool,
  options: CheckOptions,
): Promise<readonly SourceCheck[]> {
  let context: CheckContext;
  try {
    context = await readCheckContext(pool, options);
  } catch (error) {
    const { message, remedy } = toAppError(error);
    return [{ name: 'connection', status: 'problem', message, remedy: [remedy] }];
  }
  const { database, host, port } = pool.settings;
  const checks: SourceCheck[] = [
    ok('connection', `Connected to ${database} at ${host}:${port} as ${context.role.name}`),
    checkVersion(context),
  ];
  if (checks.at(-1)?.status === 'problem') return checks; // older catalogs lack what follows
  const tables = await readCheckedTables(context);
  const publication = await checkPublication(context, tables);
  checks.push(
    await checkPrimary(context),
    await checkWalLevel(context),
    checkRole(context),
    await checkSlots(context),
    await checkWalSenders(context),
    await checkWalKeep(context),
    ...publication,
  );
  const hasPublication = publication[0]?.status === 'ok';
  for (const check of checkTables(context, tables)) {
    if (check.name === 'tables_published' && !hasPublication) continue; // said once is enough
    checks.push(check);
  }
  return checks;
}

/** What all checks need to know first. */
export async function readCheckContext(
  pool: QueryPool,
  options: CheckOptions,
): Promise<CheckContext> {
  const version = await pool.serverVersion();
  return { ...options, pool, version, role: await readRole(pool) };
}

async function readRole(pool: QueryPool): Promise<CheckedRole> {
  const [role] = await pool.query<CheckedRole>(
    'Reading the role',
    `SELECT r.rolname::text AS name, r.rolsuper AS "isSuperuser",
       r.rolsuper OR r.rolbypassrls AS "bypassesRls",
       r.rolsuper OR r.rolreplication OR EXISTS (SELECT FROM pg_catalog.pg_roles g
         WHERE g.rolname = 'rds_replication' AND pg_has_role(g.oid, 'MEMBER')) AS "mayReplicate",
       has_database_privilege(current_database(), 'CREATE') AS "mayCreate"
     FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`,
  );
  return (
    role ?? {
      name: '',
      isSuperuser: false,
      mayReplicate: false,
      bypassesRls: false,
      mayCreate: false,
    }
  );
}
