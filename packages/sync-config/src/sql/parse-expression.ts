import type { Grammar } from './grammar.ts';
import { literalValue } from './literal-value.ts';
import { RESERVED_WORDS } from './reserved-words.ts';
import { SqlSyntaxError } from './sql-syntax-error.ts';
import { parseIs, parseLike, parseList, type FormParser } from './sqlite-forms.ts';
import type { ExprSyntax, Identifier, SelectSyntax } from './syntax.ts';
import type { Token } from './token.ts';
import type { TokenStream } from './token-stream.ts';

/** Bounds the recursion, so that a hostile text cannot exhaust the stack. */
const MAX_DEPTH = 200;

/** Parses expressions; subqueries are handed to `parseSelect`. */
export class ExpressionParser {
  readonly #tokens: TokenStream;
  readonly #grammar: Grammar;
  readonly #parseSelect: () => SelectSyntax;
  #depth = 0;

  constructor(tokens: TokenStream, grammar: Grammar, parseSelect: () => SelectSyntax) {
    this.#tokens = tokens;
    this.#grammar = grammar;
    this.#parseSelect = parseSelect;
  }

  /** What the forms of `sqlite-forms.ts` need of this parser. */
  get #formParser(): FormParser {
    return {
      tokens: this.#tokens,
      parse: (minLevel) => this.parse(minLevel),
      parseSubquery: () => this.#subquery(),
    };
  }

  /** An expression whose operators bind at least as tightly as `minLevel`. */
  parse(minLevel = 0): ExprSyntax {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) {
      throw new SqlSyntaxError('SQL_SYNTAX', this.#tokens.peek(), 'This is nested too deeply');
    }
    let left = this.#prefix();
    for (;;) {
      const extended = this.#extend(left, minLevel);
      if (extended === undefined) break;
      left = extended;
    }
    this.#depth--;
    return left;
  }

  #prefix(): ExprSyntax {
    const token = this.#tokens.peek();
    if (this.#tokens.takeWord('not')) {
      const operand = this.parse(this.#grammar.levels.not);
      return { kind: 'unary', operator: 'not', operand, start: token.start, end: operand.end };
    }
    if (token.kind === 'symbol' && this.#grammar.prefixes.includes(token.value)) {
      return this.#signed(token);
    }
    return this.#primary();
  }

  #signed(sign: Token): ExprSyntax {
    this.#tokens.next();
    const following = this.#tokens.peek();
    const isNumber = following.kind === 'integer' || following.kind === 'real';
    const isPart = !this.#grammar.isSqlite && following.start === sign.end;
    if (sign.value === '-' && isNumber && isPart) {
      this.#tokens.next();
      const value = literalValue({ ...following, value: `-${following.value}` }, this.#grammar);
      return { kind: 'literal', value, start: sign.start, end: following.end };
    }
    let operand = this.parse(this.#grammar.levels.sign);
    // SQLite drops a plus behind another sign, so that `-+5` is the literal -5.
    const dropsPlus = this.#grammar.isSqlite && sign.value !== '~';
    if (dropsPlus && operand.kind === 'unary' && operand.operator === '+') {
      operand = operand.operand;
    }
    if (sign.value === '-' && operand.kind === 'literal' && operand.token !== undefined) {
      const token = { ...operand.token, value: `-${operand.token.value}` };
      const value = literalValue(token, this.#grammar);
      return { kind: 'literal', value, start: sign.start, end: operand.end };
    }
    const operator = sign.value;
    return { kind: 'unary', operator, operand, start: sign.start, end: operand.end };
  }

  /** `left` with one more operator applied, or undefined when none follows at this level. */
  #extend(left: ExprSyntax, minLevel: number): ExprSyntax | undefined {
    const token = this.#tokens.peek();
    if (token.kind !== 'symbol' && token.kind !== 'word') return undefined;
    if (token.kind === 'word' && token.value === 'not') return this.#negatedForm(left, minLevel);
    const special = this.#specialForm(token, left, minLevel, false);
    if (special !== undefined) return special;
    const level = this.#grammar.binary[token.value];
    if (level === undefined || level < minLevel) return undefined;
    this.#tokens.next();
    const right = this.parse(level + 1);
    const span = { start: left.start, end: right.end };
    return { kind: 'binary', operator: token.value, operatorSpan: token, left, right, ...span };
  }

  #negatedForm(left: ExprSyntax, minLevel: number): ExprSyntax | undefined {
    const after = this.#tokens.peek(1);
    if (after.kind !== 'word') return undefined;
    const { levels, likeWords, isSqlite } = this.#grammar;
    if (isSqlite && after.value === 'null' && levels.is >= minLevel) {
      this.#tokens.next();
      this.#tokens.next();
      return { kind: 'is', operand: left, negated: true, what: 'null', ...span(left, after) };
    }
    if (after.value === 'in' || after.value === 'between' || likeWords.includes(after.value)) {
      const level = after.value === 'in' ? levels.in : levels.between;
      if (level < minLevel) return undefined;
      this.#tokens.next();
      return this.#specialForm(after, left, minLevel, true);
    }
    // Words such as ILIKE, which are refused with and without NOT.
    const level = this.#grammar.binary[after.value];
    if (level === undefined || level !== levels.like || level < minLevel) return undefined;
    this.#tokens.next();
    return this.#extend(left, minLevel);
  }

  #specialForm(
    token: Token,
    left: ExprSyntax,
    minLevel: number,
    negated: boolean,
  ): ExprSyntax | undefined {
    const { levels, likeWords } = this.#grammar;
    if (likeWords.includes(token.value)) {
      if (levels.like < minLevel) return undefined;
      return parseLike(this.#formParser, left, negated, levels.like);
    }
    switch (token.value) {
      case 'in':
        return levels.in < minLevel ? undefined : this.#in(left, negated);
      case 'between':
        return levels.between < minLevel ? undefined : this.#between(left, negated);
      case 'is':
        return levels.is < minLevel ? undefined : this.#is(left);
      case 'collate': {
        if (levels.collate === undefined || levels.collate < minLevel) return undefined;
        this.#tokens.next();
        const collation = this.#tokens.expectName('a collation', true);
        return { kind: 'collate', operand: left, collation, ...span(left, collation) };
      }
      case 'isnull':
      case 'notnull': {
        if (levels.is < minLevel) return undefined;
        this.#tokens.next();
        const notNull = token.value === 'notnull';
        return { kind: 'is', operand: left, negated: notNull, what: 'null', ...span(left, token) };
      }
      case '::': {
        this.#tokens.next();
        const type = this.#tokens.expectName('a type', true);
        return { kind: 'cast', operand: left, type, ...span(left, type) };
      }
      case '[': {
        const close = this.#skipTo(']');
        return { kind: 'unsupported', what: 'Array indexing', ...span(left, close) };
      }
      default:
        return undefined;
    }
  }

  #in(operand: ExprSyntax, negated: boolean): ExprSyntax {
    this.#tokens.next();
    const isList = this.#grammar.isSqlite && this.#tokens.isSymbol('(');
    const right = isList ? parseList(this.#formParser) : this.parse(this.#grammar.levels.in + 1);
    return { kind: 'in', operand, negated, right, ...span(operand, right) };
  }

  #between(operand: ExprSyntax, negated: boolean): ExprSyntax {
    this.#tokens.next();
    const low = this.parse(this.#grammar.levels.betweenLow);
    this.#tokens.expectWord('and');
    const high = this.parse(this.#grammar.levels.between + 1);
    return { kind: 'between', operand, negated, low, high, ...span(operand, high) };
  }

  #is(operand: ExprSyntax): ExprSyntax {
    const { isSqlite, levels } = this.#grammar;
    if (isSqlite) return parseIs(this.#formParser, operand, levels.is);
    this.#tokens.next();
    const negated = this.#tokens.takeWord('not');
    const what = this.#tokens.next();
    if (what.value === 'distinct' && this.#tokens.isWord('from')) {
      this.#tokens.next();
      const right = this.parse(levels.is + 1);
      return { kind: 'unsupported', what: 'IS DISTINCT FROM', ...span(operand, right) };
    }
    if (what.value !== 'null' && what.value !== 'true' && what.value !== 'false') {
      throw new SqlSyntaxError('SQL_SYNTAX', what, 'Expected NULL, TRUE or FALSE after IS');
    }
    return { kind: 'is', operand, negated, what: what.value, ...span(operand, what) };
  }

  #primary(): ExprSyntax {
    const token = this.#tokens.peek();
    switch (token.kind) {
      case 'text':
        this.#tokens.next();
        return { kind: 'literal', value: token.value, start: token.start, end: token.end };
      case 'integer':
      case 'real':
      case 'blob': {
        this.#tokens.next();
        const value = literalValue(token, this.#grammar);
        const isNumber = token.kind !== 'blob' && this.#grammar.isSqlite;
        const { start, end } = token;
        return { kind: 'literal', value, start, end, ...(isNumber ? { token } : {}) };
      }
      case 'quoted':
        return this.#nameOrCall();
      case 'word':
        return this.#word(token);
      case 'symbol':
        if (token.value === '(') return this.#parenthesised();
        throw this.#tokens.unexpected('an expression');
      case 'end':
        throw this.#tokens.unexpected('an expression');
    }
  }

  #word(token: Token): ExprSyntax {
    switch (token.value) {
      case 'null':
        return this.#constant(null);
      case 'true':
        return { ...this.#constant(1n), isTruthWord: true };
      case 'false':
        return { ...this.#constant(0n), isTruthWord: true };
      case 'current_date':
      case 'current_time':
      case 'current_timestamp': {
        const { start, end } = this.#tokens.next();
        return { kind: 'unsupported', what: token.value.toUpperCase(), start, end };
      }
      case 'case':
        return this.#case();
      case 'cast':
        return this.#cast();
      case 'array':
        return this.#list('[', ']');
      case 'row':
        if (this.#tokens.isSymbol('(', 1)) return this.#list('(', ')');
        return this.#nameOrCall();
      case 'exists':
      case 'any':
      case 'some':
      case 'all':
        if (!this.#tokens.isSymbol('(', 1)) break;
        this.#tokens.next();
        return this.#unsupportedCall(token);
      case 'like':
        if (this.#grammar.isSqlite && this.#tokens.isSymbol('(', 1)) return this.#nameOrCall(true);
        break;
      case 'substring':
        return this.#substring();
    }
    if (RESERVED_WORDS.has(token.value)) throw this.#tokens.reserved(token);
    return this.#nameOrCall();
  }

  #constant(value: null | bigint): Extract<ExprSyntax, { kind: 'literal' }> {
    const token = this.#tokens.next();
    return { kind: 'literal', value, start: token.start, end: token.end };
  }

  #parenthesised(): ExprSyntax {
    const subquery = this.#subquery();
    if (subquery !== undefined) return subquery;
    const open = this.#tokens.next();
    const inner = this.parse();
    if (this.#tokens.isSymbol(',')) {
      const close = this.#skipTo(')');
      throw new SqlSyntaxError(
        'SQL_SYNTAX',
        { start: open.start, end: close.end },
        'A list in parentheses is not supported',
        this.#grammar.isSqlite
          ? 'Compare the values one by one'
          : `Use ARRAY[...] (edition 3) or a JSON array literal such as '["a","b"]'`,
      );
    }
    const close = this.#tokens.expectSymbol(')');
    return { ...inner, start: open.start, end: close.end };
  }

  /** `(SELECT ...)`; undefined, with nothing taken, when there is none. */
  #subquery(): ExprSyntax | undefined {
    const after = this.#tokens.peek(1);
    const isSelect = after.kind === 'word' && (after.value === 'select' || after.value === 'with');
    if (!this.#tokens.isSymbol('(') || !isSelect) return undefined;
    const open = this.#tokens.next();
    const select = this.#parseSelect();
    const close = this.#tokens.expectSymbol(')');
    return { kind: 'select', select, start: open.start, end: close.end };
  }

  #case(): ExprSyntax {
    const { start } = this.#tokens.next();
    const operand = this.#tokens.isWord('when') ? undefined : this.parse();
    const whens: { when: ExprSyntax; result: ExprSyntax }[] = [];
    while (this.#tokens.takeWord('when')) {
      const when = this.parse();
      this.#tokens.expectWord('then');
      whens.push({ when, result: this.parse() });
    }
    if (whens.length === 0) throw this.#tokens.unexpected('WHEN');
    const otherwise = this.#tokens.takeWord('else') ? this.parse() : undefined;
    const { end } = this.#tokens.expectWord('end');
    return { kind: 'case', operand, whens, otherwise, start, end };
  }

  #cast(): ExprSyntax {
    const { start } = this.#tokens.next();
    this.#tokens.expectSymbol('(');
    const operand = this.parse();
    this.#tokens.expectWord('as');
    const type = this.#tokens.expectName('a type', true);
    const { end } = this.#tokens.expectSymbol(')');
    return { kind: 'cast', operand, type, start, end };
  }

  #list(open: string, close: string): ExprSyntax {
    const { start } = this.#tokens.next();
    this.#tokens.expectSymbol(open);
    const items = this.#expressionsUntil(close);
    return { kind: 'array', items, start, end: this.#tokens.lastEnd() };
  }

  #expressionsUntil(close: string): ExprSyntax[] {
    const items: ExprSyntax[] = [];
    if (this.#tokens.takeSymbol(close)) return items;
    do items.push(this.parse());
    while (this.#tokens.takeSymbol(','));
    this.#tokens.expectSymbol(close);
    return items;
  }

  #unsupportedCall(name: Token): ExprSyntax {
    const close = this.#skipTo(')');
    const what = name.value.toUpperCase();
    return { kind: 'unsupported', what, start: name.start, end: close.end };
  }

  #substring(): ExprSyntax {
    const name = this.#tokens.peek();
    const call = this.#nameOrCall();
    if (call.kind === 'call' && call.decoration !== undefined) {
      const what = 'substring(... FROM ...)';
      return { kind: 'unsupported', what, start: name.start, end: call.end };
    }
    return call;
  }

  #nameOrCall(mayBeReserved = false): ExprSyntax {
    const parts: Identifier[] = [this.#tokens.expectName('a name', mayBeReserved)];
    while (this.#tokens.isSymbol('.') && !this.#tokens.isSymbol('*', 1)) {
      this.#tokens.next();
      parts.push(this.#tokens.expectName('a name', true));
    }
    const start = parts[0]?.start ?? 0;
    if (!this.#tokens.takeSymbol('(')) {
      return { kind: 'name', parts, start, end: this.#tokens.lastEnd() };
    }
    return this.#call(parts, start);
  }

  #call(name: readonly Identifier[], start: number): ExprSyntax {
    const args: ExprSyntax[] = [];
    let decoration = this.#tokens.isWord('distinct') ? this.#tokens.next() : undefined;
    if (this.#tokens.isSymbol('*')) {
      decoration = this.#tokens.next();
    } else if (!this.#tokens.isSymbol(')')) {
      do args.push(this.parse());
      while (this.#tokens.takeSymbol(','));
    }
    if (this.#tokens.isWord('from', 'order')) {
      decoration = this.#tokens.peek();
      this.#skipTo(')');
    } else {
      this.#tokens.expectSymbol(')');
    }
    if (this.#tokens.isWord('over', 'filter') && this.#tokens.isSymbol('(', 1)) {
      decoration = this.#tokens.next();
      this.#skipTo(')');
    }
    return { kind: 'call', name, args, decoration, start, end: this.#tokens.lastEnd() };
  }

  /** Skips what is refused anyway, up to the bracket that closes the current level. */
  #skipTo(close: string): Token {
    let depth = this.#tokens.isSymbol('(') || this.#tokens.isSymbol('[') ? 0 : 1;
    for (;;) {
      const token = this.#tokens.next();
      if (token.kind === 'end') throw this.#tokens.unexpected(`"${close}"`);
      if (token.kind !== 'symbol') continue;
      if (token.value === '(' || token.value === '[') depth++;
      if (token.value === ')' || token.value === ']') depth--;
      if (depth === 0) return token;
    }
  }
}

function span(first: { start: number }, last: { end: number }): { start: number; end: number } {
  return { start: first.start, end: last.end };
}
