import type { SourcePosition } from '@sluice/model';
import type { SourceTable } from '@sluice/source';
import type { StoredTable } from '@sluice/storage';

/** What is remembered of a replicated table across restarts. */
export interface TableState {
  /** The fill that the rows were read for; every fill has tables of its own. */
  readonly fill: number;
  readonly relationId: string;
  readonly schema: string;
  readonly name: string;
  /** Names of the key columns, in order; part of every stored row key. */
  readonly keyColumns: readonly string[];
  readonly snapshot: SnapshotState;
  /** For tables without a key: changes that committed at or before this are in the snapshot. */
  readonly exactAt: SourcePosition | undefined;
  /** The rows may show states up to this: no checkpoint may before the stream has passed it. */
  readonly waitFor: SourcePosition;
}

export type SnapshotState =
  | { readonly kind: 'pending'; readonly progress: string | undefined; readonly rowsDone: number }
  | { readonly kind: 'done' };

export const NOT_STARTED: SnapshotState = { kind: 'pending', progress: undefined, rowsDone: 0 };

export function newTableState(table: SourceTable, fill: number): TableState {
  return {
    fill,
    relationId: table.relationId,
    schema: table.schema,
    name: table.name,
    keyColumns: keyColumnNames(table),
    snapshot: NOT_STARTED,
    exactAt: undefined,
    waitFor: '',
  };
}

export function parseTableState(stored: StoredTable): TableState {
  return JSON.parse(stored.state) as TableState;
}

export function storedTable(id: number, state: TableState): StoredTable {
  return { id, state: JSON.stringify(state) };
}

function keyColumnNames(table: SourceTable): string[] {
  return table.keyColumns.map((index) => table.columns[index]?.name ?? '');
}

/**
 * Whether rows stored under `state` still mean the same for `table`: same relation, same name, same
 * key. Other columns may come and go; they show for rows that change afterwards.
 */
export function isSameTable(state: TableState, table: SourceTable): boolean {
  const keys = keyColumnNames(table);
  return (
    state.relationId === table.relationId &&
    state.schema === table.schema &&
    state.name === table.name &&
    state.keyColumns.length === keys.length &&
    state.keyColumns.every((name, index) => name === keys[index])
  );
}
