const COMBINING = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** How many columns a text takes on a terminal: 2 for East Asian characters and emoji. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) {
    if (!COMBINING.test(char)) width += WIDE.test(char) ? 2 : 1;
  }
  return width;
}
