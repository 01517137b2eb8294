import { EndListeners } from '../pipeline/end-listeners.ts';
import type { Caller, RowWrite, StoredRow } from '../pipeline/row-write.ts';
import type {
  RefusedOutcome,
  RejectedWrite,
  StoreTransaction,
  WriteKey,
  WriteOutcome,
} from '../pipeline/write-store.ts';
import { Rejection } from '../rejection.ts';
import { entryStatements, tableName, type Presence } from './entry-statement.ts';
import type { LiveSchema } from './live-schema.ts';
import type { RejectedWritesTable } from './rejected-writes.ts';
import { cellExpression, rowCells, writableTable, type WritableTable } from './row-cells.ts';
import { appQueryResult, parameterText, type AppQueryResult } from './app-query.ts';
import { claimSeen, noteOutcomes, seenOutcomes, selectSeen, unclaimed } from './seen-uploads.ts';
import { quoteName } from './sql-name.ts';
import { runStatements, type Statement, type StatementResult } from './statement-run.ts';
import type { StoredRowReader } from './stored-row.ts';
import type { TargetTable } from './target-table.ts';
import { giveBack, type WriteConnection } from './write-database.ts';

export interface PostgresTransactionOptions {
  /** This one's until it is disposed of, which releases it. */
  readonly connection: WriteConnection;
  /** First statement of the transaction. */
  readonly settings: Statement;
  readonly caller: Caller;
  readonly tables: ReadonlyMap<string, TargetTable>;
  /** Of the tables asked for, those that do not exist too. */
  readonly names: ReadonlySet<string>;
  readonly role: string | undefined;
  readonly schema: LiveSchema;
  readonly reader: StoredRowReader;
  readonly rejected: RejectedWritesTable | undefined;
  readonly onBookkeepingError: (error: unknown) => void;
}

const plain = (text: string): Statement => ({ text, values: [] });

/** A transaction in which entries are looked at one by one. */
export class PostgresTransaction implements StoreTransaction {
  readonly #options: PostgresTransactionOptions;
  /** Sent with the next statement. */
  #pending: Statement[] = [];
  #isEntryMarked = false;
  readonly #endListeners = new EndListeners();
  #isCommitted = false;
  statementCount = 0;

  constructor(options: PostgresTransactionOptions) {
    this.#options = options;
    this.#pending = [plain('BEGIN'), options.settings];
  }

  async claim(keys: readonly WriteKey[]): Promise<ReadonlyMap<WriteKey, WriteOutcome>> {
    if (keys.length === 0) return new Map();
    return this.#bookkeeping(async () => {
      const [claimed] = await this.#run(claimSeen(keys));
      const known = unclaimed(keys, claimed?.rows ?? []);
      if (known.length === 0) return new Map();
      const [result] = await this.#run(selectSeen(known));
      return seenOutcomes(known, result?.rows ?? []);
    });
  }

  readonly #runIn = (...statements: readonly Statement[]) => this.#run(...statements);

  normalize(write: RowWrite): Promise<RowWrite> {
    const table = this.#table(write.table);
    return this.#options.reader.normalize(this.#runIn, table, write);
  }

  stored(table: string, id: string): Promise<StoredRow> {
    return this.#options.reader.read(this.#runIn, this.#table(table), id);
  }

  async write(write: RowWrite, known?: { readonly stored: StoredRow }): Promise<void> {
    const { rejected, caller } = this.#options;
    if (write.table === rejected?.tableName) {
      await this.#changing(dismissal(write, rejected, caller));
      return;
    }
    const table = this.#table(write.table);
    const presence = presenceOf(known);
    for (const statement of entryStatements(write, table, presence)) {
      const [result] = await this.#asRole(statement);
      if ((result?.rowCount ?? 0) > 0) return;
    }
    if (this.#options.role !== undefined) await this.#checkHidden(write, table, presence);
  }

  async query(sql: string, parameters: readonly unknown[] = []): Promise<AppQueryResult> {
    const statement = { text: sql, values: parameters.map(parameterText), describe: true };
    const [result] = await this.#asRole(statement);
    return appQueryResult(result);
  }

  definition(table: string): TargetTable | undefined {
    return this.#options.tables.get(table);
  }

  onEnd(listener: (isCommitted: boolean) => void): void {
    this.#endListeners.add(listener);
  }

  mark(name: 'start' | 'entry'): void {
    // Two of the same name would lie in each other.
    if (name === 'entry' && this.#isEntryMarked) {
      this.#pending.push(plain('RELEASE SAVEPOINT sluice_entry'));
    }
    this.#isEntryMarked = name === 'entry';
    this.#pending.push(plain(`SAVEPOINT sluice_${name}`));
  }

  async undo(name: 'start' | 'entry'): Promise<void> {
    if (name === 'start') {
      this.#isEntryMarked = false;
      this.#endListeners.end(false);
    }
    await this.#run(plain(`ROLLBACK TO SAVEPOINT sluice_${name}`));
  }

  async checkAll(): Promise<void> {
    await this.#run(plain('SET CONSTRAINTS ALL IMMEDIATE'));
  }

  isStale(): Promise<boolean> {
    const { schema, connection, tables, names } = this.#options;
    return schema.isStale(connection, tables, names);
  }

  async commit(records: {
    readonly outcomes: ReadonlyMap<WriteKey, RefusedOutcome>;
    readonly rejected: readonly RejectedWrite[];
  }): Promise<void> {
    const { rejected, caller } = this.#options;
    await this.#bookkeeping(() =>
      this.#run(
        ...(records.outcomes.size > 0 ? [noteOutcomes(records.outcomes)] : []),
        ...(rejected && records.rejected.length > 0
          ? rejected.record(records.rejected, caller)
          : []),
        plain('COMMIT'),
      ),
    );
    this.#isCommitted = true;
    this.#endListeners.end(true);
  }

  /** Unless it has committed, the state of the connection is unknown: closing it also rolls back. */
  [Symbol.asyncDispose](): Promise<void> {
    giveBack(this.#options.connection, this.#isCommitted);
    return Promise.resolve();
  }

  /** A policy that hides a row changes none, and tells nobody. */
  async #checkHidden(write: RowWrite, table: WritableTable, presence: Presence): Promise<void> {
    if (write.op === 'PATCH' && write.values.size === 0) return;
    if (presence === 'absent') return;
    if (presence === 'unknown' && !(await this.#exists(write, table))) return;
    const message = `A row-level security policy of ${write.table} does not permit this ${write.op}`;
    throw new Rejection('UPLOAD_FORBIDDEN', message);
  }

  async #exists(write: RowWrite, table: WritableTable): Promise<boolean> {
    const [key] = rowCells({ ...write, op: 'DELETE' }, table);
    const where = `${quoteName(table.idColumn.name)} = ${cellExpression(key, 1)}`;
    const text = `SELECT FROM ${tableName(table)} WHERE ${where}`;
    const [result] = await this.#run({ text, values: [key.text] });
    return (result?.rowCount ?? 0) > 0;
  }

  #table(name: string): WritableTable {
    return writableTable(name, this.#options.tables.get(name));
  }

  /** The role ends with the statement; after an error, with going back to a mark. */
  async #asRole(statement: Statement): Promise<readonly StatementResult[]> {
    const { role } = this.#options;
    if (role === undefined) return this.#changing(statement);
    const [, ...results] = await this.#changing(
      { text: "SELECT set_config('role', $1, true)", values: [role] },
      statement,
      { text: "SELECT set_config('role', $1, true)", values: ['none'] },
    );
    return results;
  }

  #changing(...statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    this.statementCount += 1;
    return this.#run(...statements);
  }

  async #run(...statements: readonly Statement[]): Promise<readonly StatementResult[]> {
    const pending = this.#pending;
    this.#pending = [];
    const results = await runStatements(this.#options.connection, [...pending, ...statements]);
    return results.slice(pending.length);
  }

  async #bookkeeping<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#options.onBookkeepingError(error);
      throw error;
    }
  }
}

function presenceOf(known: { readonly stored: StoredRow } | undefined): Presence {
  if (known === undefined) return 'unknown';
  return known.stored === undefined ? 'absent' : 'present';
}

/** Refused writes are made by the server; whoever has seen one removes it. */
function dismissal(write: RowWrite, table: RejectedWritesTable, caller: Caller): Statement {
  if (write.op === 'DELETE') return table.dismiss(write.id, caller);
  throw new Rejection('UPLOAD_FORBIDDEN', `Rows of ${write.table} can only be deleted`);
}
