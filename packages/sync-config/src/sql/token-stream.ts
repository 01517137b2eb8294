import type { Grammar } from './grammar.ts';
import { tokenize } from './lexer.ts';
import { RESERVED_WORDS } from './reserved-words.ts';
import { SqlSyntaxError } from './sql-syntax-error.ts';
import type { Identifier } from './syntax.ts';
import type { Token } from './token.ts';

/** A cursor over the tokens of one SQL text, with the checks that every part of the grammar uses. */
export class TokenStream {
  readonly sql: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(sql: string, grammar: Grammar) {
    this.sql = sql;
    this.#tokens = tokenize(sql, grammar);
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

  expectWord(word: string): Token {
    if (!this.isWord(word)) throw this.unexpected(word.toUpperCase());
    return this.next();
  }

  expectSymbol(symbol: string): Token {
    if (!this.isSymbol(symbol)) throw this.unexpected(`"${symbol}"`);
    return this.next();
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
    return new SqlSyntaxError(
      'SQL_SYNTAX',
      token,
      `${written.toUpperCase()} is a reserved word and cannot stand here`,
      `Write "${token.value}" in double quotes if it is a name`,
    );
  }

  unexpected(wanted: string): SqlSyntaxError {
    const token = this.peek();
    const found =
      token.kind === 'end' ? 'the end of the query' : this.sql.slice(token.start, token.end);
    return new SqlSyntaxError('SQL_SYNTAX', token, `Expected ${wanted}, found ${found}`);
  }
}
