/**
 * The 64 highest bits of 10^exponent, as SQLite computes them: one of 26 tabulated powers times a
 * small exact one, rounded down. The last bit may differ from the true power, and with it the last
 * digit of a REAL as text, which is why the way of computing matters.
 *
 * `exponent` is between -348 and 347.
 */
export function topBitsOfPowerOfTen(exponent: number): bigint {
  const known = CACHE.get(exponent);
  if (known !== undefined) return known;
  const bits = computeTopBits(exponent);
  CACHE.set(exponent, bits);
  return bits;
}

const CACHE = new Map<number, bigint>();

/** Tabulated powers lie this many decades apart. */
const STRIDE = 27;

function computeTopBits(exponent: number): bigint {
  const small = ((exponent % STRIDE) + STRIDE) % STRIDE;
  const large = exponent - small;
  if (large === 0) return significantBits(small, 64, 'down');
  // SQLite tabulates 10^-1 apart from the others, and that one is not rounded.
  if (exponent === -1) return significantBits(-1, 64, 'down');
  const tabulated = significantBits(large, 96, 'nearest');
  if (small === 0) return tabulated >> 32n;
  const high = (tabulated >> 32n) * significantBits(small, 64, 'down');
  const low = ((tabulated & 0xffffffffn) * significantBits(small, 64, 'down')) >> 32n;
  const product = high + low;
  return product >> 127n === 0n ? product >> 63n : product >> 64n;
}

/** The `count` highest bits of 10^exponent, rounded from the exact value. */
function significantBits(exponent: number, count: number, rounding: 'down' | 'nearest'): bigint {
  const power = 10n ** BigInt(Math.abs(exponent));
  // More than enough bits in front of any negative power down to 10^-351.
  const scaled = exponent < 0 ? (1n << 1400n) / power : power << 128n;
  const surplus = BigInt(scaled.toString(2).length - count);
  const bits = scaled >> surplus;
  const isUp = rounding === 'nearest' && ((scaled >> (surplus - 1n)) & 1n) === 1n;
  return isUp ? bits + 1n : bits;
}
