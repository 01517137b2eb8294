import type { OpId, SourcePosition } from '@sluice/model';
import type { ReplicatedTable } from './replicated-table.ts';

/** What the replication of one generation is doing; reported whenever it changes notably. */
export interface ReplicationStatus {
  readonly generationId: number;
  readonly phase: 'connecting' | 'snapshot' | 'streaming';
  readonly snapshot: SnapshotStatus | undefined;
  /** Everything up to here has been taken from the source. */
  readonly position: SourcePosition;
  /** The newest published checkpoint (0n for a source without rows); undefined before the first. */
  readonly checkpointOpId: OpId | undefined;
  /** Row changes and snapshot rows taken since the start. */
  readonly rowsTotal: number;
  /** Age of the last source commit when it was published; undefined before the first. */
  readonly commitLagMs: number | undefined;
}

export interface SnapshotStatus {
  readonly table: string;
  readonly tablesDone: number;
  readonly tablesTotal: number;
  readonly rowsDone: number;
  readonly estimatedRows: number | undefined;
}

/** Where the snapshots stand while `table` is read. */
export function snapshotStatus(
  table: ReplicatedTable,
  all: readonly ReplicatedTable[],
  estimatedRows: number | undefined,
): SnapshotStatus {
  const { snapshot } = table.state;
  return {
    table: `${table.source.schema}.${table.source.name}`,
    tablesDone: all.filter((other) => other.snapshotDone).length,
    tablesTotal: all.length,
    rowsDone: snapshot.kind === 'pending' ? snapshot.rowsDone : 0,
    estimatedRows,
  };
}
