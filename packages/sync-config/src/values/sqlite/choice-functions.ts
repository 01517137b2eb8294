import type { SqliteValue } from '@sluice/model';
import { typeName } from '../conversions.ts';
import type { Evaluate, Operand, Operator } from '../dialect.ts';
import { binary, buildFirstPresent, unary, variadic } from '../shapes.ts';
import { COLLATIONS, type Collation } from './collation.ts';
import { compareValues } from './comparison.ts';
import { isTrue } from './conversions.ts';

/** Functions that choose among their arguments. */
export function createChoiceFunctions(): [string, Operator][] {
  return [
    ['typeof', unary(typeName)],
    ['coalesce', { minArgs: 2, maxArgs: Infinity, build: buildFirstPresent }],
    ['ifnull', { minArgs: 2, maxArgs: 2, build: buildFirstPresent }],
    ['iif', { minArgs: 2, maxArgs: Infinity, build: buildIif }],
    ['if', { minArgs: 2, maxArgs: Infinity, build: buildIif }],
    ...comparingFunctions('binary'),
  ];
}

/** Those that compare, with a collation other than BINARY: `max nocase`. */
export function createCollatingFunctions(): [string, Operator][] {
  return COLLATIONS.filter((collation) => collation !== 'binary').flatMap((collation) =>
    comparingFunctions(collation).map(([name, operator]): [string, Operator] => [
      `${name} ${collation}`,
      operator,
    ]),
  );
}

function comparingFunctions(collation: Collation): [string, Operator][] {
  return [
    ['min', variadic(2, Infinity, (args) => best(args, collation, -1))],
    ['max', variadic(2, Infinity, (args) => best(args, collation, 1))],
    ['nullif', binary((a, b) => (isSame(a, b, collation) ? null : a))],
  ];
}

function isSame(a: SqliteValue, b: SqliteValue, collation: Collation): boolean {
  return a !== null && b !== null && compareValues(a, b, collation) === 0;
}

/** Of equal ones min takes the last and max the first. */
function best(args: readonly SqliteValue[], collation: Collation, direction: 1 | -1): SqliteValue {
  const [first = null, ...rest] = args;
  if (first === null) return null;
  let chosen = first;
  for (const candidate of rest) {
    if (candidate === null) return null;
    const order = compareValues(chosen, candidate, collation);
    if (direction === 1 ? order < 0 : order >= 0) chosen = candidate;
  }
  return chosen;
}

/** Arguments: condition, value, condition, value ..., and what else when their number is odd. */
export function buildIif(args: readonly Operand[]): Evaluate {
  const operands = args.map((arg) => arg.evaluate);
  const otherwise = args.length % 2 === 1 ? args.length - 1 : undefined;
  return (slots) => {
    for (let i = 0; i + 1 < operands.length; i += 2) {
      if (isTrue(operands[i]?.(slots) ?? null)) return operands[i + 1]?.(slots) ?? null;
    }
    return otherwise === undefined ? null : (operands[otherwise]?.(slots) ?? null);
  };
}
