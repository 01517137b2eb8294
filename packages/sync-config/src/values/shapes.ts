import { must } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { Evaluate, Operand, Operator } from './dialect.ts';
import type { Present } from './present.ts';

/** The shapes that most operators and functions have. */

export const truth = (condition: boolean): SqliteValue => (condition ? 1n : 0n);

export function operandAt(args: readonly Operand[], index: number): Operand {
  return must(args[index], 'the operand that the operator declares');
}

/** One argument, NULL included. */
export function unary(apply: (a: SqliteValue) => SqliteValue): Operator {
  return {
    minArgs: 1,
    maxArgs: 1,
    build(args) {
      const a = operandAt(args, 0).evaluate;
      return (slots) => apply(a(slots));
    },
  };
}

/** One argument; NULL gives NULL. */
export function strictUnary(apply: (a: Present) => SqliteValue): Operator {
  return unary((a) => (a === null ? null : apply(a)));
}

/** Two arguments, NULL included. */
export function binary(apply: (a: SqliteValue, b: SqliteValue) => SqliteValue): Operator {
  return {
    minArgs: 2,
    maxArgs: 2,
    build(args) {
      const a = operandAt(args, 0).evaluate;
      const b = operandAt(args, 1).evaluate;
      return (slots) => apply(a(slots), b(slots));
    },
  };
}

/** Two arguments; NULL in either gives NULL, or `whenNull`. */
export function strictBinary(
  apply: (a: Present, b: Present) => SqliteValue,
  whenNull: SqliteValue = null,
): Operator {
  return binary((a, b) => (a === null || b === null ? whenNull : apply(a, b)));
}

/** The list of all argument values. */
export function variadic(
  minArgs: number,
  maxArgs: number,
  apply: (args: readonly SqliteValue[]) => SqliteValue,
): Operator {
  return {
    minArgs,
    maxArgs,
    build(args) {
      const operands = args.map((arg) => arg.evaluate);
      return (slots) => apply(operands.map((operand) => operand(slots)));
    },
  };
}

/** The first argument that is not NULL; the ones after it are not evaluated. */
export function buildFirstPresent(args: readonly Operand[]): Evaluate {
  const operands = args.map((arg) => arg.evaluate);
  return (slots) => {
    for (const operand of operands) {
      const value = operand(slots);
      if (value !== null) return value;
    }
    return null;
  };
}
