import type { Present } from '../present.ts';
import { compareTexts, type Collation } from './collation.ts';
import { withNumericAffinity, withTextAffinity } from './conversions.ts';

/** Negative, zero or positive: numbers by value, then TEXT by collation, then BLOB by bytes. */
export function compareValues(a: Present, b: Present, collation: Collation): number {
  const rank = storageRank(a);
  const difference = rank - storageRank(b);
  if (difference !== 0) return difference;
  if (rank === 0) return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b, collation);
  if (typeof a === 'object' && typeof b === 'object') return Buffer.compare(a, b);
  return 0;
}

function storageRank(value: Present): number {
  if (typeof value === 'string') return 1;
  return typeof value === 'object' ? 2 : 0;
}

/** The comparison of two values that are not NULL. */
export type Compare = (a: Present, b: Present) => number;

/**
 * How a comparison treats its operands, as a text that stands in compiled expressions: the affinity
 * and the collation that are not the usual ones, e.g. `numeric`, `text nocase`, or nothing.
 */
export function formatComparison(
  affinity: 'numeric' | 'text' | undefined,
  collation: Collation,
): string {
  return [affinity, collation === 'binary' ? undefined : collation]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** The inverse of `formatComparison`, as what it means. */
export function comparisonOf(text: string): Compare {
  const parts = text.split(' ');
  const collation = parts.includes('nocase')
    ? 'nocase'
    : parts.includes('rtrim')
      ? 'rtrim'
      : 'binary';
  const compare: Compare = (a, b) => compareValues(a, b, collation);
  if (parts.includes('numeric')) {
    return (a, b) => compare(withNumericAffinity(a), withNumericAffinity(b));
  }
  if (parts.includes('text')) {
    return (a, b) => compare(withTextAffinity(a), withTextAffinity(b));
  }
  return compare;
}
