import { toAppError } from './app-error.ts';
import type { ErrorCode } from './error-table.ts';

export interface FailureFacts {
  readonly code: ErrorCode;
  readonly message: string;
  /** Only of a bug: where it was thrown, which for an exception that nobody expected is not where it was wrapped. */
  readonly stack?: string | undefined;
}

/** What the log says of a failure, by whoever handles it. Other failures than bugs are told by code and message. */
export function failureFacts(error: unknown): FailureFacts {
  const { code, message, stack, cause } = toAppError(error);
  if (code !== 'INTERNAL_BUG') return { code, message };
  return { code, message, stack: cause instanceof Error ? cause.stack : stack };
}
