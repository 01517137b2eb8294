import { ClientError } from '../errors.ts';
import type { RawRows } from '../watch/query-runner.ts';
import { Queries } from './queries.ts';
import { QueryResult } from './query-result.ts';
import type { WriteTransaction } from './sluice-database.ts';
import type { ResultOptions, RowsAffected, TransactionStatements } from './statements.ts';

/** What the callback of `writeTransaction` is given, wherever its statements run. */
export class AppTransaction extends Queries implements WriteTransaction {
  readonly #statements: TransactionStatements;
  readonly #results: ResultOptions;
  readonly #depth: number;
  #ended: Error | undefined;
  /** Why it cannot be ended in order any more. */
  #broken: Error | undefined;
  #inner: AppTransaction | undefined;

  constructor(statements: TransactionStatements, results: ResultOptions, depth = 0) {
    super();
    this.#statements = statements;
    this.#results = results;
    this.#depth = depth;
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult> {
    this.#checkOpen();
    return new QueryResult(await this.#statements.execute(sql, parameters, this.#results));
  }

  async executeRaw(sql: string, parameters: readonly unknown[] = []): Promise<RawRows> {
    return this.select(sql, parameters);
  }

  async executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
  ): Promise<RowsAffected> {
    this.#checkOpen();
    const { rowsAffected } = await this.#statements.executeBatch(sql, parameterSets);
    return { rowsAffected };
  }

  async savepoint<T>(body: (inner: WriteTransaction) => T | Promise<T>): Promise<T> {
    this.#checkOpen();
    if (this.#inner !== undefined) {
      throw new ClientError('TRANSACTION', 'A savepoint is open: await it, or use its `inner`');
    }
    const name = `sluice_app_${this.#depth}`;
    const inner = new AppTransaction(this.#statements, this.#results, this.#depth + 1);
    this.#inner = inner;
    try {
      await this.#statements.savepoint(name);
      return await this.#inside(name, () => body(inner));
    } finally {
      inner.end(undefined);
      this.#inner = undefined;
    }
  }

  async commit(): Promise<void> {
    await this.finish('commit');
  }

  async rollback(): Promise<void> {
    await this.finish('rollback');
  }

  /** Does nothing at a transaction that its callback ended itself. */
  async finish(how: 'commit' | 'rollback'): Promise<void> {
    if (this.#depth > 0) {
      throw new ClientError('TRANSACTION', 'A savepoint ends with its callback');
    }
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#ended !== undefined) return;
    this.end(undefined);
    await this.#statements[how]();
  }

  /** Refuses what follows; with a reason, because it is lost. */
  end(reason: Error | undefined): void {
    if (this.#ended === undefined) this.#broken = reason;
    this.#ended ??=
      reason ?? new ClientError('TRANSACTION', 'The transaction, or savepoint, has ended');
    this.#inner?.end(reason);
  }

  protected async select(sql: string, parameters: readonly unknown[]): Promise<RawRows> {
    this.#checkOpen();
    const { columns, rows } = await this.#statements.execute(sql, parameters, this.#results);
    return { columns, rows };
  }

  async #inside<T>(name: string, body: () => T | Promise<T>): Promise<T> {
    try {
      const result = await body();
      if (this.#ended === undefined) await this.#statements.release(name);
      return result;
    } catch (error) {
      if (this.#ended === undefined) await this.#statements.undo(name);
      throw error;
    }
  }

  #checkOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }
}

/** Runs the callback of a transaction that has begun, and ends it: by its result, or by what it throws. */
export async function settleTransaction<T>(
  transaction: AppTransaction,
  body: (transaction: WriteTransaction) => T | Promise<T>,
): Promise<T> {
  try {
    const result = await body(transaction);
    await transaction.finish('commit');
    return result;
  } catch (error) {
    await transaction.finish('rollback');
    throw error;
  }
}
