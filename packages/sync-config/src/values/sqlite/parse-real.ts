/**
 * The REAL nearest to a decimal number, as SQLite reads it: of its digits only the first 19 or 20
 * count, so that the result is not always the nearest to the whole.
 */
export function parseReal(text: string): number {
  if (text.length <= MAX_DIGITS) return Number(text);
  const match = PARTS.exec(text);
  if (match === null) return Number(text);
  const [, sign = '', integer = '', fraction = '', exponent = '0'] = match;
  const digits = integer + fraction;
  const significant = digits.replace(/^0+/, '');
  if (significant.length <= MAX_DIGITS) return Number(text);
  const kept = significant.slice(0, significant.slice(0, MAX_DIGITS) < LIMIT ? MAX_DIGITS + 1 : MAX_DIGITS);
  const dropped = significant.length - kept.length;
  return Number(`${sign}${kept}e${Number(exponent) - fraction.length + dropped}`);
}

/** Any number of so many digits fits 64 bits, */
const MAX_DIGITS = 19;
/** and one more digit when it is below this. */
const LIMIT = '1844674407370955160';
const PARTS = /^\s*([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?\s*$/;
