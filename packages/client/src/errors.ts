/**
 * Every error that the client's promises reject with. Branch on `code`, never on the message;
 * messages hold no parameters and no row data (spec/client.md 1.2, 10).
 */
export class ClientError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** SQLite refused a statement; `sqliteCode` is its extended result code's name, e.g. `SQLITE_CONSTRAINT_UNIQUE`. */
export class SqlError extends ClientError {
  readonly sqliteCode: string;
  readonly sql: string;

  constructor(
    sqliteCode: string,
    message: string,
    options: { readonly sql: string; readonly cause?: unknown },
  ) {
    super('SQL', message, options);
    this.sqliteCode = sqliteCode;
    this.sql = options.sql;
  }
}

/** What is wrong with a schema, all of it at once. */
export class SchemaError extends ClientError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      'SCHEMA',
      `The schema cannot be used:\n${problems.map((text) => `- ${text}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** The database was closed before or while this was asked of it. */
export class DatabaseClosedError extends ClientError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('CLOSED', 'The database is closed.', options);
  }
}
