import type { Fix } from '../diagnostics.ts';
import { didYouMean } from '../suggest.ts';
import type { Grammar } from './grammar.ts';
import { tokenize } from './lexer.ts';
import { quoteName } from './quote-name.ts';
import { RESERVED_WORDS } from './reserved-words.ts';
import { SqlSyntaxError, type SqlProblems } from './sql-syntax-error.ts';
import type { Identifier } from './syntax.ts';
import type { Token } from './token.ts';

/** A cursor over the tokens of one SQL text, with the checks that every part of the grammar uses. */
export class TokenStream {
  readonly sql: string;
  readonly problems: SqlProblems;
  readonly #tokens: readonly Token[];
  #at = 0;
  #lastReported = -1;

  constructor(sql: string, grammar: Grammar, problems: SqlProblems) {
    this.sql = sql;
    this.problems = problems;
    this.#tokens = tokenize(sql, grammar, problems);
  }

  peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new RangeError('a token stream ends with an end token');
    return token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  /** The end of the last token taken. */
  lastEnd(): number {
    return this.#tokens[this.#at - 1]?.end ?? 0;
  }

  isWord(...words: string[]): boolean {
    const token = this.peek();
    return token.kind === 'word' && words.includes(token.value);
  }

  isSymbol(symbol: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'symbol' && token.value === symbol;
  }

  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.next();
    return true;
  }

  takeSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.next();
    return true;
  }

  /** As `takeWord`, also for a misspelt word, which is reported. */
  takeKeyword(word: string): boolean {
    if (this.takeWord(word)) return true;
    const fix = this.#misspelt(this.peek(), [word]);
    if (fix === undefined) return false;
    this.report(this.unexpected(word.toUpperCase(), fix));
    this.next();
    return true;
  }

  expectWord(word: string): Token {
    const token = this.peek();
    if (!this.takeKeyword(word)) throw this.unexpected(word.toUpperCase());
    return token;
  }

  expectSymbol(symbol: string): Token {
    if (!this.isSymbol(symbol)) throw this.unexpected(`"${symbol}"`);
    return this.next();
  }

  /** The bracket that closes `open`; reports where it is missing, and goes on without. */
  expectClosing(symbol: string, open: Token): Token {
    if (this.isSymbol(symbol)) return this.next();
    const at = { start: this.lastEnd(), end: this.lastEnd() };
    if (this.peek().kind !== 'end' && !this.isWord(...CLAUSE_WORDS))
      throw this.unexpected(`"${symbol}"`);
    const fix = { text: `Add ${symbol}`, edit: { ...at, text: symbol } };
    this.problems.error('SQL_SYNTAX', open, `This ${open.value} is not closed`, fix);
    return { kind: 'symbol', value: symbol, ...at };
  }

  /** Whether a clause begins here, rather than a name that happens to be one of the words. */
  isClauseStart(): boolean {
    const token = this.peek();
    const after = this.peek(1);
    if (token.kind !== 'word') return false;
    const follows = (...words: string[]) => after.kind === 'word' && words.includes(after.value);
    switch (token.value) {
      case 'order':
      case 'group':
        return follows('by');
      case 'limit':
      case 'offset':
      case 'fetch':
        return after.kind === 'integer' || follows('all', 'first', 'next');
      case 'for':
        return follows('update', 'share', 'no');
      case 'window':
        return false;
      case 'inner':
      case 'left':
      case 'right':
      case 'full':
      case 'cross':
      case 'natural':
      case 'outer':
        return follows('join', 'outer', 'inner', 'left', 'right');
      default:
        return after.kind !== 'end' && (CLAUSE_WORDS as readonly string[]).includes(token.value);
    }
  }

  /** Skips to where reading can go on: the end of the current list item, bracket or clause. */
  skipToBreak(isBreak: (token: Token) => boolean): void {
    for (let depth = 0; ; this.next()) {
      const token = this.peek();
      if (token.kind === 'end') return;
      const isOpen = token.kind === 'symbol' && (token.value === '(' || token.value === '[');
      const isClose = token.kind === 'symbol' && (token.value === ')' || token.value === ']');
      if (depth === 0 && (isClose || isBreak(token))) return;
      if (isOpen) depth++;
      if (isClose) depth--;
    }
  }

  /** Skips what is refused anyway, up to the bracket that closes the current level. */
  skipTo(close: string): Token {
    let depth = this.isSymbol('(') || this.isSymbol('[') ? 0 : 1;
    for (;;) {
      const token = this.next();
      if (token.kind === 'end') throw this.unexpected(`"${close}"`);
      if (token.kind !== 'symbol') continue;
      if (token.value === '(' || token.value === '[') depth++;
      if (token.value === ')' || token.value === ']') depth--;
      if (depth === 0) return token;
    }
  }

  /** A word is complained about once, by whoever came upon it first. */
  report({ code, span, message, fix }: SqlSyntaxError): void {
    if (span.start === this.#lastReported) return;
    this.#lastReported = span.start;
    this.problems.error(code, span, message, fix);
  }

  /** Whether an unquoted word is probably one of the keywords, and no name. */
  isMisspelt(token: Token, keywords: readonly string[]): boolean {
    return this.#misspelt(token, keywords) !== undefined;
  }

  #misspelt(token: Token, keywords: readonly string[]): Fix | undefined {
    if (token.kind !== 'word' || RESERVED_WORDS.has(token.value) || token.value.length < 3) {
      return undefined;
    }
    return didYouMean(token, token.value, keywords, (word) => word.toUpperCase());
  }

  /** A name; reserved words only where `anyWord` says so, as after AS or a dot. */
  expectName(what: string, anyWord = false): Identifier {
    const token = this.peek();
    if (token.kind !== 'word' && token.kind !== 'quoted') throw this.unexpected(what);
    if (token.kind === 'word' && !anyWord && RESERVED_WORDS.has(token.value)) {
      throw this.reserved(token);
    }
    this.next();
    return this.identifier(token);
  }

  identifier(token: Token): Identifier {
    const quoted = token.kind === 'quoted';
    const raw = quoted ? token.value : this.sql.slice(token.start, token.end);
    return { name: token.value, raw, quoted, start: token.start, end: token.end };
  }

  reserved(token: Token): SqlSyntaxError {
    const written = this.sql.slice(token.start, token.end);
    const text = quoteName(token.value);
    const fix = { text: `Write ${text} if it is a name`, edit: { ...spanOf(token), text } };
    const message = `${written.toUpperCase()} is a reserved word and cannot stand here`;
    return new SqlSyntaxError('SQL_SYNTAX', token, message, fix);
  }

  unexpected(wanted: string, fix?: string | Fix): SqlSyntaxError {
    const token = this.peek();
    const found =
      token.kind === 'end' ? 'the end of the query' : this.sql.slice(token.start, token.end);
    const message = `Expected ${wanted}, found ${found}`;
    return new SqlSyntaxError('SQL_SYNTAX', token, message, fix);
  }
}

/** Words that begin a clause: an unfinished part before them has ended. */
export const CLAUSE_WORDS = [
  'from', 'where', 'join', 'inner', 'left', 'right', 'full', 'cross', 'natural', 'outer', 'on',
  'group', 'having', 'order', 'limit', 'offset', 'union', 'intersect', 'except', 'fetch', 'window',
  'for',
] as const; // prettier-ignore

function spanOf({ start, end }: Token): { start: number; end: number } {
  return { start, end };
}
