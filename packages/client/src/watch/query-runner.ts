import type { ChangeSet } from '../changes/change-set.ts';
import type { StatementReads } from '../changes/statement-analyzer.ts';
import type { SqlParameter, SqlValue } from '../driver/contract.ts';

/** What live queries need of a database; everything may happen on another thread. */
export interface QueryRunner {
  /** The current rows. Each row's values stand in the order of `columns`. An aborted run may still resolve. */
  run(sql: string, parameters: readonly SqlParameter[], signal: AbortSignal): Promise<RawRows>;
  /** What the query reads under the current schema. */
  analyse(sql: string): Promise<StatementReads>;
  readonly changes: ChangeFeed;
}

export interface RawRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
}

/**
 * Tells of everything that may change results, after it is visible to `run`. A commit of this thread is told
 * before its promise resolves, so that whoever awaited a write never sees a live query without it.
 */
export interface ChangeFeed {
  /** Returns how to stop it; repeatable. */
  subscribe(listener: (event: ChangeEvent) => void): () => void;
}

export type ChangeEvent =
  | { readonly kind: 'committed'; readonly changes: ChangeSet }
  /** Tables are others now: everything has to be looked at again. */
  | { readonly kind: 'schema' }
  /** Entries left the upload queue, which no query of an app reads. */
  | { readonly kind: 'uploaded' }
  | { readonly kind: 'closed' };
