/**
 * Every error that the client's promises reject with. Branch on `code`, never on the message;
 * messages hold no parameters and no row data (spec/client.md 1.2, 10).
 */
export class ClientError extends Error {
  /** Spelled out, as bundlers change the names of classes. */
  override name = 'ClientError';
  readonly code: string;

  constructor(code: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/**
 * SQLite refused a statement; `sqliteCode` is its extended result code's name, e.g. `SQLITE_CONSTRAINT_UNIQUE`. The error's code is
 * `STORAGE_FULL` where the disk, or what the browser allows, is used up: the statement's transaction is undone then. Otherwise it is `SQL`.
 */
export class SqlError extends ClientError {
  override name = 'SqlError';
  readonly sqliteCode: string;
  readonly sql: string;

  constructor(
    sqliteCode: string,
    message: string,
    options: { readonly sql: string; readonly cause?: unknown },
  ) {
    super(sqliteCode === 'SQLITE_FULL' ? 'STORAGE_FULL' : 'SQL', message, options);
    this.sqliteCode = sqliteCode;
    this.sql = options.sql;
  }
}

/** What is wrong with a schema, all of it at once. */
export class SchemaError extends ClientError {
  override name = 'SchemaError';
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
  override name = 'DatabaseClosedError';
  constructor(options: { readonly cause?: unknown } = {}) {
    super('CLOSED', 'The database is closed.', options);
  }
}
