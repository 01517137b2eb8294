import { topBitsOfPowerOfTen } from './power-of-ten.ts';

/** A finite positive number as decimal digits: 0.d1d2d3... times 10^point. */
export interface RealDigits {
  readonly digits: string;
  readonly point: number;
}

/** How many digits to keep: in all, or behind the decimal point. */
export type Precision = { readonly significant: number } | { readonly fraction: number };

/** SQLite never prints more digits than this. */
const MAX_DIGITS = 20;

/**
 * The digits that SQLite prints for a finite number above 0, without trailing zeros.
 *
 * It first makes 18 or 19 digits with 64-bit arithmetic and rounds those, so that the result is not
 * always the correctly rounded one.
 */
export function realDigits(value: number, precision: Precision): RealDigits {
  const { digits, exponent } = approximate(value, digitsToMake(precision));
  let point = digits.length + exponent;
  let all = digits;
  let keep = 'significant' in precision ? precision.significant : point + precision.fraction;
  if (keep === 0 && 'fraction' in precision && all >= '5') {
    all = `0${all}`;
    point++;
    keep = 1;
  }
  if (keep <= 0 || (keep >= all.length && all.length <= MAX_DIGITS)) {
    return { digits: withoutTrailingZeros(all), point };
  }
  keep = Math.min(keep, MAX_DIGITS);
  if (keep === 17) keep = shorterThan17(value, all, exponent) ?? keep;
  const rounded = roundDigits(all, keep);
  return { digits: withoutTrailingZeros(rounded), point: point + rounded.length - keep };
}

function digitsToMake(precision: Precision): number {
  return 'significant' in precision
    ? Math.min(precision.significant + 1, MOST_DIGITS)
    : MOST_DIGITS;
}

const MOST_DIGITS = 18;

/** `value` = digits * 10^exponent, nearly: `count` digits or one more. */
function approximate(value: number, count: number): { digits: string; exponent: number } {
  const { mantissa, binaryExponent } = binaryParts(value);
  const power = count - 1 - floorLog10OfPowerOf2(binaryExponent + 63);
  const product = (mantissa * topBitsOfPowerOfTen(power)) >> 64n;
  const shift = -(binaryExponent + floorLog2OfPowerOf10(power) + 2);
  const doubled = product >> BigInt(shift);
  // The lowest bit is one half of the last digit, and only the longest numbers are rounded.
  const number = (count === MOST_DIGITS ? doubled + 1n : doubled) >> 1n;
  return { digits: String(number), exponent: -power };
}

const view = new DataView(new ArrayBuffer(8));

/** `value` = mantissa * 2^binaryExponent, with the highest of 64 bits set. */
function binaryParts(value: number): { mantissa: bigint; binaryExponent: number } {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n) & 0x7ff;
  const fraction = bits & 0xfffffffffffffn;
  if (exponent > 0) {
    return { mantissa: ((1n << 52n) | fraction) << 11n, binaryExponent: exponent - 1086 };
  }
  const shift = 64 - fraction.toString(2).length;
  return { mantissa: fraction << BigInt(shift), binaryExponent: -1074 - shift };
}

function floorLog2OfPowerOf10(exponent: number): number {
  return (exponent * 108853) >> 15;
}

function floorLog10OfPowerOf2(exponent: number): number {
  return (exponent * 78913) >> 18;
}

/**
 * Fewer digits than 17 where those read back as the same number and the 17 end in a run of nines
 * or zeros, e.g. 49.47 instead of 49.469999999999999; undefined otherwise.
 */
function shorterThan17(value: number, digits: string, exponent: number): number | undefined {
  const endsInNines = digits.slice(14, 16) === '99';
  if (endsInNines) {
    const run = /9*$/.exec(digits.slice(0, 15))?.[0].length ?? 0;
    const prefix = digits.slice(0, 15 - run);
    const candidate = BigInt(prefix === '' ? '0' : prefix) + 1n;
    return readsBack(value, candidate, prefix.length, digits, exponent);
  }
  if (digits.length + exponent >= digits.length || digits.slice(13, 16) === '000') {
    const prefix = withoutTrailingZeros(digits.slice(0, 13));
    return readsBack(value, BigInt(prefix), prefix.length, digits, exponent);
  }
  return undefined;
}

function readsBack(
  value: number,
  candidate: bigint,
  length: number,
  digits: string,
  exponent: number,
): number | undefined {
  const isSame = Number(`${candidate}e${exponent + digits.length - length}`) === value;
  return isSame ? length + 1 : undefined;
}

/** The first `keep` digits, half rounded up; one more digit when all of them were nines. */
function roundDigits(digits: string, keep: number): string {
  const kept = digits.slice(0, keep);
  return (digits[keep] ?? '0') >= '5' ? String(BigInt(kept) + 1n).padStart(keep, '0') : kept;
}

function withoutTrailingZeros(digits: string): string {
  return digits.replace(/(?<=.)0+$/, '');
}
