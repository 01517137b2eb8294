import { ClientError } from '../errors.ts';
import type { RawRows } from '../watch/query-runner.ts';
import { Queries } from './queries.ts';
import type { ReadStatements, ResultOptions } from './statements.ts';

/** What the callback of `readTransaction` is given, wherever its statements run. */
export class AppReadTransaction extends Queries {
  readonly #statements: ReadStatements;
  readonly #results: ResultOptions;
  #ended = false;

  constructor(statements: ReadStatements, results: ResultOptions) {
    super();
    this.#statements = statements;
    this.#results = results;
  }

  end(): void {
    this.#ended = true;
  }

  protected async select(sql: string, parameters: readonly unknown[]): Promise<RawRows> {
    if (this.#ended) throw new ClientError('TRANSACTION', 'The transaction has ended');
    return this.#statements.select(sql, parameters, this.#results);
  }
}
