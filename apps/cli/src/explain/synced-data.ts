import type { BucketPrefixes, LookupFunction, SyncPlan } from '@sluice/sync-config';

/** A config together with what it makes of the database: where answers are looked up. */
export interface SyncedData extends AsyncDisposable {
  readonly plan: SyncPlan;
  readonly prefixes: BucketPrefixes;
  readonly lookup: LookupFunction;
  /** The rows that a client gets from a bucket; fewer where a limit was reached, see `gaps`. */
  rowsOf(bucket: string): Promise<readonly ClientRow[]>;
  /** Where the answers come from, in a few words. */
  readonly origin: string;
  /** What the answers so far may lack, because a limit was reached. */
  gaps(): readonly string[];
}

export interface ClientRow {
  /** Client table. */
  readonly objectType: string;
  readonly objectId: string;
  /** JSON text. */
  readonly data: string;
}
