import type { LogRetention } from '@sluice/source';
import type { Fault } from './health.ts';

/** Shares of the change log that the source may keep, from which on it is called short, and ending. */
const SHORT_BUDGET = 0.5;
const ENDING_BUDGET = 0.15;

/**
 * What share of the change log that the source keeps for us is left, 0 to 1; undefined where the
 * source keeps as much as is needed.
 */
export function budgetLeft(retention: LogRetention): number | undefined {
  const { status, remainingBytes, limitBytes } = retention;
  if (status === 'lost') return 0;
  if (remainingBytes === undefined || limitBytes === undefined || limitBytes === 0)
    return undefined;
  return Math.min(1, Math.max(0, remainingBytes / limitBytes));
}

/** What is wrong with the change log that is kept for us (spec/protocol.md 1.3), and what to do. */
export function budgetFault(retention: LogRetention): Fault | undefined {
  const { status } = retention;
  if (status === 'lost') {
    return {
      code: 'SOURCE_LOG_BUDGET_SPENT',
      message: 'The replication slot is lost; everything is read again',
    };
  }
  const left = budgetLeft(retention);
  const isEnding = status === 'unreserved' || (left !== undefined && left <= ENDING_BUDGET);
  if (!isEnding && (left === undefined || left > SHORT_BUDGET)) return undefined;
  const share = left === undefined ? 'Little' : `${Math.round(left * 100)}%`;
  return {
    code: isEnding ? 'SOURCE_LOG_BUDGET_SPENT' : 'SOURCE_LOG_BUDGET_LOW',
    message:
      `${share} of max_slot_wal_keep_size is left for the replication slot: ` +
      'replication is too slow, or the limit too low',
  };
}
