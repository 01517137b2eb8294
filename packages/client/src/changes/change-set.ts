import type { SqlValue } from '../driver/contract.ts';

/** What one commit changed, for live queries: by table in the app's SQL, names in lower case. */
export type ChangeSet = ReadonlyMap<string, TableChange>;

export interface TableChange {
  /** Columns whose values may differ, in lower case; `all` where rows came or went, or nobody knows. */
  readonly columns: ReadonlySet<string> | 'all';
  /** The rows concerned with their values before and after; `many` where there are too many to tell, or nobody knows. */
  readonly rows: readonly RowChange[] | 'many';
}

export interface RowChange {
  readonly id: string;
  /** By column in lower case; undefined if the row was not there. A column that is missing is not known. */
  readonly before: KnownValues | undefined;
  readonly after: KnownValues | undefined;
}

export type KnownValues = ReadonlyMap<string, SqlValue>;
