import type { WireProtocol, WriteConnection } from './write-database.ts';

export interface Statement {
  readonly text: string;
  readonly values: readonly (string | null)[];
  /** Whether `fields` of the result are wanted. */
  readonly describe?: boolean;
}

export interface StatementResult {
  /** Of the rows; empty unless asked for. */
  readonly fields: readonly Field[];
  /** Rows that were changed or read. */
  readonly rowCount: number;
  /** In the text form that PostgreSQL writes, by position. */
  readonly rows: readonly (readonly (string | null)[])[];
}

interface Field {
  readonly name: string;
  readonly typeOid: number;
}

/**
 * Runs statements over one round trip. Outside a transaction block they are one transaction together,
 * committed at the end; the first error ends the run, and undoes it.
 *
 * @throws the error of the first statement that failed, or of the commit.
 */
export function runStatements(
  connection: WriteConnection,
  statements: readonly Statement[],
): Promise<readonly StatementResult[]> {
  return new Promise((resolve, reject) => {
    connection.query(new StatementRun(statements, { resolve, reject }));
  });
}

interface WireField {
  readonly name: string;
  readonly dataTypeID: number;
}

interface Settle {
  readonly resolve: (results: readonly StatementResult[]) => void;
  readonly reject: (error: Error) => void;
}

/** Prepared statements that a connection keeps; the longest unused one makes room. */
const MAX_PREPARED = 200;

/** What one connection has prepared, under which name, by text in the order of the last use. */
class PreparedStatements {
  readonly names = new Map<string, string>();
  /** Names from runs that failed, which may stand for something or not; closed before the next run. */
  doubtful: string[] = [];
  #count = 0;

  /** A name that this connection has not had before. */
  newName(): string {
    this.#count += 1;
    return `sluice_${this.#count}`;
  }
}

const preparedOf = new WeakMap<WireProtocol, PreparedStatements>();

class StatementRun {
  readonly #statements: readonly Statement[];
  readonly #settle: Settle;
  readonly #results: StatementResult[] = [];
  #rows: (string | null)[][] = [];
  #fields: readonly Field[] = [];
  #prepared = new PreparedStatements();
  /** Sent for preparing in this run: after an error it is not known which of them were. */
  readonly #fresh: { readonly text: string; readonly name: string }[] = [];

  constructor(statements: readonly Statement[], settle: Settle) {
    this.#statements = statements;
    this.#settle = settle;
  }

  submit(connection: WireProtocol): void {
    this.#prepared = preparedOf.get(connection) ?? this.#prepared;
    preparedOf.set(connection, this.#prepared);
    connection.stream.cork?.();
    try {
      // To close a name that is not there is no error.
      for (const name of this.#prepared.doubtful) connection.close({ type: 'S', name }, true);
      this.#prepared.doubtful = [];
      for (const statement of this.#statements) this.#send(connection, statement);
      connection.sync();
    } finally {
      connection.stream.uncork?.();
    }
  }

  #send(connection: WireProtocol, { text, values, describe }: Statement): void {
    const { names } = this.#prepared;
    let name = names.get(text);
    names.delete(text);
    if (name === undefined) {
      name = this.#prepared.newName();
      connection.parse({ name, text }, true);
      this.#fresh.push({ text, name });
      if (names.size >= MAX_PREPARED) this.#closeOldest(connection);
    }
    names.set(text, name);
    connection.bind({ statement: name, values: values as (string | null)[] }, true);
    if (describe) connection.describe({ type: 'P', name: '' }, true);
    connection.execute({}, true);
  }

  #closeOldest(connection: WireProtocol): void {
    const oldest = this.#prepared.names.entries().next().value;
    if (oldest === undefined) return;
    connection.close({ type: 'S', name: oldest[1] }, true);
    this.#prepared.names.delete(oldest[0]);
  }

  handleRowDescription(message: { readonly fields: readonly WireField[] }): void {
    this.#fields = message.fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }));
  }

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    const count = /\d+$/.exec(message.text);
    const [fields, rows] = [this.#fields, this.#rows];
    this.#results.push({ rowCount: count ? Number(count[0]) : 0, fields, rows });
    this.#fields = [];
    this.#rows = [];
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handlePortalSuspended(): void {}

  handleError(error: Error): void {
    for (const { text, name } of this.#fresh) {
      this.#prepared.names.delete(text);
      this.#prepared.doubtful.push(name);
    }
    this.#settle.reject(error);
  }

  handleReadyForQuery(): void {
    this.#settle.resolve(this.#results);
  }
}
