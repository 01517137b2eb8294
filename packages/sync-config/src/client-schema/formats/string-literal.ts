/** How a language writes texts. */
interface LiteralStyle {
  readonly quote: "'" | '"';
  /** Characters that need a backslash, besides the quote and the backslash. */
  readonly special?: string | undefined;
  /** How a UTF-16 unit is written by its number. */
  readonly unit: (hex: string) => string;
}

const plainUnit = (hex: string): string => `\\u${hex}`;
const bracedUnit = (hex: string): string => `\\u{${hex}}`;

/** Control characters, line separators, invisible marks and halves of pairs, never shown as such. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

function literalWriter({ quote, special = '', unit }: LiteralStyle): (text: string) => string {
  const escaped = new Set(['\\', quote, ...special]);
  return (text) => {
    const inside = [...text].map((c) => (escaped.has(c) ? `\\${c}` : c)).join('');
    const hex = (c: string) => c.charCodeAt(0).toString(16).padStart(4, '0');
    const units = (c: string) =>
      c
        .split('')
        .map((half) => unit(hex(half)))
        .join('');
    return quote + inside.replace(UNPRINTABLE, units) + quote;
  };
}

export const jsLiteral = literalWriter({ quote: "'", unit: plainUnit });
export const dartLiteral = literalWriter({ quote: "'", special: '$', unit: plainUnit });
export const kotlinLiteral = literalWriter({ quote: '"', special: '$', unit: plainUnit });
export const swiftLiteral = literalWriter({ quote: '"', unit: bracedUnit });
export const csharpLiteral = literalWriter({ quote: '"', unit: plainUnit });
