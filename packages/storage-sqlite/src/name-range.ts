/** Exclusive; a blob is behind every text. */
export type NameBound = string | Uint8Array;

const LAST_CODE_POINT = 0x10ffff;
/** Surrogates are not code points of their own. */
const [BEFORE_SURROGATES, AFTER_SURROGATES] = [0xd7ff, 0xe000];

/**
 * The end of the range of texts that begin with `prefix`, in the order of SQLite's BINARY
 * collation, which is the order of code points. A range is found through an index, whatever
 * characters the prefix has; LIKE would take some of them for wildcards.
 */
export function endOfPrefix(prefix: string): NameBound {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return new Uint8Array(0);
  const next = last === BEFORE_SURROGATES ? AFTER_SURROGATES : last + 1;
  return String.fromCodePoint(...points, next);
}
