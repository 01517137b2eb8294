import { EvaluationFailure } from './failure.ts';
import type { Present } from './present.ts';

/**
 * Whether two values that are not NULL are equal: numbers by value, texts by code unit, and
 * different storage classes never. Source: spec/sync-config.md 4.3.
 *
 * @throws EvaluationFailure for two BLOBs.
 */
export function equals(a: Present, b: Present): boolean {
  if (a === b && typeof a !== 'object') return true;
  if (typeof a === 'string' || typeof b === 'string') return false;
  if (typeof a === 'object' || typeof b === 'object') {
    if (typeof a === typeof b) throw blobComparison();
    return false;
  }
  // INTEGER and REAL: JavaScript compares a bigint and a number by exact value.
  // eslint-disable-next-line eqeqeq
  return a == b;
}

/** Negative, zero or positive; number < TEXT < BLOB. */
export function compare(a: Present, b: Present): number {
  const rankA = storageRank(a);
  const rankB = storageRank(b);
  if (rankA !== rankB) return rankA - rankB;
  if (rankA === 2) throw blobComparison();
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

function storageRank(value: Present): number {
  if (typeof value === 'string') return 1;
  return typeof value === 'object' ? 2 : 0;
}

function blobComparison(): EvaluationFailure {
  return new EvaluationFailure('Two BLOBs cannot be compared');
}
