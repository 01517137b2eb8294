import {
  integerIn,
  SqlError,
  type IntegerMode,
  type RunResult,
  type SqliteStatement,
  type SqlParameter,
  type SqlValue,
} from '@sluice/client';
import { DONE, OK, ROW } from './result-codes.ts';
import type { Pointer, SqliteModule } from './sqlite-module.ts';
import { bindValue, columnValue } from './values.ts';

/** What a statement needs of its connection. */
export interface StatementOwner {
  /** @throws DatabaseClosedError */
  checkOpen(): void;
  readonly module: SqliteModule;
  /** @throws DatabaseClosedError */
  readonly db: Pointer;
  /** Compiles the text, which is one statement. */
  compile(sql: string): Pointer;
  /** The error that SQLite told last. */
  failure(sql: string): SqlError;
  /** A statement that was released is compiled again. */
  remember(statement: WasmStatement): void;
}

/**
 * A statement that its connection may forget at any time to free memory (`release`); whoever still holds it has it compiled anew by its
 * next use.
 */
export class WasmStatement implements SqliteStatement {
  readonly sql: string;
  readonly #owner: StatementOwner;
  #statement: Pointer;
  #columns: readonly string[];
  #parameters: number;
  #readonly: boolean;
  #isBusy = false;
  #isReleased = false;

  constructor(owner: StatementOwner, sql: string) {
    this.#owner = owner;
    this.sql = sql;
    this.#statement = owner.compile(sql);
    const { exports } = owner.module;
    this.#columns = this.#columnNames();
    this.#parameters = exports.sqlite3_bind_parameter_count(this.#statement);
    this.#readonly = exports.sqlite3_stmt_readonly(this.#statement) !== 0;
  }

  get columns(): readonly string[] {
    return this.#columns;
  }

  get readonly(): boolean {
    return this.#readonly;
  }

  all(parameters: readonly SqlParameter[] = [], integers: IntegerMode = 'auto'): SqlValue[][] {
    return this.#execute(parameters, (statement) => {
      const rows: SqlValue[][] = [];
      while (this.#step(statement)) rows.push(this.#row(statement, integers));
      return rows;
    });
  }

  get(parameters: readonly SqlParameter[] = []): SqlValue[] | undefined {
    return this.#execute(parameters, (statement) =>
      this.#step(statement) ? this.#row(statement) : undefined,
    );
  }

  *iterate(parameters: readonly SqlParameter[] = []): IterableIterator<SqlValue[]> {
    const statement = this.#begin(parameters);
    try {
      while (this.#step(statement)) yield this.#row(statement);
    } finally {
      this.#end(statement);
    }
  }

  run(parameters: readonly SqlParameter[] = []): RunResult {
    const { module, db } = this.#owner;
    const { exports } = module;
    return this.#execute(parameters, (statement) => {
      const before = exports.sqlite3_total_changes(db);
      while (this.#step(statement));
      const hasChanged = exports.sqlite3_total_changes(db) !== before;
      return {
        changes: hasChanged ? exports.sqlite3_changes(db) : 0,
        lastInsertRowid: integerIn('auto', exports.sqlite3_last_insert_rowid(db)),
      };
    });
  }

  /** Frees SQLite's memory for it, at once or at the end of its execution. */
  release(): void {
    this.#isReleased = true;
    if (this.#isBusy || this.#statement === 0) return;
    this.#owner.module.exports.sqlite3_finalize(this.#statement);
    this.#statement = 0;
  }

  #execute<T>(parameters: readonly SqlParameter[], body: (statement: Pointer) => T): T {
    const statement = this.#begin(parameters);
    try {
      return body(statement);
    } finally {
      this.#end(statement);
    }
  }

  #begin(parameters: readonly SqlParameter[]): Pointer {
    if (this.#isBusy) throw this.#misuse('The statement is in the middle of another execution');
    this.#owner.checkOpen();
    if (this.#statement === 0) {
      this.#statement = this.#owner.compile(this.sql);
      this.#columns = this.#columnNames();
      this.#isReleased = false;
      this.#owner.remember(this);
    }
    if (parameters.length !== this.#parameters) {
      throw this.#misuse(
        `The statement has ${this.#parameters} parameters, and ${parameters.length} values are given`,
      );
    }
    for (const [at, value] of parameters.entries()) this.#bind(at + 1, value);
    this.#isBusy = true;
    return this.#statement;
  }

  #bind(at: number, value: SqlParameter): void {
    let code: number;
    try {
      code = bindValue(this.#owner.module, this.#statement, at, value);
    } catch (error) {
      throw this.#misuse(error instanceof Error ? error.message : String(error), error);
    }
    if (code !== OK) throw this.#owner.failure(this.sql);
  }

  #step(statement: Pointer): boolean {
    const code = this.#owner.module.exports.sqlite3_step(statement);
    if (code === ROW) return true;
    if (code === DONE) return false;
    throw this.#owner.failure(this.sql);
  }

  #row(statement: Pointer, integers: IntegerMode = 'auto'): SqlValue[] {
    const { module } = this.#owner;
    const { length } = this.#columns;
    const row: SqlValue[] = [];
    for (let at = 0; at < length; at++) row.push(columnValue(module, statement, at, integers));
    return row;
  }

  #end(statement: Pointer): void {
    const { exports } = this.#owner.module;
    exports.sqlite3_reset(statement);
    if (this.#parameters > 0) exports.sqlite3_clear_bindings(statement);
    this.#isBusy = false;
    if (this.#isReleased) this.release();
  }

  #columnNames(): readonly string[] {
    const { exports } = this.#owner.module;
    return Array.from({ length: exports.sqlite3_column_count(this.#statement) }, (_, at) =>
      this.#owner.module.zeroTerminated(exports.sqlite3_column_name(this.#statement, at)),
    );
  }

  #misuse(message: string, cause?: unknown): SqlError {
    return new SqlError('SQLITE_MISUSE', message, { sql: this.sql, cause });
  }
}
