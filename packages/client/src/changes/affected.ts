import type { SqlParameter } from '../driver/contract.ts';
import type { ChangeSet, TableChange } from './change-set.ts';
import type { ReadColumns } from './read-set.ts';
import { mayMatch } from './row-filter.ts';
import type { StatementReads } from './statement-analyzer.ts';

/** Whether a commit may change a query's result. False is certain, true is not. */
export function isAffected(
  { tables, filter }: StatementReads,
  parameters: readonly SqlParameter[],
  changes: ChangeSet,
): boolean {
  if (tables === 'everything') return changes.size > 0;
  for (const [name, columns] of tables) {
    const change = changes.get(name);
    if (change === undefined || !columnsMeet(columns, change)) continue;
    if (filter?.table === name && !mayMatch(filter, change, parameters)) continue;
    return true;
  }
  return false;
}

function columnsMeet(read: ReadColumns, { columns }: TableChange): boolean {
  if (read === 'all' || columns === 'all') return true;
  return [...columns].some((name) => read.has(name));
}
