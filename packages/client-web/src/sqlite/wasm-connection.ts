import {
  DatabaseClosedError,
  SqlError,
  type SqliteConnection,
  type SqliteStatement,
  type SqlValue,
} from '@sluice/client';
import { OK, resultCodeName } from './result-codes.ts';
import type { Pointer, SqliteModule } from './sqlite-module.ts';
import { argumentValue, setResult } from './values.ts';
import { WasmStatement, type StatementOwner } from './wasm-statement.ts';

const CACHED_STATEMENTS = 256;
/** What may change, or change back, which columns a table has. */
const SCHEMA_CHANGE = /\b(?:CREATE|ALTER|DROP|ROLLBACK)\b/i;
const UTF8 = 1;
const DETERMINISTIC = 0x800;
const PREPARE_PERSISTENT = 1;
const OPEN_FLAGS = { readonly: 0x1, writable: 0x2 | 0x4 };

export interface OpenOptions {
  /** Name of the file as the VFS knows it. */
  readonly file: string;
  readonly vfs: string;
  readonly readonly: boolean;
  /** Hears of everything that SQLite refuses. */
  readonly onFailure?: ((failure: SqlError) => void) | undefined;
}

/** SQLite's WebAssembly module behind the client's contract. */
export class WasmConnection implements SqliteConnection, StatementOwner {
  readonly module: SqliteModule;
  #db: Pointer;
  /** In the order of their last use. */
  readonly #statements = new Map<string, WasmStatement>();
  /** Those that are compiled, and in no cache. */
  readonly #apart = new Set<WasmStatement>();

  readonly #onFailure: OpenOptions['onFailure'];

  private constructor(module: SqliteModule, db: Pointer, onFailure: OpenOptions['onFailure']) {
    this.module = module;
    this.#db = db;
    this.#onFailure = onFailure;
  }

  /** @throws SqlError */
  static open(
    module: SqliteModule,
    { file, vfs, readonly, onFailure }: OpenOptions,
  ): WasmConnection {
    const { exports } = module;
    const out = module.allocate(4);
    const name = module.ownText(file);
    const vfsName = module.ownText(vfs);
    try {
      const flags = readonly ? OPEN_FLAGS.readonly : OPEN_FLAGS.writable;
      const code = exports.sqlite3_open_v2(name, out, flags, vfsName);
      const connection = new WasmConnection(module, module.view.getUint32(out, true), onFailure);
      if (code !== OK) {
        const failure = connection.failure('');
        connection.close();
        throw failure;
      }
      exports.sqlite3_extended_result_codes(connection.db, 1);
      return connection;
    } finally {
      for (const pointer of [out, name, vfsName]) exports.sqlite3_free(pointer);
    }
  }

  get db(): Pointer {
    this.checkOpen();
    return this.#db;
  }

  /** @throws DatabaseClosedError */
  checkOpen(): void {
    if (this.#db === 0) throw new DatabaseClosedError();
  }

  get inTransaction(): boolean {
    return this.#db !== 0 && this.module.exports.sqlite3_get_autocommit(this.#db) === 0;
  }

  prepare(sql: string): SqliteStatement {
    this.checkOpen();
    const cached = this.#statements.get(sql);
    if (cached !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, cached);
      return cached;
    }
    const statement = new WasmStatement(this, sql);
    if (this.#forgetIfSchema(sql)) this.#apart.add(statement);
    else this.#cache(statement);
    return statement;
  }

  remember(statement: WasmStatement): void {
    const { sql } = statement;
    if (this.#statements.has(sql) || SCHEMA_CHANGE.test(sql)) this.#apart.add(statement);
    else this.#cache(statement);
  }

  exec(sql: string): void {
    const { db } = this;
    const { exports } = this.module;
    this.#forgetIfSchema(sql);
    const text = this.module.ownText(sql);
    try {
      if (exports.sqlite3_exec(db, text, 0, 0, 0) !== OK) throw this.failure(sql);
    } finally {
      exports.sqlite3_free(text);
    }
  }

  defineFunction(
    name: string,
    options: { readonly deterministic: boolean; readonly arguments: number },
    body: (...values: SqlValue[]) => SqlValue,
  ): void {
    const { db, module } = this;
    const { exports } = module;
    const call = module.callback('viii', (context: Pointer, count: number, values: Pointer) =>
      this.#callFunction(body, context, count, values),
    );
    const flags = UTF8 | (options.deterministic ? DETERMINISTIC : 0);
    const text = module.ownText(name);
    try {
      const { arguments: count } = options;
      const code = exports.sqlite3_create_function_v2(db, text, count, flags, 0, call, 0, 0, 0);
      if (code !== OK) throw this.failure('');
    } finally {
      exports.sqlite3_free(text);
    }
  }

  /** May be called twice. */
  close(): void {
    if (this.#db === 0) return;
    this.#forgetAll();
    const db = this.#db;
    this.#db = 0;
    this.module.exports.sqlite3_close_v2(db);
  }

  compile(sql: string): Pointer {
    const { db, module } = this;
    const { exports } = module;
    return module.withText(sql, (text, bytes) => {
      const out = exports.sqlite3_malloc(8);
      try {
        const end = text + bytes;
        const compiled = this.#compileFirst(db, text, end, out, sql);
        if (compiled === 0) throw misuse(sql, 'The text has no statement');
        try {
          this.#checkNothingFollows(db, module.view.getUint32(out + 4, true), end, out, sql);
        } catch (error) {
          exports.sqlite3_finalize(compiled);
          throw error;
        }
        return compiled;
      } finally {
        exports.sqlite3_free(out);
      }
    });
  }

  failure(sql: string): SqlError {
    const { exports } = this.module;
    const code = exports.sqlite3_extended_errcode(this.#db);
    const message = this.module.zeroTerminated(exports.sqlite3_errmsg(this.#db));
    const failure = new SqlError(resultCodeName(code), message, { sql });
    this.#onFailure?.(failure);
    return failure;
  }

  /** `out` has place for the statement's and the tail's addresses. */
  #compileFirst(db: Pointer, text: Pointer, end: Pointer, out: Pointer, sql: string): Pointer {
    const { exports } = this.module;
    const bytes = end - text + 1;
    const code = exports.sqlite3_prepare_v3(db, text, bytes, PREPARE_PERSISTENT, out, out + 4);
    if (code !== OK) throw this.failure(sql);
    return this.module.view.getUint32(out, true);
  }

  #checkNothingFollows(db: Pointer, tail: Pointer, end: Pointer, out: Pointer, sql: string): void {
    for (let from = tail; from < end; from = this.module.view.getUint32(out + 4, true)) {
      const next = this.#compileFirst(db, from, end, out, sql);
      if (next === 0) continue;
      this.module.exports.sqlite3_finalize(next);
      throw misuse(sql, 'The text has more than one statement');
    }
  }

  #callFunction(
    body: (...values: SqlValue[]) => SqlValue,
    context: Pointer,
    count: number,
    values: Pointer,
  ): void {
    const { module } = this;
    try {
      const given = Array.from({ length: count }, (_, at) =>
        argumentValue(module, module.view.getUint32(values + 4 * at, true)),
      );
      setResult(module, context, body(...given));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      module.withText(message, (pointer, bytes) =>
        module.exports.sqlite3_result_error(context, pointer, bytes),
      );
    }
  }

  /** A compiled statement keeps the columns that `*` stood for. */
  #forgetIfSchema(sql: string): boolean {
    const changesSchema = SCHEMA_CHANGE.test(sql);
    if (changesSchema) this.#forgetAll();
    return changesSchema;
  }

  #forgetAll(): void {
    for (const statement of this.#statements.values()) statement.release();
    for (const statement of this.#apart) statement.release();
    this.#statements.clear();
    this.#apart.clear();
  }

  #cache(added: WasmStatement): void {
    this.#statements.set(added.sql, added);
    if (this.#statements.size <= CACHED_STATEMENTS) return;
    for (const [sql, statement] of this.#statements) {
      this.#statements.delete(sql);
      statement.release();
      return;
    }
  }
}

function misuse(sql: string, message: string): SqlError {
  return new SqlError('SQLITE_MISUSE', message, { sql });
}
