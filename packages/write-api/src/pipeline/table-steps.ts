import type { Caller, RowWrite, StoredRow, WriteOp, WriteStep } from './row-write.ts';

/** The database transaction in which a write is on its way, for the app's own functions. */
export interface WriteTransaction {
  /**
   * Runs a statement with `$1`, `$2` … in the transaction, as the role that writes.
   *
   * @throws the database's error; the entry is then refused or tried again, as for a write of ours.
   */
  query(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<{
    readonly rows: readonly Readonly<Record<string, unknown>>[];
    readonly rowCount: number;
  }>;
  /**
   * Tells `listener` once what became of it: true after the commit; false when the transaction, or
   * the part of it that is this write, was undone.
   */
  onEnd(listener: (isCommitted: boolean) => void): void;
}

/** A `WriteStep` that may use the transaction; every `WriteStep` is one. */
export type TransactionStep = (
  write: RowWrite,
  stored: StoredRow,
  caller: Caller,
  transaction: WriteTransaction,
) => ReturnType<WriteStep>;

/** Steps that belong together: the hooks, the policy, the conflict rule of a table. */
export interface StepBundle {
  readonly steps: readonly TransactionStep[];
  /** Whether they look at the stored row, which is then read and locked before them. */
  needsStored(op: WriteOp): boolean;
}

/** What has happened to a row. */
export interface AppliedWrite {
  /** As it was written, after all steps. */
  readonly write: RowWrite;
  /** Before it; undefined where the row was not there, or no step needed it. */
  readonly stored: StoredRow;
}

/**
 * Called after the write of an entry, before the transaction commits.
 *
 * @throws Rejection: the entry is refused, and its write undone.
 */
export type AfterWrite = (
  applied: AppliedWrite,
  caller: Caller,
  transaction: WriteTransaction,
) => Promise<void>;

/** What writes of a table go through, in this order: before hooks, policy, conflict rule. */
export interface TableSteps {
  readonly bundles: readonly StepBundle[];
  readonly afterWrite?: AfterWrite | undefined;
}
