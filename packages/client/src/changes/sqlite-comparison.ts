import type { SqlValue } from '../driver/contract.ts';

/** How a column's values are converted (https://www.sqlite.org/datatype3.html); INTEGER, REAL and NUMERIC compare alike. */
export type Affinity = 'text' | 'numeric' | 'none';

export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** The affinity of a declared type; undefined for `ANY`, which depends on the table. */
export function affinityOf(declaredType: string): Affinity | undefined {
  const type = declaredType.toUpperCase();
  if (type === 'ANY') return undefined;
  if (type.includes('INT')) return 'numeric';
  if (/CHAR|CLOB|TEXT/.test(type)) return 'text';
  if (type === '' || type.includes('BLOB')) return 'none';
  return 'numeric';
}

/**
 * Whether `column operator operand` may hold in SQLite; false is certain. The value is one of a `RowChange`, so it may lack
 * its column's conversion yet, a blob may stand as base64 text, and an infinite number as null. The column's collation
 * must be BINARY.
 */
export function comparisonMayHold(
  affinity: Affinity,
  value: SqlValue,
  operator: ComparisonOperator,
  operand: SqlValue | undefined,
): boolean {
  if (operand === undefined) return true;
  if (operand === null || Number.isNaN(operand)) return false;
  if (value === null) return affinity !== 'text';
  if (typeof value === 'string' && mayBeBlob(value) && isTrueAbove(operator)) return true;
  const left = stored(value, affinity);
  const right = converted(operand, affinity);
  if (left === undefined || right === undefined) return true;
  const order = compareValues(left, right);
  return order === undefined || holds(order, operator);
}

type Comparable = number | bigint | string;

/** A blob is greater than every text and number. */
function isTrueAbove(operator: ComparisonOperator): boolean {
  return operator === '>' || operator === '>=' || operator === '!=';
}

function mayBeBlob(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** The value as the column holds it; undefined if that takes rules of conversion which are not repeated here. */
function stored(value: SqlValue, affinity: Affinity): Comparable | undefined {
  if (value === null || value instanceof Uint8Array) return undefined;
  if (affinity === 'text') return typeof value === 'string' ? value : undefined;
  if (affinity === 'numeric' && typeof value === 'bigint') {
    // A REAL column rounds it.
    return BigInt(Number(value)) === value ? value : undefined;
  }
  return convertedText(value, affinity);
}

/** A literal or parameter as it is compared with the column. */
function converted(operand: SqlValue, affinity: Affinity): Comparable | undefined {
  if (operand === null || operand instanceof Uint8Array) return undefined;
  if (affinity !== 'text') return convertedText(operand, affinity);
  return typeof operand === 'number' ? undefined : String(operand);
}

/** Text that may be a number becomes one under numeric affinity. */
function convertedText(value: Comparable, affinity: Affinity): Comparable | undefined {
  return affinity === 'numeric' && typeof value === 'string' && /\d/.test(value)
    ? undefined
    : value;
}

/** Negative, 0 or positive. Numbers are less than texts. */
function compareValues(left: Comparable, right: Comparable): number | undefined {
  if (typeof left === 'string' && typeof right === 'string') return compareTexts(left, right);
  if (typeof left === 'string') return 1;
  if (typeof right === 'string') return -1;
  // JavaScript compares a bigint with a number exactly, as SQLite does.
  return left < right ? -1 : left > right ? 1 : 0;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
const BEYOND_BASIC_PLANE = /[\ud800-\udfff]/;

/** In the order of their UTF-8, which is that of UTF-16 except beyond the basic plane. */
function compareTexts(left: string, right: string): number | undefined {
  if (LONE_SURROGATE.test(left) || LONE_SURROGATE.test(right)) return undefined;
  // Where a NUL ends a text depends on who looks.
  if (left.includes('\0') || right.includes('\0')) return undefined;
  if (left === right) return 0;
  if (!BEYOND_BASIC_PLANE.test(left) && !BEYOND_BASIC_PLANE.test(right)) {
    return left < right ? -1 : 1;
  }
  return compareCodePoints(Array.from(left), Array.from(right));
}

function compareCodePoints(left: readonly string[], right: readonly string[]): number {
  for (const [at, character] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    const difference = (character.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function holds(order: number, operator: ComparisonOperator): boolean {
  switch (operator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}
