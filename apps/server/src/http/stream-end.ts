import { AppError, ERROR_TABLE, failureFacts, type Logger } from '@sluice/base';
import type { SentCounts } from './backend.ts';

/** Why streams end; metrics count them by it. */
export const END_REASONS = [
  'client_left',
  'client_too_slow',
  'token_expired',
  'shutting_down',
  'config_changed',
  'failed',
] as const;
export type EndReason = (typeof END_REASONS)[number];

export interface StreamEnd {
  /** What the stream failed with, if it did. */
  readonly error: unknown;
  /** The failure was the answer to the request, and is logged as that. */
  readonly isAnswered: boolean;
  readonly hasClientLeft: boolean;
  readonly isStopping: boolean;
  readonly expiresAtMs: number;
  readonly nowMs: number;
}

/** The first that explains the end: when a client has left, what fails afterwards fails because of it. */
export function endReason(end: StreamEnd): EndReason {
  if (end.error instanceof AppError && end.error.code === 'SYNC_CLIENT_TOO_SLOW') {
    return 'client_too_slow';
  }
  if (end.hasClientLeft) return 'client_left';
  if (end.error !== undefined) return 'failed';
  if (end.nowMs >= end.expiresAtMs) return 'token_expired';
  return end.isStopping ? 'shutting_down' : 'config_changed';
}

/** The one line that says how a connection went. */
export function logStreamEnd(
  logger: Logger,
  reason: EndReason,
  end: StreamEnd,
  about: {
    readonly facts: Readonly<Record<string, unknown>>;
    readonly openedAtMs: number;
    readonly sent: SentCounts | undefined;
  },
): void {
  const { linesSent, opsSent, bytesSent } = about.sent ?? {};
  const openMs = end.nowMs - about.openedAtMs;
  const counts = { openMs, linesSent, opsSent, bytesSent };
  if ((reason !== 'failed' && reason !== 'client_too_slow') || end.isAnswered) {
    logger.info('stream_closed', { ...about.facts, reason, ...counts });
    return;
  }
  const failure = failureFacts(end.error);
  const level = ERROR_TABLE[failure.code].logLevel;
  logger[level]('stream_closed', { ...about.facts, reason, ...failure, ...counts });
}
