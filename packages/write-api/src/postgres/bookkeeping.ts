import { AppError, type Logger } from '@sluice/base';
import type { RejectedWritesTable } from './rejected-writes.ts';
import { pruneSeen, UPLOADS_DDL } from './seen-uploads.ts';
import { sqlStateOf } from './sql-state.ts';
import { runStatements, type Statement } from './statement-run.ts';
import { withConnection, type WriteConnection, type WriteDatabase } from './write-database.ts';

export interface BookkeepingOptions {
  readonly rejected: RejectedWritesTable | undefined;
  /** Days in which a repeated upload is recognised. */
  readonly rememberDays: number;
  readonly logger: Logger;
}

const PRUNE_LIMIT = 10_000;
/** Bounds one turn; the next one goes on. */
const MAX_PRUNES = 1000;
/** Keeps processes that start together from making the tables at the same time. */
const SETUP_LOCK = '7169440121347095';
const LOCK_TIMEOUT = '5s';

/** Our own tables: makes them, and drops what is old. */
export class Bookkeeping {
  readonly #options: BookkeepingOptions;
  #isReady = false;

  constructor(options: BookkeepingOptions) {
    this.#options = options;
  }

  /**
   * Makes what is missing; free once it has succeeded.
   *
   * @throws AppError `UPLOAD_SETUP` where the role may not.
   */
  async ensure(connection: WriteConnection): Promise<void> {
    if (this.#isReady) return;
    const { rejected } = this.#options;
    const wanted = [
      ['sluice', 'uploads', UPLOADS_DDL] as const,
      ...(rejected ? [[rejected.schema, rejected.tableName, rejected.ddl] as const] : []),
    ];
    for (const [schema, table, ddl] of wanted) {
      if (await exists(connection, schema, table)) continue;
      await make(connection, ddl);
      this.#options.logger.info('write_api_table_made', { table: `${schema}.${table}` });
    }
    this.#isReady = true;
  }

  /** After an error: one of the tables may have been dropped. */
  doubt(error: unknown): void {
    if (['42P01', '3F000', '42703'].includes(sqlStateOf(error) ?? '')) this.#isReady = false;
  }

  /** Drops what is older than it needs to be. */
  async prune(database: WriteDatabase): Promise<void> {
    const { rejected, rememberDays } = this.#options;
    const statements = [
      pruneSeen(rememberDays, PRUNE_LIMIT),
      ...(rejected ? [rejected.prune(PRUNE_LIMIT)] : []),
    ];
    await withConnection(database, async (connection) => {
      await this.ensure(connection);
      for (const statement of statements) await repeat(connection, statement);
    });
  }
}

async function repeat(connection: WriteConnection, statement: Statement): Promise<void> {
  for (let left = MAX_PRUNES; left > 0; left -= 1) {
    const [result] = await runStatements(connection, [statement]);
    if ((result?.rowCount ?? 0) < PRUNE_LIMIT) return;
  }
}

async function exists(
  connection: WriteConnection,
  schema: string,
  table: string,
): Promise<boolean> {
  const text = `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::name AND c.relname = $2::name`;
  const [result] = await runStatements(connection, [{ text, values: [schema, table] }]);
  return result?.rowCount === 1;
}

async function make(connection: WriteConnection, ddl: readonly string[]): Promise<void> {
  const before = [
    { text: "SELECT set_config('lock_timeout', $1, true)", values: [LOCK_TIMEOUT] },
    { text: 'SELECT pg_advisory_xact_lock($1)', values: [SETUP_LOCK] },
  ];
  try {
    await runStatements(connection, [...before, ...ddl.map((text) => ({ text, values: [] }))]);
  } catch (cause) {
    if (sqlStateOf(cause) !== '42501') throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('UPLOAD_SETUP', `A table of the write API cannot be made: ${message}`, {
      cause,
      remedy: `Run as a role that may, and grant SELECT, INSERT, UPDATE, DELETE on it: ${ddl.join('; ')}`,
    });
  }
}
