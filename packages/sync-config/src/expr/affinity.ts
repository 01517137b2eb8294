import type { Collation } from '../values/sqlite/collation.ts';
import type { Expression } from './expression.ts';

/**
 * What SQLite derives from an expression for the comparison that it stands in.
 * Source: https://www.sqlite.org/datatype3.html sections 3.2 and 4.2, and 7.1 for collations.
 */
export type Affinity = 'numeric' | 'text' | 'blob';

const CAST_AFFINITIES: Readonly<Record<string, Affinity>> = {
  'cast text': 'text',
  'cast blob': 'blob',
  'cast integer': 'numeric',
  'cast real': 'numeric',
  'cast numeric': 'numeric',
};

/**
 * The affinity of an expression; undefined when it has none. Columns are like those that SQLite
 * declares without a type: BLOB, which converts nothing, yet keeps the text affinity of the other
 * side from converting them.
 */
export function affinityOf(expression: Expression): Affinity | undefined {
  if (expression.kind === 'column') return isRowColumn(expression.source) ? 'blob' : undefined;
  if (expression.kind !== 'call' || expression.table !== 'operator') return undefined;
  const [operand] = expression.args;
  const isTransparent = expression.name === 'column' || expression.name.startsWith('collate ');
  if (isTransparent && operand !== undefined) return affinityOf(operand);
  return CAST_AFFINITIES[expression.name];
}

/** Rows and elements of json_each have numbers from 0; request data has a negative one. */
function isRowColumn(source: number): boolean {
  return source >= 0;
}

/** What a comparison converts both its operands to; undefined for nothing. */
export function comparisonAffinity(
  a: Affinity | undefined,
  b: Affinity | undefined,
): 'numeric' | 'text' | undefined {
  if (a === 'numeric' || b === 'numeric') return 'numeric';
  if (a !== undefined && b !== undefined) return undefined;
  return a === 'text' || b === 'text' ? 'text' : undefined;
}

/** Whether COLLATE stands anywhere in the expression; that of a subquery's column does not count. */
export function hasCollate(expression: Expression): boolean {
  if (expression.kind !== 'call' || expression.name === 'column') return false;
  return expression.name.startsWith('collate ') || expression.args.some(hasCollate);
}

/** The collation that an expression brings into a comparison; undefined when it has none. */
export function collationOf(expression: Expression): Collation | undefined {
  if (expression.kind === 'column') return isRowColumn(expression.source) ? 'binary' : undefined;
  if (expression.kind !== 'call') return undefined;
  const [first] = expression.args;
  const { name } = expression;
  if (name === 'collate nocase') return 'nocase';
  if (name === 'collate rtrim') return 'rtrim';
  if (name === 'collate binary' || name === 'column') return 'binary';
  const isTransparent = name.startsWith('cast ') || name === 'unary +';
  const source = isTransparent ? first : expression.args.find((arg) => hasCollate(arg));
  return source === undefined ? undefined : collationOf(source);
}

/** The collation of a comparison: COLLATE on the left, then on the right, then that of columns. */
export function comparisonCollation(left: Expression, right: Expression): Collation {
  if (hasCollate(left)) return collationOf(left) ?? 'binary';
  if (hasCollate(right)) return collationOf(right) ?? 'binary';
  return 'binary';
}
