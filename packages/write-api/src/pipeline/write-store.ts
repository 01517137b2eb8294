import type { Caller, RowValues, RowWrite, StoredRow } from './row-write.ts';
import type { WriteTransaction } from './table-steps.ts';

/**
 * What names one entry for ever: it is applied once. Two entries of one client with the same number
 * but other contents are two (a device that was set back counts again from where it was).
 */
export interface WriteKey {
  /** Stands for user and client, 32 hex digits. */
  readonly client: string;
  /** Number of the entry, or of its transaction. */
  readonly seq: string;
  /** Of the contents, 32 hex digits. */
  readonly digest: string;
}

/** A write with its key; entries of clients that do not say who they are have none. */
export interface KeyedWrite {
  readonly write: RowWrite;
  readonly key: WriteKey | undefined;
}

/** What has become of an entry. */
export type WriteOutcome =
  | { readonly status: 'ok'; readonly isRepeated?: boolean }
  | {
      readonly status: 'rejected' | 'conflict';
      /** An `ErrorCode`, or the app's own word for it. */
      readonly code: string;
      readonly message: string;
      readonly sqlState?: string | undefined;
      /** What the client may see of the row; not remembered. */
      readonly row?: RowValues | undefined;
      /** The write was applied all the same, except for columns in conflict. */
      readonly isApplied?: boolean;
      readonly isRepeated?: boolean;
    };

export type RefusedOutcome = Extract<WriteOutcome, { readonly code: string }>;

/** A refused entry as its client gets to see it. */
export interface RejectedWrite {
  readonly outcome: RefusedOutcome;
  readonly op: string;
  readonly table: string;
  readonly id: string;
  /** Column values as they were sent. */
  readonly data: unknown;
}

/** What came of trying to apply writes as a whole. */
export type WholeResult =
  | { readonly kind: 'applied' }
  /** Some are known already; nothing was applied. */
  | { readonly kind: 'seen'; readonly outcomes: ReadonlyMap<WriteKey, WriteOutcome> }
  /** They must be taken one by one; nothing was applied. */
  | { readonly kind: 'refused' };

/**
 * A database that takes writes; the one adapter per kind of database. Errors that may pass by
 * themselves are thrown as they are, and nothing of that transaction was applied; except that after a
 * connection was lost at the commit, it may have been: hence the keys.
 */
export interface WriteStore {
  /** Whether the error says that the same work has good chances at once: deadlock, serialisation. */
  isCollision(error: unknown): boolean;
  /** Why the entry that met the error will never be taken; undefined for an error that may pass. */
  refusalOf(error: unknown): RefusedOutcome | undefined;
  /** Applies writes that go through no steps, in order, in one transaction, without looking at each. */
  applyWhole(writes: readonly KeyedWrite[], caller: Caller): Promise<WholeResult>;
  /** Disposing rolls back what was not committed. */
  begin(caller: Caller, tables: ReadonlySet<string>): Promise<StoreTransaction>;
}

/** One database transaction of one client transaction. */
export interface StoreTransaction extends AsyncDisposable, WriteTransaction {
  /**
   * Remembers the keys. Whoever comes with one of them at the same time waits here until this
   * transaction ends. Gives what has become of those that are known already.
   */
  claim(keys: readonly WriteKey[]): Promise<ReadonlyMap<WriteKey, WriteOutcome>>;
  /** The write with its values as the database gives them back. */
  normalize(write: RowWrite): Promise<RowWrite>;
  /** Reads and locks a row. */
  stored(table: string, id: string): Promise<StoredRow>;
  /**
   * Applies one write. With `stored`, the row is known: what was not there is inserted, not updated.
   *
   * @throws Rejection, or an error of the database; the transaction then goes on only after `undo`.
   */
  write(write: RowWrite, known?: { readonly stored: StoredRow }): Promise<void>;
  /** Number of statements so far that may have changed something, of ours and of the app. */
  readonly statementCount: number;
  /** A place to go back to. */
  mark(name: 'start' | 'entry'): void;
  undo(name: 'start' | 'entry'): Promise<void>;
  /** Checks what is only checked at the end, now and from now on. */
  checkAll(): Promise<void>;
  /** Whether a table has changed since its definition was read; what was refused may be right then. */
  isStale(): Promise<boolean>;
  /** Notes what became of the entries, and commits. */
  commit(records: {
    readonly outcomes: ReadonlyMap<WriteKey, RefusedOutcome>;
    readonly rejected: readonly RejectedWrite[];
  }): Promise<void>;
}
