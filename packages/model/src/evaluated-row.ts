/** What the sync plan makes of one source row. */
export interface EvaluatedRow {
  readonly outputs: readonly RowOutput[];
  readonly lookups: readonly LookupEntry[];
}

/** One client row, with the buckets that hold it. */
export interface RowOutput {
  /** Client table name. */
  readonly objectType: string;
  /** Text of the output column `id`; empty when it is missing. */
  readonly objectId: string;
  /** JSON text of the output columns (spec/sync-config.md 13.2). */
  readonly data: string;
  /** Full bucket names as sent to clients, without duplicates. */
  readonly buckets: readonly string[];
}

/** An index entry that a row adds for finding a request's buckets (spec/sync-config.md 11.3). */
export interface LookupEntry {
  /** `<lookup id>[<key values as compact JSON>]`; opaque to storage. */
  readonly key: string;
  /** JSON array text of the output values; opaque to storage. */
  readonly values: string;
}
