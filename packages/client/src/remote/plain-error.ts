import { ClientError, DatabaseClosedError, SchemaError, SqlError } from '../errors.ts';

/** An error as it crosses a channel: classes do not survive structured clone, so they are named. */
export type PlainError = { readonly cause?: PlainError | undefined } & (
  | {
      readonly kind: 'client';
      readonly name: string;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly kind: 'sql';
      readonly sqliteCode: string;
      readonly sql: string;
      readonly message: string;
    }
  | { readonly kind: 'schema'; readonly problems: readonly string[] }
  | { readonly kind: 'closed' }
  | { readonly kind: 'other'; readonly name: string; readonly message: string }
);

/** Causes of causes of causes are left out. */
const MAX_DEPTH = 3;

export function toPlainError(error: unknown, depth = 0): PlainError {
  if (!(error instanceof Error)) return { kind: 'other', name: 'Error', message: textOf(error) };
  const cause =
    error.cause === undefined || depth === MAX_DEPTH
      ? undefined
      : toPlainError(error.cause, depth + 1);
  const { name, message } = error;
  if (error instanceof DatabaseClosedError) return { kind: 'closed', cause };
  if (error instanceof SchemaError) return { kind: 'schema', problems: error.problems, cause };
  if (error instanceof SqlError) {
    return { kind: 'sql', sqliteCode: error.sqliteCode, sql: error.sql, message, cause };
  }
  if (error instanceof ClientError)
    return { kind: 'client', name, code: error.code, message, cause };
  return { kind: 'other', name, message, cause };
}

export function fromPlainError(plain: PlainError): Error {
  const options = plain.cause === undefined ? undefined : { cause: fromPlainError(plain.cause) };
  switch (plain.kind) {
    case 'closed':
      return new DatabaseClosedError(options);
    case 'schema':
      return new SchemaError(plain.problems);
    case 'sql':
      return new SqlError(plain.sqliteCode, plain.message, { sql: plain.sql, ...options });
    case 'client':
      return named(new ClientError(plain.code, plain.message, options), plain.name);
    case 'other':
      return named(new Error(plain.message, options), plain.name);
  }
}

/** Of the other side's subclass, which is not known here. */
function named<E extends Error>(error: E, name: string): E {
  error.name = name;
  return error;
}

function textOf(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown));
}
