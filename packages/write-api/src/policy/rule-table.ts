import type { TargetColumn } from '../postgres/target-table.ts';

/** What rules must know of a table; `TargetTable` is one. */
export interface RuleTable {
  readonly name: string;
  readonly columns: ReadonlyMap<string, TargetColumn>;
}
