import { StorageError } from '@sluice/base';
import type { SourcePosition, TablePattern } from '@sluice/model';
import type { Discarded } from '@sluice/storage';

/** What replication itself remembers with every batch. */
export interface ResumePoint {
  /** Where to go on after a restart: after the transaction that ended here. */
  readonly position: SourcePosition;
  readonly partial: PartialTransaction | undefined;
  /** No checkpoint before the stream has passed this; empty when there is nothing to wait for. */
  readonly notBefore: SourcePosition;
  /** Ids of tables below this have been given out. */
  readonly nextTableId: number;
  /** What no config has any more and still lies in storage. */
  readonly discard: Discarded;
  /** When the serving config took over from the previous one. */
  readonly switchedAtMs: number;
  /** Digest of the config file that was taken up last. */
  readonly configFile: string | undefined;
}

/**
 * A transaction of which a part is already stored. The source repeats it with the same changes in the
 * same order as long as the same tables are asked for, so counting them is exact.
 */
export interface PartialTransaction {
  readonly transactionId: string;
  /** Row changes that are stored. */
  readonly changes: number;
  /** The tables whose changes were asked for. */
  readonly patterns: readonly TablePattern[];
}

export const NOTHING_TO_DISCARD: Discarded = { prefixes: [], tables: [] };

const START: ResumePoint = {
  position: '',
  partial: undefined,
  notBefore: '',
  nextTableId: 1,
  discard: NOTHING_TO_DISCARD,
  switchedAtMs: 0,
  configFile: undefined,
};

export function formatResumePoint(point: ResumePoint): string {
  return JSON.stringify(point);
}

/** @throws StorageError `STORAGE_CORRUPT` for text that `formatResumePoint` did not make. */
export function parseResumePoint(text: string | undefined): ResumePoint {
  if (text === undefined) return START;
  const parsed = JSON.parse(text) as Partial<ResumePoint>;
  if (typeof parsed.position !== 'string') {
    throw new StorageError('STORAGE_CORRUPT', 'The stored replication position is unreadable');
  }
  return { ...START, ...parsed, position: parsed.position };
}
