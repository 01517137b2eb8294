import type {
  SourcePosition,
  SqliteRow,
  SqliteValue,
  TablePattern,
  TableSchema,
} from '@sluice/model';

/**
 * A database whose changes are followed. Methods reject with `SourceError`; its `retryable` says
 * whether trying again later can help.
 */
export interface ChangeSource extends AsyncDisposable {
  /** Schema of tables that a query names without one. */
  readonly defaultSchema: string;

  /** Looks at everything that replication needs, and reports each point, good or bad. */
  check(patterns: readonly TablePattern[]): Promise<readonly SourceCheck[]>;
  /** All tables that the role can see, without system schemas. */
  readSchema(): Promise<readonly TableSchema[]>;
  /**
   * What people want to know of the tables that match, whether they are replicated or not. Costs
   * little however large they are.
   */
  describeTables(patterns: readonly TablePattern[]): Promise<readonly TableFacts[]>;
  /** How much of the change log is kept for a handle; undefined when there is no such handle. */
  logRetention(handle: string): Promise<LogRetention | undefined>;
  /**
   * Runs one statement that an operator wrote; it may read, but not write.
   *
   * @throws SourceError `SOURCE_QUERY_FAILED` with the database's own message.
   */
  runQuery(sql: string, args: readonly QueryArgument[]): Promise<QueryResult>;

  /**
   * Reads some rows of a table as they are now, with the values that replication gives them. For
   * questions of operators: it takes no place in the log, and leaves the source as it is. Undefined
   * where the role sees no such table.
   *
   * @throws SourceError `SOURCE_QUERY_FAILED`, among others for a text that is no value of its column.
   */
  peekRows(request: PeekRows): Promise<PeekedRows | undefined>;

  /** The newest position: everything committed before the call lies at or before it. */
  head(): Promise<SourcePosition>;
  /** Writes something harmless, so that an idle source reaches a later position. */
  mark(): Promise<void>;

  /**
   * Opens the change log for one generation. Without `handle` a new place in the log is created
   * (for PostgreSQL a slot); with it that place is taken up again.
   *
   * @throws SourceError `SOURCE_SLOT_LOST` when the place is gone or changes after it are missing.
   */
  openReplication(options: ReplicationOptions): Promise<SourceReplication>;
  /** Gives up a place in the log; dropping one that does not exist is no error. */
  dropReplication(handle: string): Promise<void>;
  /** Handles that this service created and that still exist, for cleaning up. */
  listReplications(): Promise<readonly string[]>;
}

export interface PeekRows {
  readonly schema: string;
  readonly name: string;
  /** Values as text, by column: only rows that equal all of them. Absent: any rows. */
  readonly where?: ReadonlyMap<string, string> | undefined;
  /** At most so many; 0 describes the table only. */
  readonly limit: number;
  /** Absent: the defaults of the newest edition. */
  readonly values?: ValueOptions | undefined;
}

export interface PeekedRows {
  readonly table: SourceTable;
  /** Whether replication reads the table at all. */
  readonly isReplicated: boolean;
  readonly rows: readonly SqliteRow[];
  /** Whether the limit left rows out. */
  readonly hasMore: boolean;
}

export interface ReplicationOptions {
  readonly generationId: number;
  readonly handle: string | undefined;
  /** Told the name of a new handle before it is made, so that a crash leaves no unknown one. */
  readonly recordHandle?: ((handle: string) => Promise<void>) | undefined;
  /** Absent: the defaults of the newest edition. */
  readonly values?: ValueOptions | undefined;
}

/** How source values become SQLite values, as the sync config wants it (its sections 2 and 15). */
export interface ValueOptions {
  /** `T` between date and time, and a fixed number of sub-second digits. */
  readonly isoTimestamps: boolean;
  /** Sub-second digits, 0 to 9; undefined: as many as the source has. */
  readonly timestampDigits: number | undefined;
  /** Composite types, ranges and arrays of user-defined types become JSON. */
  readonly customTypes: boolean;
}

export interface SourceCheck {
  /** Stable name of the point, e.g. `wal_level`. */
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'problem';
  /** What was found, in one sentence. */
  readonly message: string;
  /** What to run where (SQL or shell), line by line; empty when nothing is to be done. */
  readonly remedy: readonly string[];
  /** SQL that this tool can run itself with the connected role; undefined when it cannot. */
  readonly fix?: readonly string[] | undefined;
}

/** A table as operators are shown it. */
export interface TableFacts {
  readonly schema: string;
  readonly name: string;
  /** The columns that identify a row in the change log, by name; empty when there are none. */
  readonly identityColumns: readonly string[];
  /** About how many rows there are; undefined when it cannot be told cheaply. */
  readonly estimatedRows: number | undefined;
  /** The points of `check` that are not well for this table. */
  readonly problems: readonly SourceCheck[];
}

/** For one handle. What the source does not bound or does not tell is undefined. */
export interface LogRetention {
  /** The source's own word for it, e.g. `reserved`, `extended`, `lost`. */
  readonly status: string | undefined;
  /** How much may still be written before the handle is in danger. */
  readonly remainingBytes: number | undefined;
  /** How much the source keeps at most for a handle that nobody reads. */
  readonly limitBytes: number | undefined;
}

export type QueryArgument = string | number | boolean;

export interface QueryResult {
  readonly columns: readonly string[];
  /** JSON-safe values. */
  readonly rows: readonly (readonly unknown[])[];
}

/** One place in the change log, opened. */
export interface SourceReplication extends AsyncDisposable {
  /** To be stored, and given to `openReplication` after a restart. */
  readonly handle: string;
  /** Where the log begins for a new handle; all changes after it will be streamed. */
  readonly startPosition: SourcePosition;

  /**
   * The replicated tables that match now.
   *
   * @throws SourceError where it is unknown which tables are replicated, such as
   *   `SOURCE_PUBLICATION_MISSING`; the list is never just empty for that.
   */
  listTables(patterns: readonly TablePattern[]): Promise<readonly SourceTable[]>;
  /**
   * Streams every transaction that committed after `after`, in commit order, each as `begin`,
   * changes, `commit`. Large transactions come in many batches; memory stays bounded, and a slow
   * consumer slows the reading down. Ends only by the signal or an error.
   */
  stream(options: StreamOptions): AsyncIterable<readonly ChangeEvent[]>;
  /**
   * Reads the present content of a table.
   *
   * @throws SourceError `SOURCE_TABLE_CHANGED`, also while reading, when the table is gone, was
   *   renamed, or lost a column that `table` has.
   */
  snapshot(table: SourceTable, options: SnapshotOptions): Promise<TableSnapshot>;
  /**
   * Reads rows by key as they are now: the last resort for values that an update left out. Rows that
   * are gone are missing. `position` must be streamed before a checkpoint shows them.
   *
   * @throws SourceError `SOURCE_TABLE_CHANGED` as `snapshot`.
   */
  readRows(
    table: SourceTable,
    keys: readonly SqliteRow[],
  ): Promise<{ readonly rows: readonly SqliteRow[]; readonly position: SourcePosition }>;
  /** Everything up to this position is durable here, so the source may discard it. */
  acknowledge(position: SourcePosition): void;
}

export interface StreamOptions {
  /** Empty string: from the beginning of the handle. */
  readonly after: SourcePosition;
  /** Changes of tables for which this is false are left out. Asked once per definition. */
  readonly isWanted: (table: SourceTable) => boolean;
  readonly signal: AbortSignal;
}

/** A table as the source describes it at one moment. */
export interface SourceTable extends TableSchema {
  /** Identity of the table in the source, unchanged by a rename (PostgreSQL: oid). */
  readonly relationId: string;
  /** Indexes of the columns that identify a row; empty when rows have no key. */
  readonly keyColumns: readonly number[];
  /** Where the key comes from. `nothing`: the source cannot report updates and deletes. */
  readonly identity: 'default' | 'index' | 'full' | 'nothing';
  /** Whether an update may leave out values that it did not change. */
  readonly mayOmitValues: boolean;
}

/** Stands for a value that an update did not change and the source left out. */
export const UNCHANGED = Symbol('unchanged');
export type ChangedValue = SqliteValue | typeof UNCHANGED;

export type ChangeEvent =
  | {
      readonly kind: 'begin';
      readonly transactionId: string;
      /** Where the transaction's commit lies; compare with `TableSnapshot.exactAt`. */
      readonly commitPosition: SourcePosition;
    }
  /** Precedes the first change of a table, and comes again when its definition has changed. */
  | { readonly kind: 'table'; readonly table: SourceTable }
  | { readonly kind: 'insert'; readonly table: SourceTable; readonly row: SqliteRow }
  | {
      readonly kind: 'update';
      readonly table: SourceTable;
      /** The row before; only key columns are meaningful. Absent when the key did not change. */
      readonly before: SqliteRow | undefined;
      readonly row: readonly ChangedValue[];
    }
  | {
      readonly kind: 'delete';
      readonly table: SourceTable;
      /** Only key columns are meaningful. */
      readonly before: SqliteRow;
    }
  | { readonly kind: 'truncate'; readonly tables: readonly SourceTable[] }
  | {
      readonly kind: 'commit';
      /** Resuming after this position goes on with the next transaction. */
      readonly position: SourcePosition;
      readonly committedAtMs: number;
    }
  /**
   * Outside transactions: nothing more lies at or before this position. `marked`: because somebody
   * called `mark`, so a client may be waiting for it.
   */
  | { readonly kind: 'idle'; readonly position: SourcePosition; readonly marked?: boolean };

export interface SnapshotOptions {
  /** `progress` of the last chunk that is durable; undefined at the beginning. */
  readonly progress: string | undefined;
  readonly signal: AbortSignal;
}

export interface TableSnapshot {
  /**
   * For tables without a key: the content is exact as of this position. Transactions whose
   * `commitPosition` is before it are in the content, all others are not. Undefined for tables with a key, whose rows may be newer
   * than any position streamed so far.
   */
  readonly exactAt: SourcePosition | undefined;
  /** About how many rows there are, if the source knows. */
  readonly estimatedRows: number | undefined;
  readonly chunks: AsyncIterable<SnapshotChunk>;
}

export interface SnapshotChunk {
  readonly rows: readonly SqliteRow[];
  /** To continue after this chunk; undefined when this table cannot be resumed, only restarted. */
  readonly progress: string | undefined;
  /** The rows show states up to this position: it must be streamed before a checkpoint shows them. */
  readonly position: SourcePosition;
}
