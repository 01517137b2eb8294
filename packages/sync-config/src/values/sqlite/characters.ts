/** The characters of a text up to its first NUL, where most of SQLite's functions stop reading. */
export function codePoints(text: string): number[] {
  const points: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point === 0) break;
    // SQLite's reader of UTF-8 takes these two for the replacement character.
    points.push(point === 0xfffe || point === 0xffff ? 0xfffd : point);
  }
  return points;
}

/** The text up to its first NUL. */
export function beforeNul(text: string): string {
  const nul = text.indexOf('\0');
  return nul === -1 ? text : text.slice(0, nul);
}

/** How many characters, not UTF-16 units. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xdc00 && unit <= 0xdfff) count--;
  }
  return count;
}
