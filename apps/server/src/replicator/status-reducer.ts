import type { ReplicationStatus as PhaseStatus } from '@sluice/replication';
import type { ReplicationStatus } from '../service-status.ts';
import type { FromReplicator, ReplicatorFailure } from './messages.ts';

export function emptyStatus(nowMs: number): ReplicationStatus {
  return { state: 'starting', rowsTotal: 0, touchedAtMs: nowMs };
}

type Progress = Extract<FromReplicator, { readonly kind: 'heartbeat' | 'status' | 'lag' }>;

/** The status after a sign of life of the replicator. */
export function statusAfterMessage(
  status: ReplicationStatus,
  message: Progress,
  nowMs: number,
): ReplicationStatus {
  switch (message.kind) {
    case 'heartbeat':
      return { ...status, touchedAtMs: nowMs };
    case 'lag':
      return { ...status, lagBytes: message.lagBytes, touchedAtMs: nowMs };
    case 'status':
      // While a new generation is filled beside the old one, the new one is what there is to see.
      return message.status.generationId < (status.generationId ?? 0)
        ? { ...status, touchedAtMs: nowMs }
        : withTimes(
            status,
            { ...status, ...phaseFacts(message.status), touchedAtMs: nowMs },
            nowMs,
          );
  }
}

/** Notes when the checkpoint and the position last moved. */
function withTimes(
  before: ReplicationStatus,
  after: ReplicationStatus,
  nowMs: number,
): ReplicationStatus {
  const { checkpointOpId, position } = after;
  const hasCheckpoint = checkpointOpId !== undefined && checkpointOpId !== before.checkpointOpId;
  const hasMoved = position !== undefined && position !== before.position;
  return {
    ...after,
    ...(hasCheckpoint ? { lastCheckpointAtMs: nowMs } : {}),
    ...(hasCheckpoint || hasMoved ? { lastProgressAtMs: nowMs } : {}),
  };
}

function phaseFacts(
  phase: PhaseStatus,
): Partial<ReplicationStatus> & Pick<ReplicationStatus, 'state'> {
  const isConnected = phase.phase !== 'connecting';
  return {
    state: phase.phase === 'snapshot' ? 'snapshotting' : phase.phase,
    generationId: phase.generationId,
    snapshot: phase.snapshot && {
      table: phase.snapshot.table,
      tablesDone: phase.snapshot.tablesDone,
      tablesTotal: phase.snapshot.tablesTotal,
      rowsDone: phase.snapshot.rowsDone,
      rowsEstimated: phase.snapshot.estimatedRows,
    },
    position: phase.position === '' ? undefined : phase.position,
    checkpointOpId: phase.checkpointOpId?.toString(),
    lagMs: phase.commitLagMs,
    rowsTotal: phase.rowsTotal,
    ...(isConnected ? { lastError: undefined } : {}),
  };
}

/** What is known of the position stays; what described the work that has ended goes. */
export function statusAfterFailure(
  status: ReplicationStatus,
  failure: ReplicatorFailure,
  nowMs: number,
): ReplicationStatus {
  const { code, message, remedy } = failure;
  const isSame = status.lastError?.code === code;
  const sinceMs = isSame ? (status.lastError?.sinceMs ?? nowMs) : nowMs;
  return {
    ...status,
    state: 'waiting',
    generationId: undefined,
    snapshot: undefined,
    lastError: { code, message, remedy, sinceMs },
    touchedAtMs: nowMs,
  };
}
