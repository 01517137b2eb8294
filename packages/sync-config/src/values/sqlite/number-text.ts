/** How far a text reads as a number, as SQLite's two readers of numbers see it. */
export interface RealReading {
  readonly value: number;
  /** The text is a number from end to end, but for white space around it. */
  readonly isWhole: boolean;
  /** There is a decimal point or an exponent. */
  readonly isReal: boolean;
}

export interface IntegerReading {
  /** The nearest 64-bit integer where the digits say more. */
  readonly value: bigint;
  /** Digits were found and nothing but white space follows them. */
  readonly isWhole: boolean;
  readonly fits: boolean;
}

const REAL = /^[ \t-\r]*([+-]?)(?:(\d+)(?:(\.)(\d*))?|(\.)(\d+))(?:[eE]([+-]?\d+))?/;
const INTEGER = /^[ \t-\r]*([+-]?)(\d*)/;
const BLANK = /^[ \t-\r]*$/;

/**
 * The number that a text begins with, as a REAL; 0 when it begins with none. A NUL ends the text.
 * Of very many digits only the first 19 or 20 count.
 */
export function readReal(text: string): RealReading {
  const end = text.indexOf('\0');
  const subject = end === -1 ? text : text.slice(0, end);
  const match = REAL.exec(subject);
  if (match === null) return NOT_A_NUMBER;
  const [all, sign, whole = '', point1, fraction1, point2, fraction2, exponent] = match;
  const fraction = fraction1 ?? fraction2 ?? '';
  const magnitude = combine(whole, fraction, exponent);
  return {
    value: sign === '-' ? -magnitude : magnitude,
    isWhole: all.length === subject.length || BLANK.test(subject.slice(all.length)),
    isReal: (point1 ?? point2 ?? exponent) !== undefined,
  };
}

const NOT_A_NUMBER: RealReading = { value: 0, isWhole: false, isReal: false };

/** Where SQLite stops taking in digits: it could not hold ten times this in 64 bits. */
const FULL = (2n ** 64n - 10n) / 10n;

function combine(whole: string, fraction: string, exponent: string | undefined): number {
  if (whole.length + fraction.length < 19 && (exponent === undefined || exponent.length < 5)) {
    return Number(`${whole}.${fraction}e${exponent ?? 0}`);
  }
  let digits = 0n;
  let scale = exponent === undefined ? 0 : limitExponent(exponent);
  for (const digit of whole) {
    if (digits >= FULL) scale++;
    else digits = digits * 10n + BigInt(digit);
  }
  for (const digit of fraction) {
    if (digits >= FULL) break;
    digits = digits * 10n + BigInt(digit);
    scale--;
  }
  return Number(`${digits}e${scale}`);
}

/** SQLite takes in five digits of an exponent; longer ones mean 10000. */
function limitExponent(exponent: string): number {
  const digits = exponent.replace(/^[+-]?0*/, '');
  const size = digits.length > 5 ? 10_000 : Number(digits);
  return exponent.startsWith('-') ? -size : size;
}

export const MAX_INTEGER = 2n ** 63n - 1n;
export const MIN_INTEGER = -(2n ** 63n);

/** The integer that a text begins with; 0 when it begins with none. */
export function readInteger(text: string): IntegerReading {
  const [all = '', sign = '', digits = ''] = INTEGER.exec(text) ?? [];
  const exact = BigInt(digits) * (sign === '-' ? -1n : 1n);
  const value = clampInteger(exact);
  return {
    value,
    isWhole: digits !== '' && (all.length === text.length || BLANK.test(text.slice(all.length))),
    fits: value === exact,
  };
}

function clampInteger(value: bigint): bigint {
  if (value > MAX_INTEGER) return MAX_INTEGER;
  return value < MIN_INTEGER ? MIN_INTEGER : value;
}
