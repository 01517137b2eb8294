import type { WriterSession } from '../database/writer-session.ts';
import { ClientError } from '../errors.ts';
import type { RawRows } from '../watch/query-runner.ts';
import { Queries } from './queries.ts';
import { QueryResult } from './query-result.ts';
import type { WriteTransaction } from './sluice-database.ts';

/** How a transaction ends: what its writes mean for everybody else is told by whoever gave it. */
export interface TransactionEnds {
  readonly commit: () => void;
  readonly rollback: () => void;
}

/** A transaction over the writer's session. */
export class InThreadTransaction extends Queries implements WriteTransaction {
  readonly #session: WriterSession;
  readonly #ends: TransactionEnds;
  readonly #depth: number;
  #ended: Error | undefined;
  #inner: InThreadTransaction | undefined;

  constructor(session: WriterSession, ends: TransactionEnds, depth = 0) {
    super();
    this.#session = session;
    this.#ends = ends;
    this.#depth = depth;
  }

  async execute(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult> {
    this.#checkOpen();
    return new QueryResult(this.#session.execute(sql, parameters));
  }

  async executeRaw(sql: string, parameters: readonly unknown[] = []): Promise<RawRows> {
    return this.select(sql, parameters);
  }

  async executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
  ): Promise<{ readonly rowsAffected: number }> {
    this.#checkOpen();
    const { rowsAffected } = this.#session.executeBatch(sql, parameterSets);
    return { rowsAffected };
  }

  async savepoint<T>(body: (inner: WriteTransaction) => T | Promise<T>): Promise<T> {
    this.#checkOpen();
    if (this.#inner !== undefined) {
      throw new ClientError('TRANSACTION', 'A savepoint is open: await it, or use its `inner`');
    }
    const name = `sluice_app_${this.#depth}`;
    this.#session.savepoint(name);
    const inner = new InThreadTransaction(this.#session, this.#ends, this.#depth + 1);
    this.#inner = inner;
    try {
      const result = await body(inner);
      if (this.#ended === undefined) this.#session.release(name);
      return result;
    } catch (error) {
      this.#undo(name);
      throw error;
    } finally {
      inner.end(undefined);
      this.#inner = undefined;
    }
  }

  async commit(): Promise<void> {
    this.finish('commit');
  }

  async rollback(): Promise<void> {
    this.finish('rollback');
  }

  /** Does nothing at a transaction that its callback ended itself. */
  finish(how: 'commit' | 'rollback'): void {
    if (this.#depth > 0) {
      throw new ClientError('TRANSACTION', 'A savepoint ends with its callback');
    }
    if (this.#ended instanceof ClientError && this.#ended.code === 'CLOSED') throw this.#ended;
    if (this.#ended !== undefined) return;
    this.end(undefined);
    this.#ends[how]();
  }

  /** Refuses what follows, by the reason that is given. */
  end(reason: Error | undefined): void {
    this.#ended ??=
      reason ?? new ClientError('TRANSACTION', 'The transaction, or savepoint, has ended');
    this.#inner?.end(reason);
  }

  protected async select(sql: string, parameters: readonly unknown[]): Promise<RawRows> {
    this.#checkOpen();
    const { columns, rows } = this.#session.execute(sql, parameters);
    return { columns, rows };
  }

  #undo(name: string): void {
    // The statement that failed may have ended the whole transaction.
    if (this.#ended !== undefined || !this.#session.isIntact) return;
    this.#session.rollbackTo(name);
    this.#session.release(name);
  }

  #checkOpen(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }
}
