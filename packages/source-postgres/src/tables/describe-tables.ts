import { SourceError } from '@sluice/base';
import type { TableFacts } from '@sluice/source';
import type { CheckContext } from '../checks/check-context.ts';
import { checkPoints } from '../checks/check-tables.ts';
import { readCheckedTables } from '../checks/checked-tables.ts';
import type { QueryPool } from '../connect/query-pool.ts';
import { quoteTable } from '../connect/quoting.ts';
import { readRelations, type RelationFacts } from './relation-facts.ts';
import { keyOf } from './source-tables.ts';

/** Up to here the rows of a table without statistics are counted, which takes some milliseconds. */
const MAX_COUNTED_ROWS = 100_000;
/** Of so many tables; beyond it an unknown size stays unknown. */
const MAX_COUNTED_TABLES = 50;

/** The existing tables that match, whether they are published or not. */
export async function describeTables(context: CheckContext): Promise<readonly TableFacts[]> {
  const { pool, publication } = context;
  const checked = await readCheckedTables(context);
  const ids = checked.map(({ relationId }) => relationId);
  const relations = new Map(
    (await readRelations(pool, publication, ids)).map((facts) => [facts.relationId, facts]),
  );
  let counted = 0;
  const described: TableFacts[] = [];
  for (const table of checked) {
    const facts = relations.get(table.relationId);
    if (facts === undefined) continue; // dropped meanwhile
    const mayCount = table.maySelect && table.mayUseSchema && counted < MAX_COUNTED_TABLES;
    const isUnknown = facts.estimatedRows < 0;
    if (isUnknown && mayCount) counted += 1;
    described.push({
      schema: table.schema,
      name: table.name,
      identityColumns: identityColumns(facts),
      estimatedRows: isUnknown
        ? mayCount
          ? await countRows(pool, table)
          : undefined
        : facts.estimatedRows,
      problems: checkPoints(context, [table]).filter(({ status }) => status !== 'ok'),
    });
  }
  return described;
}

function identityColumns(facts: RelationFacts): readonly string[] {
  const { identity, columns } = keyOf(facts);
  if (identity === 'full') return facts.columns.map(({ name }) => name);
  return identity === 'nothing' ? [] : columns;
}

/**
 * For a table that was never analysed: its exact count if it is small, else what the planner makes
 * of its size (for small tables that would be far off).
 */
async function countRows(
  pool: QueryPool,
  table: { readonly schema: string; readonly name: string },
): Promise<number | undefined> {
  const from = quoteTable(table);
  try {
    const [row] = await pool.query<{ count: string }>(
      'Counting rows',
      `SELECT count(*) AS count FROM (SELECT FROM ONLY ${from} LIMIT ${MAX_COUNTED_ROWS + 1}) AS sample`,
    );
    const count = Number(row?.count ?? 0);
    if (count <= MAX_COUNTED_ROWS) return count;
    const [plan] = await pool.query<{ 'QUERY PLAN': readonly [QueryPlan] }>(
      'Estimating rows',
      `EXPLAIN (FORMAT JSON) SELECT FROM ONLY ${from}`,
    );
    return Math.max(count, plan?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0);
  } catch (error) {
    // Dropped meanwhile, locked, or too slow: a size is not worth failing for.
    if (error instanceof SourceError) return undefined;
    throw error;
  }
}

interface QueryPlan {
  readonly Plan: { readonly 'Plan Rows': number };
}
