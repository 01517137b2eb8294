import type { IntegerMode } from './integer-mode.ts';

/**
 * A value that goes into SQLite or comes out of it. INTEGER comes out as `number` while it is exact
 * and as `bigint` beyond that, if no other mode is asked for; booleans go in as 1 and 0.
 */
export type SqlValue = null | number | bigint | string | Uint8Array;

export type SqlParameter = SqlValue | boolean;

export interface RunResult {
  /** Rows that the statement itself inserted, updated or deleted; not those of its triggers. */
  readonly changes: number;
  readonly lastInsertRowid: number | bigint;
}

/**
 * A compiled statement of one connection. Rows are arrays in column order, so that columns of the
 * same name stay apart. Parameters are bound by position.
 *
 * @throws SqlError whenever SQLite refuses.
 */
export interface SqliteStatement {
  readonly sql: string;
  /** Names of the result columns; empty for a statement without a result. */
  readonly columns: readonly string[];
  /** Whether it leaves the database as it is. */
  readonly readonly: boolean;
  all(parameters?: readonly SqlParameter[], integers?: IntegerMode): SqlValue[][];
  /** The first row. */
  get(parameters?: readonly SqlParameter[]): SqlValue[] | undefined;
  /** Rows as they are asked for; the connection is busy until the iteration ends. */
  iterate(parameters?: readonly SqlParameter[]): IterableIterator<SqlValue[]>;
  run(parameters?: readonly SqlParameter[]): RunResult;
}

/**
 * One SQLite connection, used by the thread that opened it, and synchronous: whoever needs it
 * elsewhere talks to that thread. Statements are cached by their text.
 */
export interface SqliteConnection {
  prepare(sql: string): SqliteStatement;
  /** Any number of statements without parameters or results. */
  exec(sql: string): void;
  readonly inTransaction: boolean;
  /** A scalar SQL function of this connection. */
  defineFunction(
    name: string,
    options: { readonly deterministic: boolean; readonly arguments: number },
    body: (...values: SqlValue[]) => SqlValue,
  ): void;
  close(): void;
}
