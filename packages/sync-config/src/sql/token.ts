import type { Span } from '../diagnostics.ts';

/** One word of the SQL text. */
export interface Token extends Span {
  readonly kind: 'word' | 'quoted' | 'text' | 'integer' | 'real' | 'blob' | 'symbol' | 'end';
  /** Words in lower case; text literals, quoted names and hex digits without what encloses them. */
  readonly value: string;
}

/** Whether a token is one of some symbols. */
export function isSymbol({ kind, value }: Token, ...symbols: readonly string[]): boolean {
  return kind === 'symbol' && symbols.includes(value);
}
