/** How texts compare. NOCASE folds A to Z only; RTRIM ignores spaces at the end. */
export type Collation = 'binary' | 'nocase' | 'rtrim';

export const COLLATIONS: readonly Collation[] = ['binary', 'nocase', 'rtrim'];

/** Negative, zero or positive, as SQLite orders the UTF-8 bytes of two texts. */
export function compareTexts(a: string, b: string, collation: Collation): number {
  if (collation === 'nocase') return compareFolded(foldCase(a), foldCase(b));
  if (collation === 'rtrim') return compareBinary(trimEnd(a), trimEnd(b));
  return compareBinary(a, b);
}

/** Code points order like UTF-8 bytes; UTF-16 units do not, for surrogates stand below U+E000. */
function compareBinary(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** SQLite's NOCASE reads no further than a NUL that both texts have at the same place. */
function compareFolded(a: string, b: string): number {
  const nul = a.indexOf('\0');
  if (nul === -1 || b.indexOf('\0') !== nul || !b.startsWith(a.slice(0, nul))) {
    return compareBinary(a, b);
  }
  return Buffer.byteLength(a) - Buffer.byteLength(b);
}

/** Lower case as SQLite knows it: A to Z only. */
export function foldCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : text;
}

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return end === text.length ? text : text.slice(0, end);
}
