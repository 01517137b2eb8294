/** Small integers are so common (flags, counts, references) that making them anew shows. */
const SMALL: readonly bigint[] = Array.from({ length: 1024 }, (_, value) => BigInt(value));

/** The bigint of an integer that a double holds exactly. */
export function integerValue(value: number): bigint {
  return SMALL[value] ?? BigInt(value);
}
