import pg from 'pg';
import type { QueryArgument, QueryResult } from '@sluice/source';
import type { QueryPool } from './query-pool.ts';

/** More rows than this are left out: they would all have to fit into memory at once. */
const MAX_ROWS = 10_000;

/** Statements that a cursor can be opened for; others (SHOW, EXPLAIN) have short results anyway. */
const QUERY = /^\s*(select|with|values|table)\b/i;

/**
 * Runs one statement of an operator in a transaction that cannot write. Numbers, booleans and JSON
 * come as such; int8, numeric and everything else as the text that PostgreSQL writes.
 *
 * @throws SourceError as `QueryPool.query`.
 */
export function runReadOnly(
  pool: QueryPool,
  sql: string,
  args: readonly QueryArgument[],
): Promise<QueryResult> {
  return pool.withConnection('The query', async (client) => {
    await client.query('BEGIN READ ONLY');
    const isQuery = QUERY.test(sql);
    if (isQuery) await client.query(oneStatement(`DECLARE wanted CURSOR FOR ${sql}`, args));
    const result = await client.query<unknown[]>(
      isQuery ? oneStatement(`FETCH ${MAX_ROWS} FROM wanted`, []) : oneStatement(sql, args),
    );
    await client.query('ROLLBACK');
    return { columns: result.fields.map(({ name }) => name), rows: result.rows };
  });
}

/** The extended protocol takes one statement only, so none can end the transaction and go on. */
function oneStatement(text: string, args: readonly QueryArgument[]) {
  return {
    text,
    values: [...args],
    queryMode: 'extended',
    rowMode: 'array' as const,
    types: {
      getTypeParser: (oid: number) => (NATIVE.has(oid) ? pg.types.getTypeParser(oid) : String),
    },
  };
}

const { BOOL, INT2, INT4, OID, FLOAT4, FLOAT8, JSON, JSONB } = pg.types.builtins;
const NATIVE = new Set<number>([BOOL, INT2, INT4, OID, FLOAT4, FLOAT8, JSON, JSONB]);
