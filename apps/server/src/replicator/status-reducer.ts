import type { ReplicationStatus as PhaseStatus, SnapshotStatus } from '@sluice/replication';
import type { GenerationStatus, ReplicationStatus, SnapshotProgress } from '../service-status.ts';
import type { FromReplicator, ReplicatorFailure } from './messages.ts';

export function emptyStatus(nowMs: number): ReplicationStatus {
  return { state: 'starting', generations: [], rowsTotal: 0, touchedAtMs: nowMs };
}

type Progress = Extract<FromReplicator, { readonly kind: 'heartbeat' | 'status' | 'lags' }>;

/** The status after a sign of life of the replicator. */
export function statusAfterMessage(
  status: ReplicationStatus,
  message: Progress,
  nowMs: number,
): ReplicationStatus {
  switch (message.kind) {
    case 'heartbeat':
      return { ...status, touchedAtMs: nowMs };
    case 'lags':
      // No sign of life: it comes from beside the replication.
      return afterLags(status, message.lags);
    case 'status':
      return afterPhase({ ...status, touchedAtMs: nowMs }, message.status, nowMs);
  }
}

type Lags = Extract<FromReplicator, { readonly kind: 'lags' }>['lags'];

/** Lags come for all generations that there are; others have been removed. */
function afterLags(status: ReplicationStatus, lags: Lags): ReplicationStatus {
  const lagOf = new Map(lags.map(({ generationId, lagBytes }) => [generationId, lagBytes]));
  const generations = status.generations
    .filter(({ id }) => lagOf.has(id))
    .map((generation) => ({ ...generation, lagBytes: lagOf.get(generation.id) }));
  const { generationId } = status;
  if (generationId === undefined) return { ...status, generations };
  return lagOf.has(generationId)
    ? { ...status, generations, lagBytes: lagOf.get(generationId) ?? status.lagBytes }
    : { ...status, generations, generationId: undefined };
}

function afterPhase(
  status: ReplicationStatus,
  phase: PhaseStatus,
  nowMs: number,
): ReplicationStatus {
  const generations = withGeneration(status.generations, phase, nowMs);
  // While a new generation is filled beside the old one, the new one is what there is to see.
  return phase.generationId < (status.generationId ?? 0)
    ? { ...status, generations }
    : { ...status, generations, ...phaseFacts(phase) };
}

function withGeneration(
  generations: readonly GenerationStatus[],
  phase: PhaseStatus,
  nowMs: number,
): readonly GenerationStatus[] {
  const before = generations.find(({ id }) => id === phase.generationId);
  const position = phase.position === '' ? undefined : phase.position;
  const hasMoved = position !== undefined && position !== before?.position;
  const isPublished = phase.checkpointOpId !== undefined;
  const after: GenerationStatus = {
    ...before,
    id: phase.generationId,
    position,
    configs: phase.configs,
    ...(hasMoved ? { lastProgressAtMs: nowMs } : {}),
    ...(hasMoved && isPublished ? { lastCheckpointAtMs: nowMs } : {}),
  };
  return [...generations.filter(({ id }) => id !== after.id), after].toSorted(
    (a, b) => a.id - b.id,
  );
}

function phaseFacts(
  phase: PhaseStatus,
): Partial<ReplicationStatus> & Pick<ReplicationStatus, 'state'> {
  const isConnected = phase.phase !== 'connecting';
  const next = phase.configs.find(({ role }) => role === 'next');
  return {
    state: phase.phase === 'snapshot' ? 'snapshotting' : phase.phase,
    generationId: phase.generationId,
    snapshot: progress(phase.snapshot),
    fill: next && !next.isFilled ? (progress(next.snapshot) ?? notYetReading(next)) : undefined,
    position: phase.position === '' ? undefined : phase.position,
    checkpointOpId: phase.checkpointOpId?.toString(),
    lagMs: phase.commitLagMs,
    rowsTotal: phase.rowsTotal,
    ...(isConnected ? { lastError: undefined } : {}),
  };
}

function progress(snapshot: SnapshotStatus | undefined): SnapshotProgress | undefined {
  return (
    snapshot && {
      table: snapshot.table,
      tablesDone: snapshot.tablesDone,
      tablesTotal: snapshot.tablesTotal,
      rowsDone: snapshot.rowsDone,
      rowsEstimated: snapshot.estimatedRows,
    }
  );
}

function notYetReading(next: PhaseStatus['configs'][number]): SnapshotProgress {
  return { tablesDone: next.tablesDone, tablesTotal: next.tablesTotal, rowsDone: 0 };
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
    fill: undefined,
    lastError: { code, message, remedy, sinceMs },
    touchedAtMs: nowMs,
  };
}
