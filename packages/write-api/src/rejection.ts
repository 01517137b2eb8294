import type { ErrorCode } from '@sluice/base';
import type { RowValues } from './pipeline/row-write.ts';

/** One entry cannot be applied, now or ever. It is answered, not retried. */
export class Rejection extends Error {
  readonly code: ErrorCode;
  readonly sqlState: string | undefined;
  /** The app's own word for it (`code` of a `validate` rule), answered in place of `code`. */
  readonly reason: string | undefined;
  /** The row as it is stored, for the client to see; only where the caller may. */
  readonly row: RowValues | undefined;

  constructor(code: ErrorCode, message: string, options: RejectionOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.sqlState = options.sqlState;
    this.reason = options.reason;
    this.row = options.row;
  }
}

export interface RejectionOptions {
  readonly sqlState?: string | undefined;
  readonly reason?: string | undefined;
  readonly row?: RowValues | undefined;
  readonly cause?: unknown;
}

/**
 * SQLSTATE classes that may pass by themselves: connection, transaction rollback (deadlock,
 * serialisation), resources, object not in the right state (locks), operator intervention, system
 * error, internal error. `25006` is a server that has just become a standby.
 */
const TEMPORARY = /^(08|40|53|55|57|58|XX)...$|^25006$/;

/**
 * What a database error says about the entry that caused it: a rejection where repeating cannot
 * help, undefined for a temporary fault.
 */
export function rejectionOf(error: unknown): Rejection | undefined {
  if (error instanceof Rejection) return error;
  const sqlState = sqlStateOf(error);
  if (sqlState === undefined || TEMPORARY.test(sqlState)) return undefined;
  const message = error instanceof Error ? error.message : String(error);
  return new Rejection(codeOf(sqlState), message, { sqlState, cause: error });
}

/** The five characters with which PostgreSQL classifies an error; undefined for other errors. */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined;
  return typeof error.code === 'string' && error.code.length === 5 ? error.code : undefined;
}

function codeOf(sqlState: string): ErrorCode {
  if (sqlState.startsWith('22')) return 'UPLOAD_VALUE_INVALID';
  if (sqlState.startsWith('23')) return 'UPLOAD_CONSTRAINT';
  if (sqlState === '42501') return 'UPLOAD_FORBIDDEN';
  if (sqlState === '42P01') return 'UPLOAD_TABLE_UNKNOWN';
  if (sqlState === '42703') return 'UPLOAD_COLUMN_UNKNOWN';
  return 'UPLOAD_REJECTED';
}
