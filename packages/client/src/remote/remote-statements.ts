import type { StatementResult } from '../database/writer-session.ts';
import { normalizeParameters } from '../database/parameters.ts';
import type { ResultOptions, RowsAffected, TransactionStatements } from '../facade/statements.ts';
import type { HostLink } from './host-link.ts';

/** A transaction that is open at the host. */
export class RemoteStatements implements TransactionStatements {
  readonly #link: HostLink;
  readonly #id: number;
  #isOver = false;

  constructor(link: HostLink, id: number) {
    this.#link = link;
    this.#id = id;
  }

  async execute(
    sql: string,
    parameters: readonly unknown[],
    { integers }: ResultOptions = {},
  ): Promise<StatementResult> {
    const values = normalizeParameters(parameters);
    const result = await this.#link.call('transactionExecute', [this.#id, sql, values, integers]);
    return { ...result, committed: undefined };
  }

  async executeBatch(
    sql: string,
    parameterSets: readonly (readonly unknown[])[],
  ): Promise<RowsAffected> {
    const sets = parameterSets.map(normalizeParameters);
    return this.#link.call('transactionBatch', [this.#id, sql, sets]);
  }

  savepoint(name: string): Promise<void> {
    return this.#link.call('savepoint', [this.#id, name]);
  }

  release(name: string): Promise<void> {
    return this.#link.call('release', [this.#id, name]);
  }

  undo(name: string): Promise<void> {
    return this.#link.call('undo', [this.#id, name]);
  }

  async commit(): Promise<void> {
    this.#isOver = true;
    await this.#link.write('commit', (call) => [this.#id, call]);
  }

  async rollback(): Promise<void> {
    this.#isOver = true;
    await this.#link.call('rollback', [this.#id]);
  }

  /** At the end of its callback, whatever came of it. */
  async abandon(): Promise<void> {
    // Where this fails the host is gone, and the transaction with it.
    if (!this.#isOver) await this.rollback().catch(() => undefined);
  }
}
