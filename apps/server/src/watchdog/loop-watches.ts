import { toAppError } from '@sluice/base';
import type { HubVitals } from '@sluice/sync';
import type { ReplicationStatus } from '../service-status.ts';
import { isErrorCode } from '../replicator/messages.ts';
import type { Fault, Watch } from './health.ts';

/** Without a sign of life for so long, a loop is called stalled (spec/protocol.md 1.2). */
const SILENT_MS = 10_000;
/** Behind the head of the source and not moving for so long. One large transaction takes its time. */
const STANDING_MS = 60_000;

/** The replicator thread says every second that it turns. */
export function replicatorWatch(status: () => ReplicationStatus): Watch {
  return {
    component: 'replicator',
    fails: ['liveness'],
    check: (nowMs) => {
      const { state, touchedAtMs } = status();
      if (state === 'off' || state === 'stopped') return undefined;
      return silence('The replicator thread', nowMs - touchedAtMs);
    },
  };
}

/** Replication waits out a failure, or does not come closer to the head of the source. */
export function replicationWatch(status: () => ReplicationStatus): Watch {
  let moved = '';
  let movedAtMs: number | undefined;
  return {
    component: 'replication',
    fails: [],
    check: (nowMs) => {
      const { state, lastError, lagBytes = 0, position, rowsTotal } = status();
      const progress = `${position} ${rowsTotal}`;
      const mayStand = state !== 'streaming' || lagBytes === 0;
      if (mayStand || movedAtMs === undefined || progress !== moved) movedAtMs = nowMs;
      moved = progress;
      if (state === 'waiting' && lastError !== undefined) {
        const code = isErrorCode(lastError.code) ? lastError.code : 'INTERNAL_BUG';
        const { message, remedy } = lastError;
        return { code, message, remedy, isLogged: true };
      }
      if (nowMs - movedAtMs <= STANDING_MS) return undefined;
      const text = `Replication is ${lagBytes} bytes behind and has not moved`;
      return { code: 'HEALTH_LOOP_STALLED', message: `${text} for ${seconds(nowMs - movedAtMs)}` };
    },
  };
}

/** A checkpoint that storage has is told to clients soon. */
export function feedWatch(vitals: () => HubVitals | undefined): Watch {
  let served = '';
  let aliveAtMs: number | undefined;
  return {
    component: 'sync_feed',
    fails: ['liveness', 'readiness'],
    check: (nowMs) => {
      const feed = vitals()?.feed;
      const now = feed === undefined ? '' : text(feed.served);
      let isUpToDate: boolean;
      try {
        isUpToDate = feed === undefined || now === text(feed.stored());
      } catch (error) {
        const { code, message, remedy } = toAppError(error);
        return { code, message, remedy };
      }
      if (isUpToDate || aliveAtMs === undefined || now !== served) aliveAtMs = nowMs;
      served = now;
      return silence('What tells clients of new checkpoints', nowMs - aliveAtMs);
    },
  };
}

/** Keepalives and expiring tokens are looked at once a second. */
export function keepaliveWatch(vitals: () => HubVitals | undefined): Watch {
  let begunAtMs: number | undefined;
  return {
    component: 'keepalives',
    fails: ['liveness'],
    check: (nowMs) => {
      const known = vitals();
      if (known === undefined) return undefined;
      begunAtMs ??= nowMs;
      const turnedAtMs = known.wheelTurnedAtMs ?? begunAtMs;
      return silence('What sends keepalives', nowMs - turnedAtMs);
    },
  };
}

function text({ opId, position }: { readonly opId: bigint; readonly position: string }): string {
  return `${opId} ${position}`;
}

function silence(subject: string, silentMs: number): Fault | undefined {
  if (silentMs < SILENT_MS) return undefined;
  const message = `${subject} gave no sign of life for ${seconds(silentMs)}`;
  return { code: 'HEALTH_LOOP_STALLED', message };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
