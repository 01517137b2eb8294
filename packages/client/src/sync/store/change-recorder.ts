import type { ChangeSet, KnownValues, RowChange, TableChange } from '../../changes/change-set.ts';
import type { SqlValue } from '../../driver/contract.ts';
import type { CompiledTable } from '../../schema/compiled-schema.ts';

/** Of more rows than this only the table is told. */
const TOLD_ROWS = 500;

const UNKNOWN: KnownValues = new Map();

/** What a publish changes, for live queries. What was there before is not known, which costs no query. */
export class ChangeRecorder {
  readonly #tables = new Map<string, RowChange[] | 'many'>();

  written({ viewName, columns }: CompiledTable, id: string, values: readonly SqlValue[]): void {
    const rows = this.#rowsOf(viewName);
    if (rows === 'many') return;
    const after = new Map<string, SqlValue>([['id', id]]);
    columns.forEach(({ name }, index) => after.set(name.toLowerCase(), values[index] ?? null));
    this.#add(viewName, rows, { id, before: UNKNOWN, after });
  }

  removed({ viewName }: CompiledTable, id: string): void {
    const rows = this.#rowsOf(viewName);
    if (rows !== 'many') this.#add(viewName, rows, { id, before: UNKNOWN, after: undefined });
  }

  many({ viewName }: CompiledTable): void {
    this.#tables.set(viewName.toLowerCase(), 'many');
  }

  changes(): ChangeSet {
    const told = [...this.#tables].map(([table, rows]): [string, TableChange] => [
      table,
      { columns: 'all', rows },
    ]);
    return new Map(told);
  }

  #rowsOf(table: string): RowChange[] | 'many' {
    return this.#tables.get(table.toLowerCase()) ?? [];
  }

  #add(table: string, rows: RowChange[], change: RowChange): void {
    if (rows.length === TOLD_ROWS) {
      this.#tables.set(table.toLowerCase(), 'many');
      return;
    }
    rows.push(change);
    this.#tables.set(table.toLowerCase(), rows);
  }
}
