import {
  DatabaseClosedError,
  integerIn,
  SqlError,
  type IntegerMode,
  type RunResult,
  type SqliteConnection,
  type SqliteStatement,
  type SqlParameter,
  type SqlValue,
} from '@sluice/client';
import type SqliteDatabase from 'better-sqlite3';
import { sqliteLibrary } from './sqlite-library.ts';

const CACHED_STATEMENTS = 256;
/** What may change, or change back, which columns a table has. */
const SCHEMA_CHANGE = /\b(?:CREATE|ALTER|DROP|ROLLBACK)\b/i;

/** better-sqlite3 behind the client's contract. */
export class BetterSqliteConnection implements SqliteConnection {
  readonly #db: SqliteDatabase.Database;
  /** In the order of their last use. */
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(db: SqliteDatabase.Database) {
    this.#db = db;
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  prepare(sql: string): SqliteStatement {
    const cached = this.#statements.get(sql);
    const statement =
      cached ?? new BetterSqliteStatement(guarded(sql, () => this.#db.prepare<unknown[]>(sql)));
    if (cached === undefined && this.#forgetIfSchema(sql)) return statement;
    this.#statements.delete(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > CACHED_STATEMENTS) this.#forgetOldest();
    return statement;
  }

  exec(sql: string): void {
    this.#forgetIfSchema(sql);
    guarded(sql, () => this.#db.exec(sql));
  }

  defineFunction(
    name: string,
    options: { readonly deterministic: boolean; readonly arguments: number },
    body: (...values: SqlValue[]) => SqlValue,
  ): void {
    // The library counts the arguments of the function that it is given.
    const counted = Object.defineProperty(
      (...values: unknown[]) => body(...convertRow(values as SqlValue[], 'auto')),
      'length',
      { value: options.arguments },
    );
    const { deterministic } = options;
    this.#db.function(name, { deterministic, safeIntegers: true, directOnly: false }, counted);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** A compiled statement keeps the columns that `*` stood for. */
  #forgetIfSchema(sql: string): boolean {
    const changesSchema = SCHEMA_CHANGE.test(sql);
    if (changesSchema) this.#statements.clear();
    return changesSchema;
  }

  #forgetOldest(): void {
    for (const sql of this.#statements.keys()) {
      this.#statements.delete(sql);
      return;
    }
  }
}

class BetterSqliteStatement implements SqliteStatement {
  readonly sql: string;
  readonly columns: readonly string[];
  readonly readonly: boolean;
  readonly #statement: SqliteDatabase.Statement;

  constructor(statement: SqliteDatabase.Statement) {
    this.#statement = statement;
    this.sql = statement.source;
    this.readonly = statement.readonly;
    this.columns = statement.reader ? statement.columns().map(({ name }) => name) : [];
    statement.safeIntegers(true);
    if (statement.reader) statement.raw(true);
  }

  all(parameters: readonly SqlParameter[] = [], integers: IntegerMode = 'auto'): SqlValue[][] {
    return guarded(this.sql, () => {
      if (this.columns.length === 0) {
        this.#statement.run(...bound(parameters));
        return [];
      }
      const rows = this.#statement.all(...bound(parameters)) as SqlValue[][];
      if (integers !== 'bigint') for (const row of rows) convertRow(row, integers);
      return rows;
    });
  }

  get(parameters: readonly SqlParameter[] = []): SqlValue[] | undefined {
    return guarded(this.sql, () => {
      const row = this.#statement.get(...bound(parameters)) as SqlValue[] | undefined;
      return row && convertRow(row, 'auto');
    });
  }

  *iterate(parameters: readonly SqlParameter[] = []): IterableIterator<SqlValue[]> {
    const rows = guarded(this.sql, () => this.#statement.iterate(...bound(parameters)));
    try {
      for (;;) {
        const next = guarded(this.sql, () => rows.next());
        if (next.done === true) return;
        yield convertRow(next.value as SqlValue[], 'auto');
      }
    } finally {
      rows.return?.();
    }
  }

  run(parameters: readonly SqlParameter[] = []): RunResult {
    return guarded(this.sql, () => {
      const { changes, lastInsertRowid } = this.#statement.run(...bound(parameters));
      return { changes, lastInsertRowid: integerIn('auto', lastInsertRowid) };
    });
  }
}

function bound(parameters: readonly SqlParameter[]): readonly unknown[] {
  return parameters.map((value) => {
    if (typeof value === 'boolean') return value ? 1n : 0n;
    return isInteger(value) ? BigInt(value) : value;
  });
}

/** The library binds every `number` as REAL, so that a TEXT column would get `5.0`. */
function isInteger(value: SqlValue): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

/** From a row in which every integer is a `bigint`. */
function convertRow(row: SqlValue[], integers: IntegerMode): SqlValue[] {
  for (let index = 0; index < row.length; index++) {
    const value = row[index];
    if (typeof value === 'bigint') row[index] = integerIn(integers, value);
  }
  return row;
}

/** Runs calls of the library; what SQLite refuses becomes a `SqlError`. */
export function guarded<T>(sql: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof sqliteLibrary().SqliteError) {
      throw new SqlError(error.code, error.message, { sql, cause: error });
    }
    if (error instanceof TypeError && error.message.includes('connection is not open')) {
      throw new DatabaseClosedError();
    }
    throw new SqlError('SQLITE_MISUSE', error instanceof Error ? error.message : String(error), {
      sql,
      cause: error,
    });
  }
}
