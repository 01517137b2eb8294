import type { ChangeSet } from '../changes/change-set.ts';
import type { CrudEntry } from '../crud/crud-entry.ts';
import { parseEntry } from '../crud/entry-values.ts';
import type {
  RunResult,
  SqliteConnection,
  SqliteStatement,
  SqlParameter,
  SqlValue,
} from '../driver/contract.ts';
import { integerIn, type IntegerMode } from '../driver/integer-mode.ts';
import { ClientError } from '../errors.ts';
import type { CompiledSchema } from '../schema/compiled-schema.ts';
import { quoteName } from '../schema/sql-text.ts';
import { commitChanges } from './commit-changes.ts';
import { normalizeParameters } from './parameters.ts';
import { statementKind } from './statement-kind.ts';

/** The tables that running a statement writes, in lower case: through triggers and foreign keys too. */
export type WrittenTables = (sql: string) => ReadonlySet<string>;

export interface StatementResult {
  /** Names of the result's columns, as often as they occur. */
  readonly columns: readonly string[];
  readonly rows: readonly SqlValue[][];
  /** Rows inserted, updated or deleted. */
  readonly rowsAffected: number;
  readonly insertId: number | bigint | undefined;
  /** What the statement committed; undefined inside a transaction, and for one that only reads. */
  readonly committed: ChangeSet | undefined;
}

export interface ExecuteOptions {
  /** How integers of the result come out, the insert id too; `auto` if left out. */
  readonly integers?: IntegerMode | undefined;
  /** The last thing of a transaction of the statement's own; it may refuse by throwing. */
  readonly beforeCommit?: ((result: StatementResult) => void) | undefined;
}

export interface WriterSessionOptions {
  readonly schema: CompiledSchema;
  readonly writtenTables: WrittenTables;
}

/** Entries of one transaction that are told row by row. */
const MAX_TOLD_ENTRIES = 1000;
const CLOSE = 'UPDATE sluice_tx SET open = 0, armed = 0 WHERE open = 1 RETURNING tx_id';
const NEWEST_ENTRIES = 'SELECT id, tx_id, data FROM sluice_crud ORDER BY id DESC';

/**
 * Runs the app's statements on the writer's connection, one transaction at a time, and tells what each commit changed.
 * Everything is synchronous; who waits for whom is decided above.
 */
export class WriterSession {
  readonly #connection: SqliteConnection;
  readonly #writtenTables: WrittenTables;
  #schema: CompiledSchema;
  #inTransaction = false;
  #written = new Set<string>();
  #mayReplace = false;

  constructor(connection: SqliteConnection, options: WriterSessionOptions) {
    this.#connection = connection;
    this.#writtenTables = options.writtenTables;
    this.#schema = options.schema;
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Whether the open transaction is still there: a statement that fails may have ended it (disk full, OR ROLLBACK). */
  get isIntact(): boolean {
    return this.#inTransaction && this.#connection.inTransaction;
  }

  /** After `installSchema` with another schema; not inside a transaction. */
  useSchema(schema: CompiledSchema): void {
    this.#schema = schema;
  }

  /**
   * Runs one statement: in the open transaction, or else in one of its own, of which nothing is kept if it fails
   * (not even with OR FAIL).
   *
   * @throws SqlError; ClientError `PARAMETER`, `TRANSACTION`
   */
  execute(
    sql: string,
    parameters: readonly unknown[] = [],
    { integers = 'auto', beforeCommit }: ExecuteOptions = {},
  ): StatementResult {
    const values = normalizeParameters(parameters);
    const kind = statementKind(sql);
    if (kind === 'transaction' || (kind === 'savepoint' && !this.#inTransaction)) {
      throw transactionError(
        'Transactions are begun and ended by the methods for them, not by SQL',
      );
    }
    if (this.#inTransaction) return this.#run(sql, values, integers);
    if (kind === 'outside' || this.#connection.prepare(sql).readonly) {
      return this.#run(sql, values, integers);
    }
    const { value, committed } = this.#inOwnTransaction(() => {
      const result = this.#run(sql, values, integers);
      beforeCommit?.(result);
      return result;
    });
    return { ...value, committed };
  }

  /** Runs a statement once for every set of parameters, all or nothing. */
  executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
    beforeCommit?: (rowsAffected: number) => void,
  ): { readonly rowsAffected: number; readonly committed: ChangeSet | undefined } {
    const sets = parameterSets.map(normalizeParameters);
    const runAll = () => {
      let rowsAffected = 0;
      for (const values of sets) rowsAffected += this.#run(sql, values).rowsAffected;
      return rowsAffected;
    };
    if (!this.#inTransaction) {
      const { value, committed } = this.#inOwnTransaction(() => {
        const rowsAffected = runAll();
        beforeCommit?.(rowsAffected);
        return rowsAffected;
      });
      return { rowsAffected: value, committed };
    }
    this.savepoint('sluice_batch');
    try {
      const rowsAffected = runAll();
      this.release('sluice_batch');
      return { rowsAffected, committed: undefined };
    } catch (error) {
      if (this.#connection.inTransaction) this.rollbackTo('sluice_batch');
      if (this.#connection.inTransaction) this.release('sluice_batch');
      throw error;
    }
  }

  begin(): void {
    if (this.#inTransaction) throw transactionError('A transaction is open already');
    this.#connection.exec('BEGIN IMMEDIATE');
    this.#inTransaction = true;
    this.#written = new Set();
    this.#mayReplace = false;
    // Other programs that wrote to the file may have left theirs open.
    this.#connection.prepare(CLOSE).get();
  }

  /** Commits; if SQLite refuses, or `beforeCommit` throws, everything is rolled back. */
  commit(beforeCommit?: () => void): ChangeSet {
    this.#mustBeOpen();
    try {
      beforeCommit?.();
      const closed = this.#connection.prepare(CLOSE).get();
      const entries = closed === undefined ? [] : this.#newestEntries(closed[0] ?? null);
      const facts = { entries, written: this.#written, mayReplace: this.#mayReplace };
      const changes = commitChanges(this.#schema, facts);
      this.#connection.exec('COMMIT');
      this.#inTransaction = false;
      return changes;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** May be called twice, and after an error that rolled back by itself. */
  rollback(): void {
    this.#inTransaction = false;
    if (this.#connection.inTransaction) this.#connection.exec('ROLLBACK');
  }

  savepoint(name: string): void {
    this.#mustBeOpen();
    this.#connection.exec(`SAVEPOINT ${quoteName(name)}`);
  }

  /** Undoes what came after the savepoint, which stays. */
  rollbackTo(name: string): void {
    this.#mustBeOpen();
    this.#connection.exec(`ROLLBACK TO ${quoteName(name)}`);
  }

  /** Forgets the savepoint and keeps what came after it. */
  release(name: string): void {
    this.#mustBeOpen();
    this.#connection.exec(`RELEASE ${quoteName(name)}`);
  }

  #inOwnTransaction<T>(body: () => T): { readonly value: T; readonly committed: ChangeSet } {
    this.begin();
    try {
      const value = body();
      return { value, committed: this.commit() };
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  #run(
    sql: string,
    values: readonly SqlParameter[],
    integers: IntegerMode = 'auto',
  ): StatementResult {
    if (this.#inTransaction) this.#mustBeOpen();
    const statement = this.#connection.prepare(sql);
    if (statement.readonly) return { ...NOTHING, ...rowsOf(statement, values, integers) };
    const written = this.#writtenTables(sql);
    // Noted beforehand, as a statement that fails may leave some of its rows (OR FAIL).
    for (const table of written) this.#written.add(table);
    this.#mayReplace ||= /\breplace\b/i.test(sql);
    const queuesOnly = this.#queuesOnly(written);
    const before = queuesOnly ? this.#sequence() : 0;
    const result =
      statement.columns.length > 0
        ? this.#runReturning(statement, values, integers)
        : { ...NOTHING, ...counted(statement.run(values), integers) };
    return queuesOnly ? { ...result, rowsAffected: this.#sequence() - before } : result;
  }

  /** RETURNING gives one row for each that it changed. */
  #runReturning(
    statement: SqliteStatement,
    values: readonly SqlParameter[],
    integers: IntegerMode,
  ): StatementResult {
    const result = rowsOf(statement, values, integers);
    const insertId = this.#connection.prepare('SELECT last_insert_rowid()').get()?.[0];
    return {
      ...NOTHING,
      ...result,
      rowsAffected: result.rows.length,
      insertId:
        typeof insertId === 'number' || typeof insertId === 'bigint'
          ? integerIn(integers, insertId)
          : undefined,
    };
  }

  /** Writes to an insert-only table; SQLite counts no rows for those, as it is a view. */
  #queuesOnly(written: ReadonlySet<string>): boolean {
    if (!written.has('sluice_crud')) return false;
    return [...written].every((name) => /^(sluice|sqlite)_/.test(name));
  }

  #sequence(): number {
    const sql = `SELECT seq FROM sqlite_sequence WHERE name = 'sluice_crud'`;
    return Number(this.#connection.prepare(sql).get()?.[0] ?? 0);
  }

  /** The entries of the transaction that ends, oldest first. */
  #newestEntries(current: SqlValue): readonly CrudEntry[] | 'many' {
    const entries: CrudEntry[] = [];
    for (const [id, transactionId, data] of this.#connection.prepare(NEWEST_ENTRIES).iterate()) {
      if (transactionId !== current) break;
      if (entries.length === MAX_TOLD_ENTRIES) return 'many';
      const queued = { id: Number(id), transactionId: Number(transactionId), data: String(data) };
      entries.push(parseEntry(queued));
    }
    return entries.toReversed();
  }

  #mustBeOpen(): void {
    if (!this.#inTransaction) throw transactionError('No transaction is open');
    if (this.#connection.inTransaction) return;
    throw transactionError('The transaction was rolled back when a statement failed');
  }
}

const NOTHING: StatementResult = {
  columns: [],
  rows: [],
  rowsAffected: 0,
  insertId: undefined,
  committed: undefined,
};

function rowsOf(
  statement: SqliteStatement,
  values: readonly SqlParameter[],
  integers: IntegerMode,
): Pick<StatementResult, 'columns' | 'rows'> {
  return { columns: statement.columns, rows: statement.all(values, integers) };
}

function counted(
  { changes, lastInsertRowid }: RunResult,
  integers: IntegerMode,
): Pick<StatementResult, 'rowsAffected' | 'insertId'> {
  return { rowsAffected: changes, insertId: integerIn(integers, lastInsertRowid) };
}

function transactionError(message: string): ClientError {
  return new ClientError('TRANSACTION', message);
}
