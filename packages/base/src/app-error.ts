import { ERROR_TABLE, type ErrorCode } from './error-table.ts';

export interface AppErrorOptions {
  readonly cause?: unknown;
  /** JSON-safe facts for logs and API answers. Never a secret, never row data. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Replaces the table's remedy where the exact command or setting is known. */
  readonly remedy?: string | undefined;
}

/**
 * Every failure of the world (not a bug, not a user's text) that crosses a package border.
 * Branch on `code` or `retryable`, never on the message. The table of codes is docs/errors.md.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details ?? {};
    this.remedy = options.remedy ?? ERROR_TABLE[code].remedy;
  }

  /** Whether the same attempt may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable;
  }

  get httpStatus(): number {
    return ERROR_TABLE[this.code].httpStatus;
  }
}

export class ConfigError extends AppError {}
export class SourceError extends AppError {}
export class StorageError extends AppError {}
export class SyncError extends AppError {}

/** The error itself if it is an `AppError`, otherwise an `INTERNAL_BUG` that carries it as cause. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('INTERNAL_BUG', message, { cause: error });
}
