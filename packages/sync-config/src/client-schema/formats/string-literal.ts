/** How a language writes texts. */
interface LiteralStyle {
  readonly quote: "'" | '"';
  /** Characters that need a backslash, besides the quote and the backslash. */
  readonly special?: string | undefined;
  /** How a character is written by its number. */
  readonly byNumber: (c: string) => string;
}

/** Control characters, line separators, invisible marks and halves of pairs, never shown as such. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** One or two UTF-16 units: `\u000a`. */
function utf16Units(c: string): string {
  return c
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

/** `\u{a}`; half a pair is no character in Swift, and becomes the one that stands for errors. */
function codePoint(c: string): string {
  const number = c.codePointAt(0) ?? 0;
  const isHalf = number >= 0xd800 && number <= 0xdfff;
  return `\\u{${(isHalf ? 0xfffd : number).toString(16)}}`;
}

function literalWriter({ quote, special = '', byNumber }: LiteralStyle): (text: string) => string {
  return (text) => {
    let inside = text.replaceAll('\\', '\\\\');
    for (const c of quote + special) inside = inside.replaceAll(c, `\\${c}`);
    return quote + inside.replace(UNPRINTABLE, byNumber) + quote;
  };
}

export const jsLiteral = literalWriter({ quote: "'", byNumber: utf16Units });
export const dartLiteral = literalWriter({ quote: "'", special: '$', byNumber: utf16Units });
export const kotlinLiteral = literalWriter({ quote: '"', special: '$', byNumber: utf16Units });
export const swiftLiteral = literalWriter({ quote: '"', byNumber: codePoint });
export const csharpLiteral = literalWriter({ quote: '"', byNumber: utf16Units });
