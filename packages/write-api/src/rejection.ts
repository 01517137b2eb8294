import type { ErrorCode } from '@sluice/base';
import type { RowValues } from './pipeline/row-write.ts';

export interface RejectionOptions {
  readonly sqlState?: string | undefined;
  readonly cause?: unknown;
  /** What the client may see of the row as the server has it, e.g. at a conflict. */
  readonly row?: RowValues | undefined;
  /** The app's own word for it (`code` of a `validate` rule), answered in place of `code`. */
  readonly reason?: string | undefined;
}

/**
 * One entry cannot be applied, now or ever. It is answered, recorded, and not retried. With the code
 * `UPLOAD_CONFLICT` the answer's status is `conflict`, else `rejected`.
 */
export class Rejection extends Error {
  readonly code: ErrorCode;
  readonly sqlState: string | undefined;
  readonly row: RowValues | undefined;
  readonly reason: string | undefined;

  constructor(code: ErrorCode, message: string, options: RejectionOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.sqlState = options.sqlState;
    this.row = options.row;
    this.reason = options.reason;
  }
}
