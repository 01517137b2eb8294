import { StorageError } from '@sluice/base';
import type { SourcePosition } from '@sluice/model';

/**
 * Where to go on after a restart: after the transaction that ended at `position`, and, if a part of
 * the next one is already stored, after that many of its row changes. The source repeats a
 * transaction with the same changes in the same order, so counting them is exact.
 */
export interface ResumePoint {
  readonly position: SourcePosition;
  readonly partial: { readonly transactionId: string; readonly changes: number } | undefined;
  /** No checkpoint before the stream has passed this; empty when there is nothing to wait for. */
  readonly waitFor: SourcePosition;
}

const START: ResumePoint = { position: '', partial: undefined, waitFor: '' };

export function formatResumePoint(point: ResumePoint): string {
  return JSON.stringify(point);
}

/** @throws StorageError `STORAGE_CORRUPT` for text that `formatResumePoint` did not make. */
export function parseResumePoint(text: string | undefined): ResumePoint {
  if (text === undefined) return START;
  const parsed = JSON.parse(text) as Partial<ResumePoint>;
  if (typeof parsed.position !== 'string' || typeof parsed.waitFor !== 'string') {
    throw new StorageError('STORAGE_CORRUPT', 'The stored replication position is unreadable');
  }
  return { position: parsed.position, partial: parsed.partial, waitFor: parsed.waitFor };
}
