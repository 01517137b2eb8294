/**
 * The double with the shortest decimal that rounds to the given single-precision value: 0.1, not
 * 0.10000000149011612. That is what the text form of a float4 says.
 */
export function shortestFloat4(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  // Integers of up to six digits are their own shortest decimal.
  if (Math.abs(value) < 1_000_000 && Number.isInteger(value)) return value;
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return Number(value.toPrecision(9));
}
