import type { JsonObject } from '@sluice/base';
import type { LogRetention } from '@sluice/source';

const MINUTE_MS = 60_000;
const WARNING_MS = 5 * MINUTE_MS;
const FATAL_MS = 15 * MINUTE_MS;
/** From here on the change log that the source may keep is called short. */
const SHORT_BUDGET = 0.5;

/** A replication that has shown no progress for long (spec/protocol.md 1.3). */
export function ageErrors(lastProgressAtMs: number, nowMs: number): JsonObject[] {
  const ageMs = nowMs - lastProgressAtMs;
  if (ageMs <= WARNING_MS) return [];
  const level = ageMs > FATAL_MS ? 'fatal' : 'warning';
  const minutes = Math.floor(ageMs / MINUTE_MS);
  const ts = new Date(nowMs).toISOString();
  return [{ level, message: `No checkpoint or keepalive for ${minutes} minutes`, ts }];
}

/** The change log that the source still keeps for us is lost, or about to be. */
export function retentionErrors(retention: LogRetention | undefined): JsonObject[] {
  if (retention === undefined) return [];
  const { status, remainingBytes, limitBytes } = retention;
  if (status === 'lost') {
    return [{ level: 'fatal', message: 'The replication slot is lost; everything is read again' }];
  }
  if (remainingBytes === undefined || limitBytes === undefined || limitBytes === 0) return [];
  const share = remainingBytes / limitBytes;
  if (share > SHORT_BUDGET) return [];
  const percent = Math.max(0, Math.round(share * 100));
  const message =
    `${percent}% of max_slot_wal_keep_size is left for the replication slot: ` +
    'replication is too slow, or the limit too low';
  return [{ level: 'warning', message }];
}
