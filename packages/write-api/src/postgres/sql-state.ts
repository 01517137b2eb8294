import type { ErrorCode } from '@sluice/base';
import { Rejection } from '../rejection.ts';

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

/** Serialisation failure or deadlock: the same work has good chances a moment later. */
export function isCollision(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlStateOf(error) ?? '');
}

/**
 * A prepared statement that does not fit any more: a column or a type it names was altered or made anew,
 * or somebody between us and the database dropped it. A new connection has none.
 */
export function isStalePlan(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  switch (sqlStateOf(error) ?? '') {
    case '0A000':
      return message.includes('cached plan');
    case 'XX000':
      return message.includes('cache lookup failed');
    case '26000': // no such prepared statement
    case '42P05': // it is there already
      return true;
    default:
      return false;
  }
}

/** Whether a unique key of that table was there already. */
export function isViolationOf(error: unknown, schema: string, table: string): boolean {
  if (sqlStateOf(error) !== '23505') return false;
  const { schema: inSchema, table: ofTable } = error as { schema?: string; table?: string };
  return inSchema === schema && ofTable === table;
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
