/*
 * SQL cut into tokens, for the little that is read from a text itself: how many parameters it has, which
 * columns an index's expressions name, and conditions of the simplest form. Never fails: what is not SQL
 * becomes tokens that no reader of them knows.
 */

type TokenKind =
  /** A name or a keyword without quotes. */
  | 'word'
  /** A name in double quotes, backticks or brackets, without them. */
  | 'quoted'
  | 'string'
  | 'number'
  | 'parameter'
  | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of names and strings what the quotes hold. */
  readonly text: string;
  /** Where it begins and ends (exclusive) in the SQL, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+|--[^\n]*|/\*[\s\S]*?(?:\*/|$))`,
    String.raw`(?<blob>[xX]'[^']*')`,
    String.raw`'(?<string>(?:[^']|'')*)'`,
    String.raw`"(?<double>(?:[^"]|"")*)"`,
    '`(?<back>(?:[^`]|``)*)`',
    String.raw`\[(?<bracket>[^\]]*)\]`,
    String.raw`(?<number>0[xX][0-9a-fA-F]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)`,
    String.raw`(?<parameter>\?\d*|[:@$][\p{L}\p{N}_$]+)`,
    String.raw`(?<word>[\p{L}_\u0080-\u{10ffff}][\p{L}\p{N}_$\u0080-\u{10ffff}]*)`,
    String.raw`(?<symbol>->>|->|\|\||<=|>=|<>|<<|>>|==|!=|[\s\S])`,
  ].join('|'),
  'uy',
);

export function sqlTokens(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of sql.matchAll(new RegExp(TOKEN, 'guy'))) {
    const found = tokenOf(match.groups ?? {});
    if (found === undefined) continue;
    tokens.push({ ...found, start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

function tokenOf(
  groups: Readonly<Record<string, string | undefined>>,
): Pick<Token, 'kind' | 'text'> | undefined {
  const { blob, string, double, back, bracket, number, parameter, word, symbol } = groups;
  if (blob !== undefined) return { kind: 'symbol', text: blob };
  if (string !== undefined) return { kind: 'string', text: string.replaceAll(`''`, `'`) };
  if (double !== undefined) return { kind: 'quoted', text: double.replaceAll('""', '"') };
  if (back !== undefined) return { kind: 'quoted', text: back.replaceAll('``', '`') };
  if (bracket !== undefined) return { kind: 'quoted', text: bracket };
  if (number !== undefined) return { kind: 'number', text: number };
  if (parameter !== undefined) return { kind: 'parameter', text: parameter };
  if (word !== undefined) return { kind: 'word', text: word };
  if (symbol !== undefined) return { kind: 'symbol', text: symbol };
  return undefined;
}

/** Whether the token is this keyword, given in capitals. */
export function isKeyword(token: Token | undefined, ...keywords: readonly string[]): boolean {
  return token?.kind === 'word' && keywords.includes(token.text.toUpperCase());
}

export function isSymbol(token: Token | undefined, ...symbols: readonly string[]): boolean {
  return token?.kind === 'symbol' && symbols.includes(token.text);
}

/** Names in the text, in lower case: every one that a column could be meant by. */
export function namesIn(tokens: readonly Token[]): ReadonlySet<string> {
  const names = tokens.filter(({ kind }) => kind === 'word' || kind === 'quoted');
  return new Set(names.map(({ text }) => text.toLowerCase()));
}

/** For every parameter token, its index from 0, as SQLite numbers them. */
export function parameterIndexes(tokens: readonly Token[]): ReadonlyMap<Token, number> {
  const indexes = new Map<Token, number>();
  const byName = new Map<string, number>();
  let largest = 0;
  for (const token of tokens) {
    if (token.kind !== 'parameter') continue;
    const numbered = /^\?(\d+)$/.exec(token.text)?.[1];
    const known = token.text === '?' ? undefined : byName.get(token.text);
    const index = numbered === undefined ? (known ?? largest + 1) : Number(numbered);
    if (token.text !== '?') byName.set(token.text, index);
    largest = Math.max(largest, index);
    indexes.set(token, index - 1);
  }
  return indexes;
}

/** The same statement with `?` for every parameter, and how many they are: `EXPLAIN` needs no values, but drivers do. */
export function anonymousParameters(sql: string): { readonly sql: string; readonly count: number } {
  const parameters = sqlTokens(sql).filter(({ kind }) => kind === 'parameter');
  let text = '';
  let from = 0;
  for (const { start, end } of parameters) {
    text += `${sql.slice(from, start)}?`;
    from = end;
  }
  return { sql: text + sql.slice(from), count: parameters.length };
}
