import type { SqliteValue } from '@sluice/model';
import type { Evaluate, Operand, Operator } from '../dialect.ts';
import { operandAt, truth, unary } from '../shapes.ts';
import { isTrue } from './conversions.ts';

/** AND, OR, NOT and IS TRUE with the three truth values of SQL. */
export function createLogicOperators(): Map<string, Operator> {
  return new Map<string, Operator>([
    ['and', { minArgs: 2, maxArgs: 2, build: (args) => buildJunction(args, false) }],
    ['or', { minArgs: 2, maxArgs: 2, build: (args) => buildJunction(args, true) }],
    ['not', unary((a) => (a === null ? null : truth(!isTrue(a))))],
    ['is true', unary((a) => truth(isTrue(a)))],
    ['is not true', unary((a) => truth(!isTrue(a)))],
    ['is false', unary((a) => truth(a !== null && !isTrue(a)))],
    ['is not false', unary((a) => truth(a === null || isTrue(a)))],
  ]);
}

/** OR is decided by a true operand, AND by a false one; else NULL if there is a NULL. */
function buildJunction(args: readonly Operand[], decisive: boolean): Evaluate {
  const a = operandAt(args, 0).evaluate;
  const b = operandAt(args, 1).evaluate;
  const decides = (value: SqliteValue) => value !== null && isTrue(value) === decisive;
  return (slots) => {
    const left = a(slots);
    if (decides(left)) return truth(decisive);
    const right = b(slots);
    if (decides(right)) return truth(decisive);
    return left === null || right === null ? null : truth(!decisive);
  };
}
