import { RESERVED_WORDS } from './reserved-words.ts';
import type { Identifier } from './syntax.ts';
import { isSymbol, type Token } from './token.ts';
import { CLAUSE_WORDS, type TokenStream } from './token-stream.ts';

/**
 * What stands after a column or source: `AS name`, or a name alone that is not probably one of
 * `keywords` misspelt.
 */
export function parseAlias(
  tokens: TokenStream,
  keywords: readonly string[],
): Identifier | undefined {
  if (tokens.takeWord('as')) return aliasName(tokens);
  const token = tokens.peek();
  const isName =
    token.kind === 'quoted' || (token.kind === 'word' && !RESERVED_WORDS.has(token.value));
  if (!isName || isMisspeltKeyword(tokens, token, keywords)) return undefined;
  return tokens.expectName('an alias');
}

/** `AS 'name'` is a text where a name belongs. */
function aliasName(tokens: TokenStream): Identifier {
  const token = tokens.peek();
  if (token.kind !== 'text') return tokens.expectName('an alias', true);
  tokens.next();
  const { start, end, value } = token;
  const fix = { text: `Write "${value}"`, edit: { start, end, text: `"${value}"` } };
  tokens.problems.error('SQL_SYNTAX', token, 'A name cannot stand in single quotes', fix);
  return { name: value, raw: value, quoted: true, start, end };
}

/** A word near a keyword, and followed by what no alias is followed by. */
function isMisspeltKeyword(
  tokens: TokenStream,
  token: Token,
  keywords: readonly string[],
): boolean {
  if (!tokens.isMisspelt(token, keywords)) return false;
  const after = tokens.peek(1);
  if (after.kind === 'end' || isSymbol(after, ',', ')', ';')) return false;
  return !(after.kind === 'word' && (CLAUSE_WORDS as readonly string[]).includes(after.value));
}
