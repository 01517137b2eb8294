/** Below 2^-126 single precision has fewer digits the smaller the value. */
const SMALLEST_NORMAL = 2 ** -126;

/**
 * The double with the shortest decimal that rounds to the given single-precision value: 0.1, not
 * 0.10000000149011612. That is what the text form of a float4 says.
 */
export function shortestFloat4(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  // Integers of up to six digits are their own shortest decimal.
  if (Math.abs(value) < 1_000_000 && Number.isInteger(value)) return value;
  // Up to six digits survive a float4, so asking for fewer changes nothing; but for the subnormal.
  for (let digits = Math.abs(value) < SMALLEST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const nearest = Number(value.toPrecision(digits));
    if (Math.fround(nearest) === value) return nearest;
    if (!isPowerOfTwo(value)) continue;
    const next = nextAwayFromZero(value, digits);
    if (Math.fround(next) === value) return next;
  }
  return Number(value.toPrecision(9));
}

/**
 * Towards zero its neighbour is only half as far away. So the nearest decimal on that side may belong
 * to the neighbour while one farther away on the other side still belongs to the value.
 */
function isPowerOfTwo(value: number): boolean {
  const magnitude = Math.abs(value);
  return 2 ** Math.round(Math.log2(magnitude)) === magnitude;
}

function nextAwayFromZero(value: number, digits: number): number {
  const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e');
  const last = Number(mantissa.replace('.', '')) + Math.sign(value);
  return Number(`${last}e${Number(exponent) - digits + 1}`);
}
