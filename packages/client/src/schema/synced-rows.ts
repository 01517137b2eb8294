import type { CompiledTable } from './compiled-schema.ts';

/** Where the rows of a synced table are while the app's schema does not have it: the sync store knows. */
export interface SyncedRows {
  /**
   * The table was just made and is empty: puts in the rows that were synced before. It has no indexes yet, not even
   * that on `id`, and no triggers.
   */
  adoptRows(table: CompiledTable): void;
  /**
   * The table is about to be dropped: keeps its rows as the server has them (`sluice_shadow` where there is one,
   * and `sluice_rest`). Triggers are switched off.
   */
  releaseRows(table: CompiledTable): void;
}
