import type { ChangeSet } from '../changes/change-set.ts';
import type { StatementResult, WriterSession } from '../database/writer-session.ts';
import { DatabaseClosedError } from '../errors.ts';
import type { ResultOptions, RowsAffected, TransactionStatements } from './statements.ts';

/** The transaction that is open on the writer's session. Everything is done when it returns. */
export class WriterStatements implements TransactionStatements {
  readonly #session: WriterSession;
  readonly #closing: AbortSignal;
  #committed: ChangeSet | undefined;

  constructor(session: WriterSession, closing: AbortSignal) {
    this.#session = session;
    this.#closing = closing;
  }

  /** What `commit` changed; undefined without one. */
  get committed(): ChangeSet | undefined {
    return this.#committed;
  }

  execute(sql: string, parameters: readonly unknown[], options?: ResultOptions): StatementResult {
    return this.#open().execute(sql, parameters, options);
  }

  executeBatch(sql: string, parameterSets: readonly (readonly unknown[])[]): RowsAffected {
    return this.#open().executeBatch(sql, parameterSets);
  }

  savepoint(name: string): void {
    this.#open().savepoint(name);
  }

  release(name: string): void {
    this.#open().release(name);
  }

  undo(name: string): void {
    const session = this.#open();
    // The statement that failed may have ended the whole transaction.
    if (!session.isIntact) return;
    session.rollbackTo(name);
    session.release(name);
  }

  /** `beforeCommit` is the last thing of the transaction. */
  commit(beforeCommit?: () => void): void {
    this.#committed = this.#open().commit(beforeCommit);
  }

  rollback(): void {
    this.#open().rollback();
  }

  /** At the end of its turn, whatever came of it. */
  abandon(): void {
    if (this.#session.inTransaction) this.#session.rollback();
  }

  #open(): WriterSession {
    if (this.#closing.aborted) throw new DatabaseClosedError();
    return this.#session;
  }
}
