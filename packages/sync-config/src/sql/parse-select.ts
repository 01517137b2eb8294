import type { Span } from '../diagnostics.ts';
import { POSTGRES_GRAMMAR, type Grammar } from './grammar.ts';
import { ExpressionParser } from './parse-expression.ts';
import { RESERVED_WORDS } from './reserved-words.ts';
import { SqlSyntaxError } from './sql-syntax-error.ts';
import type { ColumnSyntax, ExprSyntax, Identifier, SelectSyntax, SourceSyntax } from './syntax.ts';
import { TokenStream } from './token-stream.ts';

export interface ParsedQuery {
  readonly select: SelectSyntax;
  /** Further statements after a semicolon. */
  readonly trailing: Span | undefined;
}

/**
 * Parses one SELECT.
 *
 * An own parser rather than a general one for PostgreSQL: it keeps integers exact, knows whether a
 * name was quoted and where each part stands, and says what is wrong in the words of this language.
 *
 * @throws SqlSyntaxError
 * Source: spec/sync-config.md 3.
 */
export function parseQuery(sql: string, grammar: Grammar = POSTGRES_GRAMMAR): ParsedQuery {
  const tokens = new TokenStream(sql, grammar);
  const select = new SelectParser(tokens, grammar).parse();
  if (!tokens.takeSymbol(';') && tokens.peek().kind !== 'end') {
    throw tokens.unexpected('the end of the query');
  }
  while (tokens.takeSymbol(';'));
  const rest = tokens.peek();
  const trailing = rest.kind === 'end' ? undefined : { start: rest.start, end: sql.length };
  return { select, trailing };
}

const UNSUPPORTED_AFTER_FROM: Readonly<Record<string, string>> = {
  group: 'GROUP BY', having: 'HAVING', order: 'ORDER BY', limit: 'LIMIT', offset: 'OFFSET',
  for: 'FOR UPDATE', fetch: 'FETCH', union: 'UNION', intersect: 'INTERSECT', except: 'EXCEPT',
  window: 'WINDOW',
}; // prettier-ignore

const UNSUPPORTED_JOINS = ['left', 'right', 'full', 'cross', 'natural', 'outer'];

class SelectParser {
  readonly #tokens: TokenStream;
  readonly #expressions: ExpressionParser;

  constructor(tokens: TokenStream, grammar: Grammar) {
    this.#tokens = tokens;
    this.#expressions = new ExpressionParser(tokens, grammar, () => this.parse());
  }

  parse(): SelectSyntax {
    const first = this.#tokens.peek();
    this.#expectSelect();
    const distinct = this.#tokens.isWord('distinct') ? this.#tokens.next() : undefined;
    const columns = this.#columns();
    const conditions: ExprSyntax[] = [];
    const from = this.#tokens.takeWord('from') ? this.#sources(conditions) : [];
    if (this.#tokens.takeWord('where')) conditions.push(this.#expressions.parse());
    this.#refuseClauses();
    const span = { start: first.start, end: this.#tokens.lastEnd() };
    return { distinct, columns, from, conditions, ...span };
  }

  #expectSelect(): void {
    const token = this.#tokens.peek();
    if (this.#tokens.takeWord('select')) return;
    if (token.kind === 'word' && token.value === 'with') {
      throw new SqlSyntaxError(
        'UNSUPPORTED_CLAUSE',
        token,
        'WITH is not supported inside a query',
        'Declare the CTE under the YAML key "with" (edition 3)',
      );
    }
    const message = token.kind === 'end' ? 'The query is empty' : 'Only SELECT queries are allowed';
    throw new SqlSyntaxError('NOT_A_SELECT', token, message);
  }

  #refuseClauses(): void {
    const token = this.#tokens.peek();
    const clause = token.kind === 'word' ? UNSUPPORTED_AFTER_FROM[token.value] : undefined;
    if (clause === undefined) return;
    throw new SqlSyntaxError(
      'UNSUPPORTED_CLAUSE',
      token,
      `${clause} is not supported`,
      clause === 'UNION' ? 'Write two queries instead' : `Remove ${clause}`,
    );
  }

  #columns(): ColumnSyntax[] {
    const columns: ColumnSyntax[] = [];
    do columns.push(this.#column());
    while (this.#tokens.takeSymbol(','));
    return columns;
  }

  #column(): ColumnSyntax {
    const token = this.#tokens.peek();
    if (this.#tokens.takeSymbol('*')) {
      return { kind: 'star', table: undefined, start: token.start, end: token.end };
    }
    if (this.#tokens.isSymbol('.', 1) && this.#tokens.isSymbol('*', 2)) {
      const table = this.#tokens.expectName('a table');
      this.#tokens.next();
      const { end } = this.#tokens.next();
      return { kind: 'star', table, start: table.start, end };
    }
    const expr = this.#expressions.parse();
    const alias = this.#alias();
    return { kind: 'expr', expr, alias, start: expr.start, end: this.#tokens.lastEnd() };
  }

  #alias(): Identifier | undefined {
    if (this.#tokens.takeWord('as')) return this.#tokens.expectName('an alias', true);
    const token = this.#tokens.peek();
    const isName =
      token.kind === 'quoted' || (token.kind === 'word' && !RESERVED_WORDS.has(token.value));
    return isName ? this.#tokens.expectName('an alias') : undefined;
  }

  #sources(conditions: ExprSyntax[]): SourceSyntax[] {
    const sources = [this.#source()];
    for (;;) {
      const token = this.#tokens.peek();
      if (this.#tokens.takeSymbol(',')) {
        sources.push(this.#source());
      } else if (this.#tokens.isWord('inner', 'join')) {
        this.#tokens.takeWord('inner');
        this.#tokens.expectWord('join');
        sources.push(this.#source());
        this.#joinCondition(conditions);
      } else if (token.kind === 'word' && UNSUPPORTED_JOINS.includes(token.value)) {
        const message = `${token.value.toUpperCase()} JOIN is not supported`;
        throw new SqlSyntaxError('UNSUPPORTED_CLAUSE', token, message, 'Use an inner JOIN with ON');
      } else {
        return sources;
      }
    }
  }

  #joinCondition(conditions: ExprSyntax[]): void {
    if (this.#tokens.takeWord('on')) {
      conditions.push(this.#expressions.parse());
      return;
    }
    if (this.#tokens.isWord('using')) {
      const token = this.#tokens.peek();
      throw new SqlSyntaxError('UNSUPPORTED_CLAUSE', token, 'USING is not supported', 'Use ON');
    }
  }

  #source(): SourceSyntax {
    const { start } = this.#tokens.peek();
    if (this.#tokens.isWord('lateral')) {
      const token = this.#tokens.peek();
      throw new SqlSyntaxError('UNSUPPORTED_CLAUSE', token, 'LATERAL is not supported');
    }
    if (this.#tokens.takeSymbol('(')) return this.#subquery(start);
    const first = this.#tokens.expectName('a table');
    if (this.#tokens.takeSymbol('(')) return this.#functionSource(first);
    let schema: Identifier | undefined;
    let table = first;
    if (this.#tokens.takeSymbol('.')) {
      schema = first;
      table = this.#tokens.expectName('a table', true);
    }
    const alias = this.#alias();
    return { kind: 'table', schema, table, alias, start, end: this.#tokens.lastEnd() };
  }

  #functionSource(name: Identifier): SourceSyntax {
    const args: ExprSyntax[] = [];
    if (!this.#tokens.isSymbol(')')) {
      do args.push(this.#expressions.parse());
      while (this.#tokens.takeSymbol(','));
    }
    const { end } = this.#tokens.expectSymbol(')');
    const span = { start: name.start, end };
    const alias = this.#alias();
    const call = { kind: 'call', name: [name], args, decoration: undefined, ...span } as const;
    return { kind: 'function', call, alias, start: name.start, end: this.#tokens.lastEnd() };
  }

  #subquery(start: number): SourceSyntax {
    const select = this.parse();
    this.#tokens.expectSymbol(')');
    const alias = this.#alias();
    if (alias === undefined) {
      const span = { start, end: this.#tokens.lastEnd() };
      const message = 'A subquery in FROM needs a name';
      throw new SqlSyntaxError('SQL_SYNTAX', span, message, 'Add AS name');
    }
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
}
