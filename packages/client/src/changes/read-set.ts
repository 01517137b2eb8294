import { changeName, type CatalogColumn, type CatalogTable } from './schema-catalog.ts';

/** Columns in lower case. Rows that come or go matter always, also to a query that reads no column (`count(*)`). */
export type ReadColumns = ReadonlySet<string> | 'all';

/** By table, named as in a `ChangeSet`; `everything` where nobody can know. */
export type ReadSet = ReadonlyMap<string, ReadColumns> | 'everything';

/** Collects reads; once everything, always everything. */
export class ReadsInProgress {
  readonly #tables = new Map<string, Set<string> | 'all'>();
  #everything = false;

  get result(): ReadSet {
    return this.#everything ? 'everything' : this.#tables;
  }

  add(table: CatalogTable, columns: readonly CatalogColumn[] | 'all'): void {
    // A generated column changes with the columns that it is made of; which ones is not told.
    const whole = columns === 'all' || columns.some(({ generated }) => generated);
    this.#add(changeName(table), whole ? 'all' : new Set(columns.map(({ name }) => name)));
  }

  addAll(reads: ReadSet): void {
    if (reads === 'everything') this.#everything = true;
    else for (const [name, columns] of reads) this.#add(name, columns);
  }

  addTable(name: string): void {
    this.#add(name, 'all');
  }

  #add(name: string, columns: ReadColumns): void {
    const known = this.#tables.get(name);
    if (known === 'all') return;
    if (columns === 'all') this.#tables.set(name, 'all');
    else this.#tables.set(name, new Set([...(known ?? []), ...columns]));
  }
}
