import { StatementAnalyzer, type StatementReads } from '../changes/statement-analyzer.ts';
import { normalizeParameters } from '../database/parameters.ts';
import type { SqliteConnection, SqlValue } from '../driver/contract.ts';
import { ClientError, DatabaseClosedError } from '../errors.ts';
import type { RawRows } from '../watch/query-runner.ts';
import { Queries } from './queries.ts';
import type { ReadTransaction } from './sluice-database.ts';
import { Turns, type TurnOptions } from './turns.ts';

class InThreadReadTransaction extends Queries {
  readonly #connection: SqliteConnection;
  #ended = false;

  constructor(connection: SqliteConnection) {
    super();
    this.#connection = connection;
  }

  protected async select(sql: string, parameters: readonly unknown[]): Promise<RawRows> {
    if (this.#ended) throw new ClientError('TRANSACTION', 'The transaction has ended');
    return rowsOf(this.#connection, sql, parameters);
  }

  end(): void {
    this.#ended = true;
  }
}

interface Single {
  readonly connection: SqliteConnection;
  readonly analyzer: StatementAnalyzer;
  readonly version: SqlValue | undefined;
}

/**
 * Reading beside the writer: single queries on one connection, read transactions one after the other on another, so that no query sees
 * the state of somebody's transaction.
 */
export class Readers {
  readonly #open: () => SqliteConnection;
  readonly #turns: Turns;
  #single: Single | undefined;
  #closed = false;

  /** `open` gives a new connection that only reads. */
  constructor(open: () => SqliteConnection, options: TurnOptions) {
    this.#open = open;
    this.#turns = new Turns(options);
  }

  run(sql: string, parameters: readonly unknown[]): RawRows {
    return rowsOf(this.#forSingle().connection, sql, parameters);
  }

  analyse(sql: string): StatementReads {
    return this.#forSingle().analyzer.reads(sql);
  }

  transaction<T>(
    body: (transaction: ReadTransaction) => T | Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    return this.#turns.run(async () => {
      const connection = this.#open();
      const transaction = new InThreadReadTransaction(connection);
      try {
        connection.exec('BEGIN');
        return await body(transaction);
      } finally {
        transaction.end();
        connection.close();
      }
    }, timeoutMs);
  }

  close(): void {
    this.#closed = true;
    this.#turns.close();
    this.#single?.connection.close();
  }

  /** Compiled statements know the columns of the schema under which they were compiled, so another schema gets another connection. */
  #forSingle(): Single {
    if (this.#closed) throw new DatabaseClosedError();
    const known = this.#single;
    if (known !== undefined && known.version === versionOf(known.connection)) return known;
    known?.connection.close();
    const connection = this.#open();
    const analyzer = new StatementAnalyzer(connection);
    this.#single = { connection, analyzer, version: versionOf(connection) };
    return this.#single;
  }
}

function versionOf(connection: SqliteConnection): SqlValue | undefined {
  return connection.prepare('PRAGMA schema_version').get()?.[0];
}

function rowsOf(
  connection: SqliteConnection,
  sql: string,
  parameters: readonly unknown[],
): RawRows {
  const statement = connection.prepare(sql);
  return { columns: statement.columns, rows: statement.all(normalizeParameters(parameters)) };
}
