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
