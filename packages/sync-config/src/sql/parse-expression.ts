import type { FormParser } from './form-parser.ts';
import type { Grammar } from './grammar.ts';
import { literalValue } from './literal-value.ts';
import { parseNameOrCall, parseSubstring } from './name-or-call.ts';
import { RESERVED_WORDS } from './reserved-words.ts';
import { SqlSyntaxError } from './sql-syntax-error.ts';
import { parseIs, parseLike, parseList } from './sqlite-forms.ts';
import type { ExprSyntax, SelectSyntax } from './syntax.ts';
import type { Token } from './token.ts';
import { CLAUSE_WORDS, type TokenStream } from './token-stream.ts';
import { parseBracketed, parseCase, parseCast, parseExists } from './word-forms.ts';

/** Bounds the recursion, so that a hostile text cannot exhaust the stack. */
const MAX_DEPTH = 200;

/** Parses expressions; subqueries are handed to `parseSelect`. */
export class ExpressionParser {
  readonly #tokens: TokenStream;
  readonly #grammar: Grammar;
  readonly #parseSelect: () => SelectSyntax;
  readonly #formParser: FormParser;
  #depth = 0;

  constructor(tokens: TokenStream, grammar: Grammar, parseSelect: () => SelectSyntax) {
    this.#tokens = tokens;
    this.#grammar = grammar;
    this.#parseSelect = parseSelect;
    this.#formParser = {
      tokens,
      parse: (minLevel) => this.parse(minLevel),
      parseSelect,
      parseSubquery: () => this.#subquery(),
    };
  }

  /**
   * An expression whose operators bind at least as tightly as `minLevel`. A part that cannot be
   * read is reported and stands as `broken`; reading goes on after it.
   */
  parse(minLevel = 0): ExprSyntax {
    const depth = this.#depth++;
    const start = this.#tokens.peek();
    if (depth > MAX_DEPTH) {
      throw new SqlSyntaxError('SQL_SYNTAX', start, 'This is nested too deeply');
    }
    // Only operands of AND and OR, and whole expressions, are worth going on after.
    const isRecovering = minLevel <= this.#grammar.levels.not && depth < MAX_DEPTH / 2;
    let left = this.#attempt(isRecovering, start, () => this.#prefix());
    for (;;) {
      const before = left;
      const extended = this.#attempt(isRecovering, start, () => this.#extend(before, minLevel));
      if (extended === undefined) break;
      left = extended;
    }
    this.#depth = depth;
    return left;
  }

  #attempt<T>(isRecovering: boolean, start: Token, read: () => T): T | ExprSyntax {
    if (!isRecovering) return read();
    const depth = this.#depth;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof SqlSyntaxError)) throw error;
      this.#tokens.report(error);
      this.#depth = depth;
      this.#tokens.skipToBreak(isBreak);
      const end = Math.max(start.start, this.#tokens.lastEnd());
      return { kind: 'broken', start: start.start, end };
    }
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
    if (token.value === '==' && !this.#grammar.isSqlite) this.#refuseDoubleEquals(token);
    const operator = token.value === '==' ? '=' : token.value;
    const right = this.parse(level + 1);
    const operatorSpan = { start: token.start, end: token.end };
    return { kind: 'binary', operator, operatorSpan, left, right, ...span(left, right) };
  }

  #refuseDoubleEquals({ start, end }: Token): void {
    const fix = { text: 'Write =', edit: { start, end, text: '=' } };
    this.#tokens.problems.error('SQL_SYNTAX', { start, end }, 'SQL compares with one =', fix);
  }

  #negatedForm(left: ExprSyntax, minLevel: number): ExprSyntax | undefined {
    const after = this.#tokens.peek(1);
    if (after.kind !== 'word') return undefined;
    const { levels, isSqlite } = this.#grammar;
    if (isSqlite && after.value === 'null' && levels.is >= minLevel) {
      this.#tokens.next();
      this.#tokens.next();
      return { kind: 'is', operand: left, negated: true, what: 'null', ...span(left, after) };
    }
    const formLevel = this.#formLevel(after.value);
    if (formLevel !== undefined) {
      if (formLevel < minLevel) return undefined;
      this.#tokens.next();
      return this.#specialForm(after, left, minLevel, true);
    }
    // Words such as MATCH, which are refused with and without NOT.
    const level = this.#grammar.binary[after.value];
    if (level === undefined || level !== levels.like || level < minLevel) return undefined;
    this.#tokens.next();
    return this.#extend(left, minLevel);
  }

  /** The level of a form that may have NOT in its middle. */
  #formLevel(word: string): number | undefined {
    const { levels, likeWords } = this.#grammar;
    if (word === 'in') return levels.in;
    if (word === 'between') return levels.between;
    return likeWords.includes(word) ? levels.like : undefined;
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
        const close = this.#tokens.skipTo(']');
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
      const sign = negated ? '=' : '!=';
      const what = `IS ${negated ? 'NOT ' : ''}DISTINCT FROM`;
      const hint = `Write ${sign}, and IS NULL where a value may be missing`;
      return { kind: 'unsupported', what, hint, ...span(operand, right) };
    }
    if (what.value !== 'null' && what.value !== 'true' && what.value !== 'false') {
      const fix = `Write ${negated ? '!=' : '='} to compare with a value`;
      throw new SqlSyntaxError('SQL_SYNTAX', what, 'Expected NULL, TRUE or FALSE after IS', fix);
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
        return parseNameOrCall(this.#formParser);
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
      case 'case':
        return parseCase(this.#formParser);
      case 'cast':
        return parseCast(this.#formParser);
      case 'array':
        return parseBracketed(this.#formParser, '[');
      case 'row':
        if (this.#tokens.isSymbol('(', 1)) return parseBracketed(this.#formParser, '(');
        return parseNameOrCall(this.#formParser);
      case 'exists':
        if (this.#tokens.isSymbol('(', 1)) return parseExists(this.#formParser);
        break;
      case 'any':
      case 'some':
      case 'all':
        if (this.#tokens.isSymbol('(', 1)) return this.#quantified(token);
        break;
      case 'like':
        if (this.#grammar.isSqlite && this.#tokens.isSymbol('(', 1))
          return parseNameOrCall(this.#formParser, true);
        break;
      case 'substring':
        return parseSubstring(this.#formParser);
    }
    if (RESERVED_WORDS.has(token.value)) return this.#reservedWord(token);
    return parseNameOrCall(this.#formParser);
  }

  /** `current_date`, a name that lacks its quotes, or a word at the wrong place. */
  #reservedWord(token: Token): ExprSyntax {
    const { value, start, end } = token;
    if (VALUE_WORDS.test(value)) {
      const name = [this.#tokens.identifier(this.#tokens.next())];
      return { kind: 'call', name, args: [], decoration: undefined, start, end };
    }
    if (OPERATOR_WORDS.has(value) || this.#tokens.isClauseStart()) {
      throw this.#tokens.unexpected('an expression');
    }
    this.#tokens.report(this.#tokens.reserved(token));
    const part = this.#tokens.identifier(this.#tokens.next());
    return { kind: 'broken', start: part.start, end: part.end };
  }

  #constant(value: null | bigint): Extract<ExprSyntax, { kind: 'literal' }> {
    const token = this.#tokens.next();
    return { kind: 'literal', value, start: token.start, end: token.end };
  }

  #parenthesised(): ExprSyntax {
    const subquery = this.#subquery();
    if (subquery !== undefined) return subquery;
    const open = this.#tokens.next();
    const first = this.parse();
    if (this.#tokens.isSymbol(',')) {
      const items = [first];
      while (this.#tokens.takeSymbol(',')) items.push(this.parse());
      const { end } = this.#tokens.expectClosing(')', open);
      return { kind: 'array', form: 'parentheses', items, start: open.start, end };
    }
    const close = this.#tokens.expectClosing(')', open);
    return { ...first, start: open.start, end: close.end };
  }

  /** `(SELECT ...)`; undefined, with nothing taken, when there is none. */
  #subquery(): ExprSyntax | undefined {
    const after = this.#tokens.peek(1);
    const isSelect = after.kind === 'word' && (after.value === 'select' || after.value === 'with');
    if (!this.#tokens.isSymbol('(') || !isSelect) return undefined;
    const open = this.#tokens.next();
    const select = this.#parseSelect();
    const close = this.#tokens.expectClosing(')', open);
    return { kind: 'select', select, start: open.start, end: close.end };
  }

  #quantified({ value, start }: Token): ExprSyntax {
    this.#tokens.next();
    const operand = this.#parenthesised();
    return { kind: 'quantified', word: value, operand, start, end: operand.end };
  }
}

/** `current_timestamp` and the like: reserved words that are values. */
const VALUE_WORDS = /^(?:current_|localtime|session_user)/;

/** Reserved words that nobody takes for a name. */
const OPERATOR_WORDS = new Set([
  'and', 'or', 'not', 'in', 'is', 'as', 'like', 'ilike', 'then', 'when', 'else', 'isnull',
  'notnull', 'select', 'from', 'where', 'on', 'with',
]); // prettier-ignore

/** Where an expression that could not be read ends at the latest. */
function isBreak({ kind, value }: Token): boolean {
  if (kind === 'symbol') return value === ',' || value === ';';
  return kind === 'word' && BREAK_WORDS.has(value);
}

const BREAK_WORDS = new Set<string>([
  ...CLAUSE_WORDS, 'and', 'or', 'as', 'when', 'then', 'else', 'end', 'select',
]); // prettier-ignore

function span(first: { start: number }, last: { end: number }): { start: number; end: number } {
  return { start: first.start, end: last.end };
}
