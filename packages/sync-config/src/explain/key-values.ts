import { formatValue } from '../expr/format-expression.ts';
import { splitKeyTexts } from '../values/key-text.ts';

/** The text of a key, which is JSON, as an SQL literal. */
export function keyLiteral(text: string): string {
  if (text === 'null') return 'NULL';
  return text.startsWith('"') ? formatValue(JSON.parse(text) as string) : text;
}

/** The literals of a JSON array of keys. */
export function keyLiterals(array: string): string[] {
  return splitKeyTexts(array).map(keyLiteral);
}
