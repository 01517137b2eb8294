import type { ChangeSet, TableChange } from './change-set.ts';

const EVERYTHING: TableChange = { columns: 'all', rows: 'many' };

/**
 * Changes of rows, with what the app's triggers wrote when they happened: full-text indexes, totals and the like.
 * Whoever changes rows other than by statements of the app has to add it, as published rows fire triggers too.
 */
export function withTriggered(
  changes: ChangeSet,
  triggeredBy: (table: string) => ReadonlySet<string>,
): ChangeSet {
  const all = new Map(changes);
  for (const table of changes.keys()) {
    for (const name of triggeredBy(table)) {
      if (!name.startsWith('sluice_')) all.set(name, EVERYTHING);
    }
  }
  return all;
}
