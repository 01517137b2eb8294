import type { Clock, Logger } from '@sluice/base';
import type { Caller } from '../pipeline/row-write.ts';
import type {
  KeyedWrite,
  RefusedOutcome,
  WholeResult,
  WriteKey,
  WriteStore,
} from '../pipeline/write-store.ts';
import { Rejection } from '../rejection.ts';
import type { RejectedWritesConfig } from '../config/write-api-config.ts';
import { Bookkeeping } from './bookkeeping.ts';
import { LiveSchema, type OnTables } from './live-schema.ts';
import { mergedStatements, type TableWrite } from './merged-statements.ts';
import { PostgresTransaction } from './postgres-transaction.ts';
import { RejectedWritesTable } from './rejected-writes.ts';
import { writableTable } from './row-cells.ts';
import { insertSeen, seenOutcomes, selectSeen } from './seen-uploads.ts';
import { isCollision, isStalePlan, isViolationOf, rejectionOf } from './sql-state.ts';
import { runStatements, type Statement } from './statement-run.ts';
import { StoredRowReader } from './stored-row.ts';
import { transactionSettings } from './transaction-settings.ts';
import {
  giveBack,
  takeConnection,
  withConnection,
  type WriteConnection,
  type WriteDatabase,
} from './write-database.ts';

export interface PostgresStoreOptions {
  readonly database: WriteDatabase;
  readonly schema: string;
  /** Writes run as this role. */
  readonly role: string | undefined;
  readonly rejectedWrites: RejectedWritesConfig | undefined;
  readonly rememberDays: number;
  readonly statementTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onTables?: OnTables | undefined;
}

/** PostgreSQL as a database that takes writes. */
export class PostgresStore implements WriteStore {
  readonly #options: PostgresStoreOptions;
  readonly #schema: LiveSchema;
  readonly #reader = new StoredRowReader();
  readonly #rejected: RejectedWritesTable | undefined;
  readonly #bookkeeping: Bookkeeping;

  constructor(options: PostgresStoreOptions) {
    this.#options = options;
    const { schema, rejectedWrites, rememberDays, logger, clock, onTables } = options;
    this.#schema = new LiveSchema(schema, clock, onTables);
    this.#rejected = rejectedWrites && new RejectedWritesTable(schema, rejectedWrites);
    this.#bookkeeping = new Bookkeeping({ rejected: this.#rejected, rememberDays, logger });
  }

  isCollision(error: unknown): boolean {
    return isCollision(error) || isStalePlan(error);
  }

  refusalOf(error: unknown): RefusedOutcome | undefined {
    const rejection = rejectionOf(error);
    // It says nothing about the entry: the work is done again on another connection.
    if (rejection === undefined || isStalePlan(error)) return undefined;
    const { code, message, sqlState, row, reason } = rejection;
    const status = code === 'UPLOAD_CONFLICT' ? 'conflict' : 'rejected';
    return { status, code: reason ?? code, message, sqlState, row };
  }

  /** One round trip when all goes well. */
  async applyWhole(writes: readonly KeyedWrite[], caller: Caller): Promise<WholeResult> {
    // Whether a policy hid rows is known only afterwards, which here is after the commit.
    if (this.#options.role !== undefined) return { kind: 'refused' };
    const own = this.#rejected?.tableName;
    if (writes.some(({ write }) => write.table === own)) return { kind: 'refused' };
    const keys = writes.flatMap(({ key }) => (key === undefined ? [] : [key]));
    return withConnection(this.#options.database, async (connection) => {
      const changes = await this.#mergedStatements(connection, writes);
      if (changes === undefined) return { kind: 'refused' };
      const statements = [
        transactionSettings(caller, this.#options.statementTimeoutMs),
        ...(keys.length > 0 ? [insertSeen(keys)] : []),
        ...changes,
      ];
      try {
        await runStatements(connection, statements);
        return { kind: 'applied' };
      } catch (error) {
        if (isViolationOf(error, 'sluice', 'uploads')) return this.#seen(connection, keys);
        if (rejectionOf(error) === undefined || isStalePlan(error)) throw error;
        this.#bookkeeping.doubt(error);
        return { kind: 'refused' };
      }
    });
  }

  async begin(caller: Caller, tables: ReadonlySet<string>): Promise<PostgresTransaction> {
    const connection = await takeConnection(this.#options.database);
    try {
      await this.#bookkeeping.ensure(connection);
      const found = await this.#schema.tables(connection, tables);
      return new PostgresTransaction({
        connection,
        settings: transactionSettings(caller, this.#options.statementTimeoutMs),
        caller,
        tables: found,
        names: tables,
        role: this.#options.role,
        schema: this.#schema,
        reader: this.#reader,
        rejected: this.#rejected,
        onBookkeepingError: (error) => this.#bookkeeping.doubt(error),
      });
    } catch (error) {
      giveBack(connection, false);
      throw error;
    }
  }

  /** Drops what is remembered for longer than it needs to be. */
  prune(): Promise<void> {
    return this.#bookkeeping.prune(this.#options.database);
  }

  async #mergedStatements(
    connection: WriteConnection,
    writes: readonly KeyedWrite[],
  ): Promise<readonly Statement[] | undefined> {
    await this.#bookkeeping.ensure(connection);
    const names = new Set(writes.map(({ write }) => write.table));
    const tables = await this.#schema.tables(connection, names);
    try {
      return mergedStatements(
        writes.map(({ write }): TableWrite => {
          return { write, table: writableTable(write.table, tables.get(write.table)) };
        }),
      );
    } catch (error) {
      if (error instanceof Rejection) return undefined;
      throw error;
    }
  }

  async #seen(connection: WriteConnection, keys: readonly WriteKey[]): Promise<WholeResult> {
    const [result] = await runStatements(connection, [selectSeen(keys)]);
    return { kind: 'seen', outcomes: seenOutcomes(keys, result?.rows ?? []) };
  }
}
