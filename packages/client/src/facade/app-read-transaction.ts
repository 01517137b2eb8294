import { ClientError } from '../errors.ts';
import type { RawRows } from '../watch/query-runner.ts';
import { Queries } from './queries.ts';
import type { ReadStatements } from './statements.ts';

/** What the callback of `readTransaction` is given, wherever its statements run. */
export class AppReadTransaction extends Queries {
  readonly #statements: ReadStatements;
  #ended = false;

  constructor(statements: ReadStatements) {
    super();
    this.#statements = statements;
  }

  end(): void {
    this.#ended = true;
  }

  protected async select(sql: string, parameters: readonly unknown[]): Promise<RawRows> {
    if (this.#ended) throw new ClientError('TRANSACTION', 'The transaction has ended');
    return this.#statements.select(sql, parameters);
  }
}
