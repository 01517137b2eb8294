import type { SqliteValue } from '@sluice/model';
import type { Operator } from '../dialect.ts';
import type { Present } from '../present.ts';
import { strictBinary, strictUnary, unary } from '../shapes.ts';
import { toInteger, toNumber, toReal } from './conversions.ts';
import { MAX_INTEGER, MIN_INTEGER } from './number-text.ts';

/** `+ - * / %`, signs and bit operators. INTEGER that leaves 64 bits becomes REAL. */
export function createArithmeticOperators(): Map<string, Operator> {
  return new Map<string, Operator>([
    ['+', arithmetic((a, b) => a + b, (a, b) => a + b)],
    ['-', arithmetic((a, b) => a - b, (a, b) => a - b)],
    ['*', arithmetic((a, b) => a * b, (a, b) => a * b)],
    ['/', strictBinary(divide)],
    ['%', strictBinary(remainder)],
    ['unary -', strictUnary(negate)],
    ['unary +', unary((a) => a)],
    ['&', bits((a, b) => a & b)],
    ['|', bits((a, b) => a | b)],
    ['<<', bits(shiftLeft)],
    ['>>', bits((a, by) => shiftLeft(a, -by))],
    ['~', strictUnary((a) => ~toInteger(a))],
  ]); // prettier-ignore
}

function arithmetic(
  onIntegers: (a: bigint, b: bigint) => bigint,
  onReals: (a: number, b: number) => number,
): Operator {
  return strictBinary((left, right) => {
    const a = toNumber(left);
    const b = toNumber(right);
    if (typeof a === 'bigint' && typeof b === 'bigint') {
      const exact = onIntegers(a, b);
      if (exact <= MAX_INTEGER && exact >= MIN_INTEGER) return exact;
    }
    return realOrNull(onReals(toReal(left), toReal(right)));
  });
}

/** SQLite has no NaN. */
function realOrNull(value: number): SqliteValue {
  return Number.isNaN(value) ? null : value;
}

function divide(left: Present, right: Present): SqliteValue {
  const a = toNumber(left);
  const b = toNumber(right);
  if (typeof a === 'bigint' && typeof b === 'bigint') {
    if (b === 0n) return null;
    const quotient = a / b;
    if (quotient <= MAX_INTEGER) return quotient;
  }
  const divisor = toReal(right);
  return divisor === 0 ? null : realOrNull(toReal(left) / divisor);
}

/** The remainder of the integer parts; REAL unless both operands are INTEGER. */
function remainder(left: Present, right: Present): SqliteValue {
  const a = toNumber(left);
  const b = toNumber(right);
  if (typeof a === 'bigint' && typeof b === 'bigint') return b === 0n ? null : a % b;
  const divisor = toInteger(right);
  return divisor === 0n ? null : Number(toInteger(left) % divisor);
}

/** `-x` is `0 - x`, which has no negative zero. */
function negate(value: Present): SqliteValue {
  const number = toNumber(value);
  if (typeof number === 'number') return 0 - number;
  return number === MIN_INTEGER ? -toReal(value) : -number;
}

function bits(apply: (a: bigint, b: bigint) => bigint): Operator {
  return strictBinary((a, b) => apply(toInteger(a), toInteger(b)));
}

/** Shifts left; right, keeping the sign, by a negative number. */
function shiftLeft(value: bigint, by: bigint): bigint {
  if (by >= 0n) return by >= 64n ? 0n : BigInt.asIntN(64, value << by);
  return by <= -64n ? (value < 0n ? -1n : 0n) : value >> -by;
}
