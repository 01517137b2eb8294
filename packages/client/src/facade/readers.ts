import { StatementAnalyzer, type StatementReads } from '../changes/statement-analyzer.ts';
import { normalizeParameters } from '../database/parameters.ts';
import type { SqliteConnection, SqlValue } from '../driver/contract.ts';
import { DatabaseClosedError } from '../errors.ts';
import type { RawRows } from '../watch/query-runner.ts';
import type { ReadStatements, ResultOptions } from './statements.ts';
import { Turns, type TurnOptions } from './turns.ts';

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

  run(sql: string, parameters: readonly unknown[], options?: ResultOptions): RawRows {
    return rowsOf(this.#forSingle().connection, sql, parameters, options);
  }

  analyse(sql: string): StatementReads {
    return this.#forSingle().analyzer.reads(sql);
  }

  /** @throws ClientError `REENTRANT`, `BUSY` */
  transaction<T>(body: (statements: ReadStatements) => Promise<T>, timeoutMs?: number): Promise<T> {
    return this.#turns.run(async () => {
      const connection = this.#open();
      try {
        connection.exec('BEGIN');
        return await body({
          select: (sql, parameters, options) => rowsOf(connection, sql, parameters, options),
        });
      } finally {
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
  { integers }: ResultOptions = {},
): RawRows {
  const statement = connection.prepare(sql);
  const rows = statement.all(normalizeParameters(parameters), integers);
  return { columns: statement.columns, rows };
}
