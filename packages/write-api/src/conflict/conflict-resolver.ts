import type { Caller, RowValues, RowWrite } from '../pipeline/row-write.ts';
import type { WriteTransaction } from '../pipeline/table-steps.ts';

/** The app's own rule (`conflict: { function: name }`). */
export interface ConflictResolver {
  /**
   * The write that goes on, `reject` to refuse it, or undefined to leave the row as it is. Asked only
   * for writes to rows that are there; the rules of the table look at what it gives.
   */
  resolve(conflict: {
    readonly write: RowWrite;
    readonly stored: RowValues;
    readonly caller: Caller;
    readonly transaction: WriteTransaction;
  }): Promise<RowWrite | 'reject' | undefined> | RowWrite | 'reject' | undefined;
}
