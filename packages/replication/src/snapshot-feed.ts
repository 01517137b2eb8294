import { SourceError } from '@sluice/base';
import type { SnapshotChunk, SourceReplication } from '@sluice/source';
import type { ReplicatedTable } from './replicated-table.ts';

/** A step of a table's snapshot, for the replication loop to apply. */
export type SnapshotStep =
  | {
      readonly kind: 'snapshot-start';
      readonly table: ReplicatedTable;
      readonly attempt: number;
      readonly estimatedRows: number | undefined;
    }
  | {
      readonly kind: 'snapshot-chunk';
      readonly table: ReplicatedTable;
      readonly attempt: number;
      readonly chunk: SnapshotChunk;
    }
  | { readonly kind: 'snapshot-end'; readonly table: ReplicatedTable; readonly attempt: number }
  /** The table was dropped or changed meanwhile, so that it cannot be read as it is known. */
  | { readonly kind: 'snapshot-gone'; readonly table: ReplicatedTable; readonly attempt: number }
  | { readonly kind: 'snapshots-end' };

/**
 * Reads the snapshots of the given tables one after the other. A table without a key cannot be
 * resumed: the caller has emptied it, and its rows come again from the start.
 */
export async function* snapshotSteps(
  replication: SourceReplication,
  tables: readonly ReplicatedTable[],
  signal: AbortSignal,
): AsyncGenerator<SnapshotStep> {
  for (const table of tables) {
    if (table.snapshotDone) continue;
    const { attempt } = table;
    try {
      yield* tableSteps(replication, table, signal);
    } catch (error) {
      if (!isTableChanged(error)) throw error;
      yield { kind: 'snapshot-gone', table, attempt };
    }
  }
  yield { kind: 'snapshots-end' };
}

async function* tableSteps(
  replication: SourceReplication,
  table: ReplicatedTable,
  signal: AbortSignal,
): AsyncGenerator<SnapshotStep> {
  const { attempt, state } = table;
  const isFresh = table.isKeyless || state.snapshot.kind === 'done';
  const progress = isFresh ? undefined : state.snapshot.progress;
  const snapshot = await table.open(replication.snapshot(table.source, { progress, signal }));
  yield { kind: 'snapshot-start', table, attempt, estimatedRows: snapshot.estimatedRows };
  for await (const chunk of snapshot.chunks) {
    yield { kind: 'snapshot-chunk', table, attempt, chunk };
    if (table.attempt !== attempt) break;
  }
  yield { kind: 'snapshot-end', table, attempt };
}

/** Whether a table was dropped or altered while it was read. */
export function isTableChanged(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'SOURCE_TABLE_CHANGED';
}
