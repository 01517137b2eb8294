import { ERROR_TABLE, type JsonObject } from '@sluice/base';
import type { LogRetention } from '@sluice/source';
import { budgetFault } from '../watchdog/log-budget.ts';

const MINUTE_MS = 60_000;
const WARNING_MS = 5 * MINUTE_MS;
const FATAL_MS = 15 * MINUTE_MS;

/** A replication that has shown no progress for long (spec/protocol.md 1.3). */
export function ageErrors(lastProgressAtMs: number, nowMs: number): JsonObject[] {
  const ageMs = nowMs - lastProgressAtMs;
  if (ageMs <= WARNING_MS) return [];
  const level = ageMs > FATAL_MS ? 'fatal' : 'warning';
  const minutes = Math.floor(ageMs / MINUTE_MS);
  const ts = new Date(nowMs).toISOString();
  return [{ level, message: `No checkpoint or keepalive for ${minutes} minutes`, ts }];
}

/** The change log that the source still keeps for us is lost, or about to be, and what to do. */
export function retentionErrors(retention: LogRetention | undefined): JsonObject[] {
  const fault = retention && budgetFault(retention);
  if (fault === undefined) return [];
  const { remedy } = ERROR_TABLE[fault.code];
  const level = fault.code === 'SOURCE_LOG_BUDGET_LOW' ? 'warning' : 'fatal';
  return [{ level, message: `${fault.message}. ${remedy}` }];
}
