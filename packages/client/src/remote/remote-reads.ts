import type { StatementReads } from '../changes/statement-analyzer.ts';
import { normalizeParameters } from '../database/parameters.ts';
import type { SelectOptions } from '../facade/database-access.ts';
import type { ReadStatements } from '../facade/statements.ts';
import type { RawRows } from '../watch/query-runner.ts';
import type { Ask } from './ask.ts';
import type { ReadMethods } from './protocol.ts';
import type { ReadAccess } from './read-access.ts';

/** Reading by whoever is behind a channel. */
export class RemoteReads implements ReadAccess {
  readonly #ask: Ask<ReadMethods>;
  #transactions = 0;

  constructor(ask: Ask<ReadMethods>) {
    this.#ask = ask;
  }

  async select(
    sql: string,
    parameters: readonly unknown[],
    { signal, integers }: SelectOptions = {},
  ): Promise<RawRows> {
    return this.#ask('select', [sql, normalizeParameters(parameters), integers], signal);
  }

  analyse(sql: string): Promise<StatementReads> {
    return this.#ask('analyse', [sql]);
  }

  async readTransaction<T>(
    body: (statements: ReadStatements) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    const id = (this.#transactions += 1);
    await this.#ask('readBegin', [id, timeoutMs]);
    try {
      return await body({
        select: async (sql, parameters, { integers } = {}) =>
          this.#ask('readSelect', [id, sql, normalizeParameters(parameters), integers]),
      });
    } finally {
      // Where this fails the host is gone, and the transaction with it.
      await this.#ask('readEnd', [id]).catch(() => undefined);
    }
  }

  close(): void {
    // The channel is closed by whoever has it.
  }
}
