import type { SqliteValue } from '@sluice/model';
import { compare, equals } from './comparison.ts';
import { isTrue, toBytes, toInteger, toNumber, toNumeric, toReal, toText } from './conversions.ts';
import type { Evaluate, Operand, Operator } from './dialect.ts';
import { EvaluationFailure } from './failure.ts';
import {
  findMember,
  memberText,
  memberValue,
  type JsonParser,
  type JsonRules,
} from './json-access.ts';
import { isJsonArray } from './json-document.ts';
import { jsonElements } from './json-elements.ts';
import { int64OrReal } from './number-text.ts';
import type { Present } from './present.ts';
import { buildFirstPresent, operandAt, strictBinary, strictUnary, truth, unary } from './shapes.ts';

export interface OperatorRules {
  readonly json: JsonRules;
  /** Whether `!=` is the negation of `=` (edition 3), so that NULL gives 1. */
  readonly notEqualsNegates: boolean;
}

/** The operators of the default engines. Source: spec/sync-config.md 4.3, 4.4, 6. */
export function createOperators(rules: OperatorRules, parser: JsonParser): Map<string, Operator> {
  const notEquals: (a: Present, b: Present) => SqliteValue = (a, b) => (equals(a, b) ? 0n : 1n);
  const FIXED = { fixed: true };
  return new Map<string, Operator>([
    ['=', { minArgs: 2, maxArgs: 2, build: buildEquals }],
    ['!=', rules.notEqualsNegates ? strictBinary(notEquals, 1n) : strictBinary(notEquals)],
    ['<', strictBinary((a, b) => truth(compare(a, b) < 0))],
    ['<=', strictBinary((a, b) => truth(compare(a, b) <= 0))],
    ['>', strictBinary((a, b) => truth(compare(a, b) > 0))],
    ['>=', strictBinary((a, b) => truth(compare(a, b) >= 0))],
    ['and', { minArgs: 2, maxArgs: 2, build: buildAnd }],
    ['or', { minArgs: 2, maxArgs: 2, build: buildOr }],
    ['not', unary((a) => truth(!isTrue(a)))],
    ['is null', unary((a) => truth(a === null))],
    ['is not null', unary((a) => truth(a !== null))],
    ['is true', unary((a) => truth(a === 1n))],
    ['is not true', unary((a) => truth(a !== 1n))],
    ['is false', unary((a) => truth(a === 0n))],
    ['is not false', unary((a) => truth(a !== 0n))],
    ['+', arithmetic((a, b) => a + b, (a, b) => a + b)],
    ['-', arithmetic((a, b) => a - b, (a, b) => a - b)],
    ['*', arithmetic((a, b) => a * b, (a, b) => a * b)],
    ['/', strictBinary(divide)],
    ['||', strictBinary((a, b) => toText(a) + toText(b))],
    ['between', { minArgs: 3, maxArgs: 3, build: buildBetween }],
    ['in json', strictBinary((value, array) => truth(isInJson(value, array, parser)))],
    ['in each', strictBinary((value, json) => truth(isAmongElements(value, json, rules.json.fixed)))],
    ['in list', { minArgs: 1, maxArgs: Infinity, build: buildInList }],
    ['case', { minArgs: 2, maxArgs: Infinity, build: buildCase }],
    ['case of', { minArgs: 3, maxArgs: Infinity, build: buildCaseOf }],
    ['cast text', strictUnary(toText)],
    ['cast integer', strictUnary(toInteger)],
    ['cast real', strictUnary(toReal)],
    ['cast numeric', strictUnary(toNumeric)],
    ['cast blob', strictUnary(toBytes)],
    ['->', member(rules.json, parser, memberText)],
    ['->>', member(rules.json, parser, memberValue)],
    // Reading a claim or parameter follows the fixed rules whatever the option says (7, rule 1).
    ['parameter', member(FIXED, parser, memberValue)],
    ['coalesce', { minArgs: 2, maxArgs: 2, build: buildFirstPresent }],
  ]); // prettier-ignore
}

function buildEquals(args: readonly Operand[]): Evaluate {
  const left = operandAt(args, 0);
  const right = operandAt(args, 1);
  const a = left.evaluate;
  const text = right.constant;
  // Comparing with a text literal is by far the most common filter.
  if (typeof text === 'string') {
    return (slots) => {
      const value = a(slots);
      return value === null ? null : value === text ? 1n : 0n;
    };
  }
  const b = right.evaluate;
  return (slots) => {
    const x = a(slots);
    const y = b(slots);
    return x === null || y === null ? null : equals(x, y) ? 1n : 0n;
  };
}

function buildAnd(args: readonly Operand[]): Evaluate {
  const a = operandAt(args, 0).evaluate;
  const b = operandAt(args, 1).evaluate;
  return (slots) => truth(isTrue(a(slots)) && isTrue(b(slots)));
}

function buildOr(args: readonly Operand[]): Evaluate {
  const a = operandAt(args, 0).evaluate;
  const b = operandAt(args, 1).evaluate;
  return (slots) => truth(isTrue(a(slots)) || isTrue(b(slots)));
}

function arithmetic(
  onIntegers: (a: bigint, b: bigint) => bigint,
  onReals: (a: number, b: number) => number,
): Operator {
  return strictBinary((left, right) => {
    const a = toNumber(left);
    const b = toNumber(right);
    if (typeof a === 'bigint' && typeof b === 'bigint') return int64OrReal(onIntegers(a, b));
    return onReals(Number(a), Number(b));
  });
}

function divide(left: Present, right: Present): SqliteValue {
  const a = toNumber(left);
  const b = toNumber(right);
  if (Number(b) === 0) return null;
  if (typeof a === 'bigint' && typeof b === 'bigint') return int64OrReal(a / b);
  return Number(a) / Number(b);
}

function buildBetween(args: readonly Operand[]): Evaluate {
  const value = operandAt(args, 0).evaluate;
  const low = operandAt(args, 1).evaluate;
  const high = operandAt(args, 2).evaluate;
  return (slots) => {
    const x = value(slots);
    const from = low(slots);
    const to = high(slots);
    if (x === null || from === null || to === null) return null;
    return truth(compare(x, from) >= 0 && compare(x, to) <= 0);
  };
}

function isInJson(value: Present, array: Present, parser: JsonParser): boolean {
  const elements = parser.parse(toText(array));
  if (!isJsonArray(elements)) {
    throw new EvaluationFailure('The right side of IN is not a JSON array');
  }
  return elements.some((element) => {
    const item = typeof element === 'boolean' ? (element ? 1n : 0n) : element;
    return item !== null && typeof item !== 'object' && equals(value, item);
  });
}

/** `x IN e` of streams: the values of an object count, and a scalar is one element (10.3). */
function isAmongElements(value: Present, json: Present, fixed: boolean): boolean {
  return jsonElements(json, 'each', fixed).some(
    (element) => element.value !== null && equals(value, element.value),
  );
}

function buildInList(args: readonly Operand[]): Evaluate {
  const value = operandAt(args, 0).evaluate;
  const items = args.slice(1).map((item) => item.evaluate);
  return (slots) => {
    const x = value(slots);
    if (x === null) return null;
    for (const item of items) {
      const candidate = item(slots);
      if (candidate !== null && equals(x, candidate)) return 1n;
    }
    return 0n;
  };
}

/** Arguments: when, then, when, then ..., and the ELSE when their number is odd. */
function buildCase(args: readonly Operand[]): Evaluate {
  const [branches, otherwise] = splitBranches(args);
  return (slots) => {
    for (const [when, then] of branches) if (isTrue(when(slots))) return then(slots);
    return otherwise(slots);
  };
}

/** As `buildCase`, after the operand that every WHEN is compared with. */
function buildCaseOf(args: readonly Operand[]): Evaluate {
  const operand = operandAt(args, 0).evaluate;
  const [branches, otherwise] = splitBranches(args.slice(1));
  return (slots) => {
    const value = operand(slots);
    for (const [when, then] of branches) {
      const candidate = value === null ? null : when(slots);
      if (value !== null && candidate !== null && equals(value, candidate)) return then(slots);
    }
    return otherwise(slots);
  };
}

function splitBranches(args: readonly Operand[]): [(readonly [Evaluate, Evaluate])[], Evaluate] {
  const branches: (readonly [Evaluate, Evaluate])[] = [];
  for (let i = 0; i + 1 < args.length; i += 2) {
    branches.push([operandAt(args, i).evaluate, operandAt(args, i + 1).evaluate]);
  }
  const last = args.length % 2 === 1 ? args.at(-1) : undefined;
  return [branches, last?.evaluate ?? (() => null)];
}

function member(
  rules: JsonRules,
  parser: JsonParser,
  result: (found: ReturnType<typeof findMember>, rules: JsonRules) => SqliteValue,
): Operator {
  return strictBinary((json, step) => {
    if (typeof json === 'object') throw new EvaluationFailure('A BLOB is not JSON');
    return result(findMember(parser.parse(toText(json)), step, rules), rules);
  });
}
