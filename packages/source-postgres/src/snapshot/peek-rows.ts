import type { PeekedRows, PeekRows } from '@sluice/source';
import type { SqliteRow } from '@sluice/model';
import type { QueryPool } from '../connect/query-pool.ts';
import { WireConnection } from '../connect/wire-connection.ts';
import { readRelations } from '../tables/relation-facts.ts';
import { ensureTypes, sourceTable } from '../tables/source-tables.ts';
import { TypeCatalog } from '../types/type-catalog.ts';
import { typeOptions } from '../types/type-options.ts';
import { copyRows } from './copy-rows.ts';
import { planSnapshot } from './snapshot-query.ts';

export interface PeekContext {
  readonly pool: QueryPool;
  readonly publication: string;
  readonly snapshotTimeoutMs: number;
  readonly signal: AbortSignal;
}

const ROWS_PER_BATCH = 2000;

/** Reads rows as a snapshot would, with the columns and the condition of the publication. */
export async function peekRows(
  context: PeekContext,
  request: PeekRows,
): Promise<PeekedRows | undefined> {
  const { pool, publication } = context;
  const found = await findTable(pool, publication, request);
  if (found === undefined) return undefined;
  const [facts] = await readRelations(pool, publication, [found.relationId]);
  if (facts === undefined) return undefined;
  const types = new TypeCatalog(typeOptions(request.values));
  await ensureTypes(pool, types, [facts]);
  const table = sourceTable(facts, types);
  const { isReplicated } = found;
  if (request.limit === 0) return { table, isReplicated, rows: [], hasMore: true };
  const plan = planSnapshot(table, facts, types);
  // One more than wanted tells whether there are more.
  const sql = plan.copyEqualSql(request.where ?? new Map(), request.limit + 1);
  const rows: SqliteRow[] = [];
  await using connection = await WireConnection.open(pool.settings, {
    replication: false,
    signal: context.signal,
  });
  for await (const batch of copyRows(connection, {
    sql,
    decoders: plan.decoders,
    maxRows: ROWS_PER_BATCH,
    maxBytes: Number.MAX_SAFE_INTEGER,
    timeoutMs: context.snapshotTimeoutMs,
  })) {
    for (const row of batch) rows.push(row.slice(0, plan.columnCount));
  }
  const hasMore = rows.length > request.limit;
  return { table, isReplicated, rows: rows.slice(0, request.limit), hasMore };
}

async function findTable(
  pool: QueryPool,
  publication: string,
  { schema, name }: PeekRows,
): Promise<{ readonly relationId: string; readonly isReplicated: boolean } | undefined> {
  const [found] = await pool.queryCatalog<{ relationId: string; isReplicated: boolean }>(
    'Looking for a table',
    `SELECT c.oid::text AS "relationId",
       EXISTS (SELECT FROM pg_catalog.pg_publication_tables p WHERE p.pubname = $3
         AND p.schemaname = n.nspname AND p.tablename = c.relname) AS "isReplicated"
     FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r'
       AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')`,
    [schema, name, publication],
  );
  return found;
}
