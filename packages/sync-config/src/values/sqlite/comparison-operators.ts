import type { SqliteValue } from '@sluice/model';
import type { Evaluate, Operand, Operator } from '../dialect.ts';
import type { Present } from '../present.ts';
import { binary, operandAt, strictBinary, strictUnary, truth, unary } from '../shapes.ts';
import { COLLATIONS, type Collation } from './collation.ts';
import { compareValues } from './comparison.ts';
import { withNumericAffinity, withTextAffinity } from './conversions.ts';

/**
 * `=`, `<`, `IS` and their like. With a collation other than BINARY its name follows: `= nocase`.
 * An affinity stands as an operator of its own around an operand.
 */
export function createComparisonOperators(): Map<string, Operator> {
  const operators = new Map<string, Operator>([
    ['affinity numeric', strictUnary(withNumericAffinity)],
    ['affinity text', strictUnary(withTextAffinity)],
    // The name of a subquery's column: its value.
    ['column', unary((a) => a)],
    ['is null', unary((a) => truth(a === null))],
    ['is not null', unary((a) => truth(a !== null))],
  ]);
  for (const collation of COLLATIONS) {
    // COLLATE decides how the comparison around it is bound; the value stays.
    operators.set(
      `collate ${collation}`,
      unary((a) => a),
    );
    const suffix = collation === 'binary' ? '' : ` ${collation}`;
    for (const [name, operator] of comparisons(collation)) operators.set(name + suffix, operator);
  }
  return operators;
}

function comparisons(collation: Collation): [string, Operator][] {
  const ordered = (holds: (order: number) => boolean) =>
    strictBinary((a, b) => truth(holds(compareValues(a, b, collation))));
  const isSame = (a: SqliteValue, b: SqliteValue) =>
    a === null || b === null ? a === b : areEqual(a, b, collation);
  return [
    ['=', equality(collation)],
    ['!=', strictBinary((a, b) => truth(!areEqual(a, b, collation)))],
    ['<', ordered((order) => order < 0)],
    ['<=', ordered((order) => order <= 0)],
    ['>', ordered((order) => order > 0)],
    ['>=', ordered((order) => order >= 0)],
    ['is', binary((a, b) => truth(isSame(a, b)))],
    ['is not', binary((a, b) => truth(!isSame(a, b)))],
  ];
}

function areEqual(a: Present, b: Present, collation: Collation): boolean {
  return compareValues(a, b, collation) === 0;
}

function equality(collation: Collation): Operator {
  return { minArgs: 2, maxArgs: 2, build: (args) => buildEquality(args, collation) };
}

function buildEquality(args: readonly Operand[], collation: Collation): Evaluate {
  const right = operandAt(args, 1);
  const a = operandAt(args, 0).evaluate;
  const text = right.constant;
  // Comparing with a text literal is by far the most common filter.
  if (typeof text === 'string' && collation === 'binary') {
    return (slots) => {
      const value = a(slots);
      return value === null ? null : value === text ? 1n : 0n;
    };
  }
  const b = right.evaluate;
  return (slots) => {
    const x = a(slots);
    const y = b(slots);
    return x === null || y === null ? null : areEqual(x, y, collation) ? 1n : 0n;
  };
}
