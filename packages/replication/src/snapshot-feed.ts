import { SourceError, toAppError, type AppError } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';
import type { ChangeSource, SnapshotChunk, SourceReplication } from '@sluice/source';
import type { ReplicatedTable } from './replicated-table.ts';

/**
 * Snapshots are read one after the other in each of two lanes: those that the serving config needs,
 * which hold back checkpoints, do not wait for those of a config that is being filled.
 */
export type SnapshotLane = 'serving' | 'background';

/** A step of a table's snapshot, for the replication loop to apply. */
export type SnapshotStep =
  TableStep | { readonly kind: 'snapshots-end'; readonly lane: SnapshotLane };

export type TableStep = { readonly table: ReplicatedTable; readonly attempt: number } & (
  | { readonly kind: 'snapshot-start'; readonly estimatedRows: number | undefined }
  | { readonly kind: 'snapshot-chunk'; readonly chunk: SnapshotChunk }
  /** `head`: the rows that are there no more were gone by then. */
  | { readonly kind: 'snapshot-end'; readonly head: SourcePosition }
  /** The table was dropped or changed meanwhile, so that it cannot be read as it is known. */
  | { readonly kind: 'snapshot-gone' }
  /** The table could not be read; only in the lane in which nobody is held up by that. */
  | { readonly kind: 'snapshot-failed'; readonly error: AppError }
);

export interface SnapshotFeedOptions {
  readonly source: Pick<ChangeSource, 'head'>;
  readonly replication: Pick<SourceReplication, 'snapshot'>;
  readonly lane: SnapshotLane;
  readonly signal: AbortSignal;
}

/**
 * Reads the snapshots of the given tables one after the other. A table without a key cannot be
 * resumed: the caller has emptied it, and its rows come again from the start.
 */
export async function* snapshotSteps(
  tables: readonly ReplicatedTable[],
  options: SnapshotFeedOptions,
): AsyncGenerator<SnapshotStep> {
  for (const table of tables) {
    if (table.snapshotDone || table.isRemoved) continue;
    const { attempt } = table;
    try {
      yield* tableSteps(table, options);
    } catch (error) {
      if (isTableChanged(error)) yield { kind: 'snapshot-gone', table, attempt };
      else if (options.lane === 'serving' || options.signal.aborted) throw error;
      else yield { kind: 'snapshot-failed', table, attempt, error: toAppError(error) };
    }
  }
  yield { kind: 'snapshots-end', lane: options.lane };
}

async function* tableSteps(
  table: ReplicatedTable,
  { source, replication, signal }: SnapshotFeedOptions,
): AsyncGenerator<SnapshotStep> {
  const { attempt, state } = table;
  const isFresh = table.isKeyless || state.snapshot.kind === 'done';
  const progress = isFresh ? undefined : state.snapshot.progress;
  const snapshot = await table.open(replication.snapshot(table.source, { progress, signal }));
  yield { kind: 'snapshot-start', table, attempt, estimatedRows: snapshot.estimatedRows };
  for await (const chunk of snapshot.chunks) {
    yield { kind: 'snapshot-chunk', table, attempt, chunk };
    if (table.attempt !== attempt) return;
  }
  const head = snapshot.exactAt ?? (await source.head());
  yield { kind: 'snapshot-end', table, attempt, head };
}

/** Whether a table was dropped or altered while it was read. */
export function isTableChanged(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'SOURCE_TABLE_CHANGED';
}
