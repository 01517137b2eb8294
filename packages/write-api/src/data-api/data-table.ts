import type { TargetColumn, TargetTable } from '../postgres/target-table.ts';

export type DataColumn = TargetColumn;

/** What the data API knows of a table. */
export interface DataTable extends Pick<TargetTable, 'schema' | 'name' | 'idColumn'> {
  /** All of them, in their order, generated ones too. */
  readonly columns: ReadonlyMap<string, DataColumn>;
}
