import { parseAlias } from './parse-alias.ts';
import type { ExpressionParser } from './parse-expression.ts';
import { RESERVED_WORDS } from './reserved-words.ts';
import type { ExprSyntax, Identifier, SelectSyntax, SourceSyntax } from './syntax.ts';
import { isSymbol, type Token } from './token.ts';
import type { TokenStream } from './token-stream.ts';

const UNSUPPORTED_JOINS: readonly string[] = ['left', 'right', 'full', 'cross', 'natural', 'outer'];

/** What an alias without AS can be a misspelling of. */
const AFTER_SOURCE = ['where', 'join', 'inner', 'left'] as const;

/** Parses the tables, functions, subqueries and joins of FROM. */
export class FromParser {
  readonly #tokens: TokenStream;
  readonly #expressions: ExpressionParser;
  readonly #parseSelect: () => SelectSyntax;
  /** Whether a join was refused, so that the query stands for other rows than it was meant to. */
  hasRefusedJoin = false;

  constructor(tokens: TokenStream, expressions: ExpressionParser, parseSelect: () => SelectSyntax) {
    this.#tokens = tokens;
    this.#expressions = expressions;
    this.#parseSelect = parseSelect;
  }

  /** The sources behind FROM; the conditions of their joins go to `conditions`. */
  parse(conditions: ExprSyntax[]): SourceSyntax[] {
    const sources = [this.#source()];
    for (;;) {
      if (this.#tokens.takeSymbol(',')) {
        sources.push(this.#source());
      } else if (this.#isJoin()) {
        sources.push(this.#source());
        this.#joinCondition(conditions);
      } else {
        return sources;
      }
    }
  }

  /** Takes the words of a join; an outer one is reported and read like an inner one. */
  #isJoin(): boolean {
    const token = this.#tokens.peek();
    if (token.kind === 'word' && UNSUPPORTED_JOINS.includes(token.value)) {
      while (this.#tokens.isWord(...UNSUPPORTED_JOINS, 'inner')) this.#tokens.next();
      const { start } = token;
      const { end } = this.#tokens.expectWord('join');
      const written = this.#tokens.sql.slice(start, end).toUpperCase();
      const message = `${written} is not supported`;
      const text = `Use an inner JOIN, and for rows without a partner a second query`;
      const edit = { start, end, text: 'JOIN' };
      const fix = { text, edit: token.value === 'left' ? edit : undefined };
      this.#tokens.problems.error('UNSUPPORTED_CLAUSE', token, message, fix);
      this.hasRefusedJoin = true;
      return true;
    }
    if (this.#tokens.takeWord('inner')) {
      this.#tokens.expectWord('join');
      return true;
    }
    return this.#tokens.takeKeyword('join');
  }

  #joinCondition(conditions: ExprSyntax[]): void {
    if (this.#tokens.takeWord('on')) conditions.push(this.#expressions.parse());
    if (!this.#tokens.isWord('using')) return;
    const token = this.#tokens.next();
    const fix = 'Write ON a.column = b.column';
    this.#tokens.problems.error('UNSUPPORTED_CLAUSE', token, 'USING is not supported', fix);
    if (this.#tokens.takeSymbol('(')) {
      this.#tokens.skipToBreak(() => false);
      this.#tokens.takeSymbol(')');
    }
  }

  #source(): SourceSyntax {
    const token = this.#tokens.peek();
    const { start } = token;
    const after = this.#tokens.peek(1);
    const isLateral = after.kind === 'word' || after.kind === 'quoted' || after.value === '(';
    if (isLateral && this.#tokens.takeWord('lateral')) {
      const fix = { text: 'Remove LATERAL', edit: { start, end: token.end, text: '' } };
      const message = 'LATERAL is not supported';
      this.#tokens.problems.error('UNSUPPORTED_CLAUSE', token, message, fix);
    }
    if (this.#tokens.isSymbol('(')) return this.#subquery(start);
    const first = this.#tableName(token);
    if (this.#tokens.isSymbol('(')) return this.#functionSource(first);
    let schema: Identifier | undefined;
    let table = first;
    if (this.#tokens.takeSymbol('.')) {
      schema = first;
      table = this.#tokens.expectName('a table', true);
    }
    table = this.#wildcard(table);
    const alias = parseAlias(this.#tokens, AFTER_SOURCE);
    return { kind: 'table', schema, table, alias, start, end: this.#tokens.lastEnd() };
  }

  /** A name; a reserved word is reported and taken for the name that it is meant to be. */
  #tableName(token: Token): Identifier {
    if (token.kind !== 'word' || !RESERVED_WORDS.has(token.value)) {
      return this.#tokens.expectName('a table');
    }
    if (this.#tokens.isClauseStart()) throw this.#tokens.unexpected('a table');
    this.#tokens.report(this.#tokens.reserved(token));
    return this.#tokens.identifier(this.#tokens.next());
  }

  /** A wildcard that lacks its quotes: `log_%`. */
  #wildcard(table: Identifier): Identifier {
    const token = this.#tokens.peek();
    if (!isSymbol(token, '%') || token.start !== table.end || table.quoted) return table;
    this.#tokens.next();
    const text = `"${table.raw}%"`;
    const span = { start: table.start, end: token.end };
    const fix = { text: `Write ${text}`, edit: { ...span, text } };
    this.#tokens.problems.error('SQL_SYNTAX', span, 'A wildcard needs double quotes', fix);
    return { name: `${table.raw}%`, raw: `${table.raw}%`, quoted: true, ...span };
  }

  #functionSource(name: Identifier): SourceSyntax {
    const open = this.#tokens.next();
    const args: ExprSyntax[] = [];
    if (!this.#tokens.isSymbol(')')) {
      do args.push(this.#expressions.parse());
      while (this.#tokens.takeSymbol(','));
    }
    const { end } = this.#tokens.expectClosing(')', open);
    const span = { start: name.start, end };
    const alias = parseAlias(this.#tokens, AFTER_SOURCE);
    const call = { kind: 'call', name: [name], args, decoration: undefined, ...span } as const;
    return { kind: 'function', call, alias, start: name.start, end: this.#tokens.lastEnd() };
  }

  #subquery(start: number): SourceSyntax {
    const open = this.#tokens.next();
    const select = this.#parseSelect();
    this.#tokens.expectClosing(')', open);
    const alias = parseAlias(this.#tokens, AFTER_SOURCE);
    if (alias === undefined) return this.#unnamedSubquery(start);
    let columnNames: Identifier[] | undefined;
    if (this.#tokens.takeSymbol('(')) {
      columnNames = [];
      do columnNames.push(this.#tokens.expectName('a column'));
      while (this.#tokens.takeSymbol(','));
      this.#tokens.expectSymbol(')');
    }
    const end = this.#tokens.lastEnd();
    return { kind: 'select', select, alias, columnNames, start, end };
  }

  #unnamedSubquery(start: number): SourceSyntax {
    const span = { start, end: this.#tokens.lastEnd() };
    const edit = { start: span.end, end: span.end, text: ' AS sub' };
    const fix = { text: 'Add AS name', edit };
    this.#tokens.problems.error('SQL_SYNTAX', span, 'A subquery in FROM needs a name', fix);
    return { kind: 'broken', ...span };
  }
}
