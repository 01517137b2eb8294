import type { SqliteValue } from '@sluice/model';
import type { Evaluate, Operand, Operator } from '../dialect.ts';
import type { JsonElement } from '../json-elements.ts';
import { operandAt, truth } from '../shapes.ts';
import { buildIif } from './choice-functions.ts';
import { comparisonOf, type Compare } from './comparison.ts';

/** Gives the rows of `json_each(value)`. */
export type Elements = (value: SqliteValue, mode: 'each') => readonly JsonElement[];

/**
 * IN, BETWEEN and CASE. Where they compare, a constant argument says how (`formatComparison`),
 * for an affinity may concern one of several comparisons of the same operand.
 */
export function createMembershipOperators(elements: Elements): Map<string, Operator> {
  const inElements: Operator = {
    minArgs: 3,
    maxArgs: 3,
    build: (args) => buildInElements(args, elements),
  };
  return new Map<string, Operator>([
    ['in list', { minArgs: 2, maxArgs: Infinity, build: buildInList }],
    ['in json', inElements],
    ['in each', inElements],
    ['between', { minArgs: 5, maxArgs: 5, build: buildBetween }],
    ['case', { minArgs: 2, maxArgs: Infinity, build: buildIif }],
    ['case by', { minArgs: 4, maxArgs: Infinity, build: buildCaseOf }],
  ]);
}

function comparisonAt(args: readonly Operand[], index: number): Compare {
  const text = operandAt(args, index).constant;
  if (typeof text !== 'string') throw new RangeError('how to compare is known when compiling');
  return comparisonOf(text);
}

/** Arguments: value, how, items. */
function buildInList(args: readonly Operand[]): Evaluate {
  const value = operandAt(args, 0).evaluate;
  const compare = comparisonAt(args, 1);
  const items = args.slice(2).map((item) => item.evaluate);
  // SQLite does not even look at the value then.
  if (items.length === 0) return () => 0n;
  return (slots) => {
    const x = value(slots);
    return isAmong(x, compare, items.length, (i) => items[i]?.(slots) ?? null);
  };
}

/** Arguments: value, how, JSON. */
function buildInElements(args: readonly Operand[], elements: Elements): Evaluate {
  const value = operandAt(args, 0).evaluate;
  const compare = comparisonAt(args, 1);
  const json = operandAt(args, 2).evaluate;
  return (slots) => {
    const x = value(slots);
    const list = elements(json(slots), 'each');
    return isAmong(x, compare, list.length, (i) => list[i]?.value ?? null);
  };
}

/** Nothing is in an empty list; else a NULL on either side leaves open what is not found. */
function isAmong(
  value: SqliteValue,
  compare: Compare,
  count: number,
  itemAt: (index: number) => SqliteValue,
): SqliteValue {
  if (count === 0) return 0n;
  let isOpen = value === null;
  for (let i = 0; i < count; i++) {
    const item = itemAt(i);
    if (value === null || item === null) isOpen = true;
    else if (compare(value, item) === 0) return 1n;
  }
  return isOpen ? null : 0n;
}

/** Arguments: value, how, low, how, high. Either bound alone can make it false. */
function buildBetween(args: readonly Operand[]): Evaluate {
  const value = operandAt(args, 0).evaluate;
  const compareLow = comparisonAt(args, 1);
  const low = operandAt(args, 2).evaluate;
  const compareHigh = comparisonAt(args, 3);
  const high = operandAt(args, 4).evaluate;
  return (slots) => {
    const x = value(slots);
    const from = low(slots);
    const to = high(slots);
    if (x === null) return null;
    if (from !== null && compareLow(x, from) < 0) return 0n;
    if (to !== null && compareHigh(x, to) > 0) return 0n;
    return from === null || to === null ? null : truth(true);
  };
}

/** Arguments: operand, then how, when, then for each branch, and what else when one is left. */
function buildCaseOf(args: readonly Operand[]): Evaluate {
  const operand = operandAt(args, 0).evaluate;
  const branches: { compare: Compare; when: Evaluate; result: Evaluate }[] = [];
  let at = 1;
  for (; at + 2 < args.length; at += 3) {
    const compare = comparisonAt(args, at);
    const when = operandAt(args, at + 1).evaluate;
    branches.push({ compare, when, result: operandAt(args, at + 2).evaluate });
  }
  const otherwise = args[at]?.evaluate;
  return (slots) => {
    const value = operand(slots);
    for (const { compare, when, result } of branches) {
      const candidate = value === null ? null : when(slots);
      if (value === null || candidate === null) continue;
      if (compare(value, candidate) === 0) return result(slots);
    }
    return otherwise === undefined ? null : otherwise(slots);
  };
}
