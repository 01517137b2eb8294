import type { SqliteValue } from '@sluice/model';
import type { Operator } from '../dialect.ts';
import { EvaluationFailure } from '../failure.ts';
import type { Present } from '../present.ts';
import { strictUnary, variadic } from '../shapes.ts';
import { toInteger, toReal, withNumericAffinity } from './conversions.ts';
import { MIN_INTEGER } from './number-text.ts';
import { realDigits } from './real-digits.ts';

/**
 * Functions on numbers whose results are the same on every machine. The others of SQLite (`exp`,
 * `ln`, `pow`, `sin` ...) are left to the C library, which may differ in the last digit.
 */
export function createNumberFunctions(): [string, Operator][] {
  return [
    ['abs', strictUnary(abs)],
    ['sign', onNumber((a) => (a < 0 ? -1n : a > 0 ? 1n : 0n))],
    ['round', variadic(1, 2, round)],
    ['ceil', rounding(Math.ceil)],
    ['ceiling', rounding(Math.ceil)],
    ['floor', rounding(Math.floor)],
    ['trunc', rounding(Math.trunc)],
    ['mod', variadic(2, 2, mod)],
    ['sqrt', onNumber((a) => realOrNull(Math.sqrt(a)))],
    ['radians', onNumber((a) => a * (Math.PI / 180))],
    ['degrees', onNumber((a) => a * (180 / Math.PI))],
    ['pi', variadic(0, 0, () => Math.PI)],
  ];
}

function abs(value: Present): SqliteValue {
  if (typeof value !== 'bigint') {
    const real = toReal(value);
    return real < 0 ? -real : real;
  }
  if (value === MIN_INTEGER) throw new EvaluationFailure('abs() got the smallest integer');
  return value < 0n ? -value : value;
}

/** The number that a value is, or a text says from end to end; undefined for anything else. */
function numeric(value: SqliteValue): bigint | number | undefined {
  const number = value === null ? null : withNumericAffinity(value);
  return typeof number === 'bigint' || typeof number === 'number' ? number : undefined;
}

/** NULL for everything that is not a number. */
function onNumber(apply: (a: number) => SqliteValue): Operator {
  return strictUnary((value) => {
    const number = numeric(value);
    return number === undefined ? null : apply(Number(number));
  });
}

function rounding(apply: (a: number) => number): Operator {
  return strictUnary((value) => {
    const number = numeric(value);
    return typeof number === 'number' ? apply(number) : (number ?? null);
  });
}

function mod(args: readonly SqliteValue[]): SqliteValue {
  const [a, b] = args.map(numeric);
  return a === undefined || b === undefined ? null : realOrNull(Number(a) % Number(b));
}

function realOrNull(value: number): SqliteValue {
  return Number.isNaN(value) ? null : value;
}

/** From here on, doubles have no fraction. */
const NO_FRACTION = 2 ** 52;
const MAX_FRACTION_DIGITS = 30n;

function round(args: readonly SqliteValue[]): SqliteValue {
  const [value = null, digits = args.length === 1 ? 0n : null] = args;
  if (value === null || digits === null) return null;
  const number = toReal(value);
  if (Math.abs(number) > NO_FRACTION) return number;
  const wanted = toInteger(digits);
  const fraction = Number(wanted > MAX_FRACTION_DIGITS ? MAX_FRACTION_DIGITS : wanted);
  return fraction <= 0 ? roundToInteger(number) : roundToFraction(number, fraction);
}

/** Half away from zero. Never gives a negative zero. */
function roundToInteger(value: number): number {
  return Math.trunc(value < 0 ? value - 0.5 : value + 0.5) + 0;
}

/** By way of the decimal digits, as SQLite does. */
function roundToFraction(value: number, fraction: number): number {
  if (value === 0) return 0;
  const { digits, point } = realDigits(Math.abs(value), { fraction });
  // What is smaller than the last digit asked for is printed as zeros.
  const kept = digits.slice(0, Math.max(0, point + fraction));
  const rounded = kept === '' ? 0 : Number(`${kept}e${point - kept.length}`);
  return value < 0 ? -rounded : rounded;
}
