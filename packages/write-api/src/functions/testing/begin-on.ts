import type pg from 'pg';
import type { BeginTransaction } from '../call-database.ts';

/** Transactions on a pool of plain connections, as the store of the write API opens them. */
export function beginOn(pool: pg.Pool): BeginTransaction {
  return async (caller) => {
    const connection = await pool.connect();
    let isCommitted = false;
    await connection.query('BEGIN');
    await connection.query(
      "SELECT set_config('sluice.user_id', $1, true), set_config('request.jwt.claims', $2, true)",
      [caller?.userId ?? '', JSON.stringify(caller?.claims ?? {})],
    );
    return {
      async query(sql, parameters = []) {
        const { rows, rowCount } = await connection.query(sql, [...parameters]);
        return { rows, rowCount: rowCount ?? 0 };
      },
      async commit() {
        await connection.query('COMMIT');
        isCommitted = true;
      },
      async [Symbol.asyncDispose]() {
        connection.release(!isCommitted);
      },
    };
  };
}
