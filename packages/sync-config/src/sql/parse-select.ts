import type { Fix, Span } from '../diagnostics.ts';
import { POSTGRES_GRAMMAR, type Grammar } from './grammar.ts';
import { ExpressionParser } from './parse-expression.ts';
import { RESERVED_WORDS } from './reserved-words.ts';
import { NO_PROBLEMS, SqlSyntaxError, type SqlProblems } from './sql-syntax-error.ts';
import type { Token } from './token.ts';
import type { ColumnSyntax, ExprSyntax, Identifier, SelectSyntax, SourceSyntax } from './syntax.ts';
import { CLAUSE_WORDS, TokenStream } from './token-stream.ts';

export interface ParsedQuery {
  readonly select: SelectSyntax;
  /** Further statements after a semicolon. */
  readonly trailing: Span | undefined;
}

/**
 * Parses one SELECT. Reports what is wrong and reads on, so that all mistakes are found at once;
 * without `problems` the first mistake is thrown.
 *
 * An own parser rather than a general one for PostgreSQL: it keeps integers exact, knows whether a
 * name was quoted and where each part stands, and says what is wrong in the words of this language.
 *
 * @throws SqlSyntaxError when nothing can be made of the text.
 * Source: spec/sync-config.md 3.
 */
export function parseQuery(
  sql: string,
  grammar: Grammar = POSTGRES_GRAMMAR,
  problems: SqlProblems = NO_PROBLEMS,
): ParsedQuery {
  const tokens = new TokenStream(sql, grammar, problems);
  const parser = new SelectParser(tokens, grammar);
  const select = parser.parse();
  for (;;) {
    parser.finish();
    const token = tokens.peek();
    if (!tokens.takeSymbol(')')) break;
    const { start, end } = token;
    const fix = { text: 'Remove it', edit: { start, end, text: '' } };
    problems.error('SQL_SYNTAX', token, 'There is no ( that this ) closes', fix);
    parser.readOn(select);
  }
  while (tokens.takeSymbol(';'));
  const rest = tokens.peek();
  const trailing =
    rest.kind === 'end' ? undefined : { start: rest.start, end: sql.trimEnd().length };
  return { select, trailing };
}

const UNSUPPORTED_AFTER_FROM: Readonly<Record<string, readonly [clause: string, advice: string]>> =
  {
    group: ['GROUP BY', 'Sync the rows, and group them in a query on the device'],
    having: ['HAVING', 'Sync the rows, and group them in a query on the device'],
    order: ['ORDER BY', 'Rows have no order on their way: sort in the query on the device'],
    limit: ['LIMIT', 'Narrow the rows with a condition, or use LIMIT in a query on the device'],
    offset: ['OFFSET', 'Use OFFSET in a query on the device'],
    fetch: ['FETCH', 'Use LIMIT in a query on the device'],
    for: ['FOR UPDATE', 'Remove it: nothing is locked'],
    union: ['UNION', 'Write two queries instead'],
    intersect: ['INTERSECT', 'Use IN (SELECT ...) in the condition'],
    except: ['EXCEPT', 'Add a column that says the same to the table'],
    window: ['WINDOW', 'Remove it'],
  };

const UNSUPPORTED_JOINS: readonly string[] = ['left', 'right', 'full', 'cross', 'natural', 'outer'];
const SET_OPERATIONS: readonly string[] = ['union', 'intersect', 'except'];

/** What an alias without AS can be a misspelling of. */
const AFTER_COLUMN = ['from'] as const;
const AFTER_SOURCE = ['where', 'join', 'inner', 'left'] as const;

class SelectParser {
  readonly #tokens: TokenStream;
  readonly #expressions: ExpressionParser;
  #hasRefusedJoin = false;

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
    const from = this.#from(conditions);
    this.#where(conditions);
    this.#refuseClauses();
    const span = { start: first.start, end: this.#tokens.lastEnd() };
    return {
      distinct,
      columns,
      from,
      conditions,
      hasRefusedJoin: this.#hasRefusedJoin,
      ...span,
    };
  }

  /** Reads what follows a stray bracket, for its problems only. */
  readOn(select: SelectSyntax): void {
    const conditions: ExprSyntax[] = [...select.conditions];
    if (this.#tokens.isWord('and', 'or')) {
      this.#tokens.next();
      this.#expressions.parse();
    }
    this.#from(conditions);
    this.#where(conditions);
    this.#refuseClauses();
  }

  /** Demands that the query ends here, or skips to where it might. */
  finish(): void {
    const token = this.#tokens.peek();
    const isEnd = token.kind === 'end' || this.#isSymbol(token, ';', ')');
    if (isEnd) return;
    this.#tokens.report(this.#tokens.unexpected('the end of the query', this.#wordHint(token)));
    this.#tokens.skipToBreak((next) => this.#isSymbol(next, ';'));
  }

  #isSymbol(token: Token, ...symbols: readonly string[]): boolean {
    return token.kind === 'symbol' && symbols.includes(token.value);
  }

  #wordHint(token: Token): Fix | undefined {
    const words = ['AND', 'OR', 'WHERE', 'JOIN', 'FROM'];
    return words
      .filter((word) => this.#tokens.isMisspelt(token, [word.toLowerCase()]))
      .map((word) => ({
        text: `Did you mean ${word}?`,
        edit: { start: token.start, end: token.end, text: word },
      }))[0];
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
    const isAlone = this.#tokens.peek(1).kind === 'end';
    const isMisspelt = !isAlone && this.#tokens.isMisspelt(token, ['select']);
    const { start, end } = token;
    const fix = { text: 'Did you mean SELECT?', edit: { start, end, text: 'SELECT' } };
    if (!isMisspelt) throw new SqlSyntaxError('NOT_A_SELECT', token, message, 'Write a SELECT');
    this.#tokens.report(new SqlSyntaxError('NOT_A_SELECT', token, message, fix));
    this.#tokens.next();
  }

  #columns(): ColumnSyntax[] {
    const columns: ColumnSyntax[] = [];
    do {
      const token = this.#tokens.peek();
      if (columns.length > 0 && token.kind === 'word' && token.value === 'from') {
        this.#reportStrayComma();
        break;
      }
      columns.push(this.#column());
    } while (this.#tokens.takeSymbol(','));
    return columns;
  }

  #reportStrayComma(): void {
    const at = { start: this.#tokens.lastEnd() - 1, end: this.#tokens.lastEnd() };
    const fix = { text: 'Remove it', edit: { ...at, text: '' } };
    this.#tokens.problems.error('SQL_SYNTAX', at, 'No column follows this comma', fix);
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
    const alias = this.#alias(AFTER_COLUMN);
    return { kind: 'expr', expr, alias, start: expr.start, end: this.#tokens.lastEnd() };
  }

  #alias(keywords: readonly string[]): Identifier | undefined {
    if (this.#tokens.takeWord('as')) return this.#aliasName();
    const token = this.#tokens.peek();
    const isName =
      token.kind === 'quoted' || (token.kind === 'word' && !RESERVED_WORDS.has(token.value));
    if (!isName || this.#isMisspeltKeyword(token, keywords)) return undefined;
    return this.#tokens.expectName('an alias');
  }

  /** `AS 'name'` is a text where a name belongs. */
  #aliasName(): Identifier {
    const token = this.#tokens.peek();
    if (token.kind !== 'text') return this.#tokens.expectName('an alias', true);
    this.#tokens.next();
    const { start, end, value } = token;
    const fix = { text: `Write "${value}"`, edit: { start, end, text: `"${value}"` } };
    this.#tokens.problems.error('SQL_SYNTAX', token, 'A name cannot stand in single quotes', fix);
    return { name: value, raw: value, quoted: true, start, end };
  }

  /** A word near a keyword, and followed by what no alias is followed by. */
  #isMisspeltKeyword(token: Token, keywords: readonly string[]): boolean {
    if (!this.#tokens.isMisspelt(token, keywords)) return false;
    const after = this.#tokens.peek(1);
    if (after.kind === 'end' || this.#isSymbol(after, ',', ')', ';')) return false;
    return !(after.kind === 'word' && (CLAUSE_WORDS as readonly string[]).includes(after.value));
  }

  #from(conditions: ExprSyntax[]): SourceSyntax[] {
    const token = this.#tokens.peek();
    const isAtEnd = token.kind === 'end' || this.#isSymbol(token, ')', ';');
    if (isAtEnd || this.#isClause(token, 'where', ...Object.keys(UNSUPPORTED_AFTER_FROM)))
      return [];
    if (!this.#tokens.takeKeyword('from')) {
      const known = this.#tokens.unexpected('a comma or FROM', this.#commaHint(token));
      this.#tokens.report(known);
      this.#tokens.skipToBreak((next) => this.#isClause(next, 'from', 'where'));
      if (!this.#tokens.takeWord('from')) return [];
    }
    try {
      return this.#sources(conditions);
    } catch (error) {
      if (!(error instanceof SqlSyntaxError)) throw error;
      this.#tokens.report(error);
      this.#tokens.skipToBreak(
        (next) => this.#isClause(next, 'where') || this.#isSymbol(next, ';'),
      );
      return [BROKEN_SOURCE];
    }
  }

  #commaHint(token: Token): Fix | undefined {
    if (token.kind !== 'word' && token.kind !== 'quoted') return undefined;
    const at = this.#tokens.lastEnd();
    return { text: 'Add a comma', edit: { start: at, end: at, text: ',' } };
  }

  #isClause(token: Token, ...words: readonly string[]): boolean {
    return token.kind === 'word' && words.includes(token.value);
  }

  #where(conditions: ExprSyntax[]): void {
    if (this.#tokens.takeKeyword('where')) conditions.push(this.#expressions.parse());
    const token = this.#tokens.peek();
    if (!this.#isClause(token, 'where')) return;
    const { start, end } = token;
    const fix = { text: 'Write AND', edit: { start, end, text: 'AND' } };
    this.#tokens.problems.error('SQL_SYNTAX', token, 'There is a WHERE already', fix);
    this.#tokens.next();
    conditions.push(this.#expressions.parse());
  }

  /** Reports clauses that cannot be synced and skips them. */
  #refuseClauses(): void {
    for (;;) {
      const token = this.#tokens.peek();
      const known = token.kind === 'word' ? UNSUPPORTED_AFTER_FROM[token.value] : undefined;
      if (known === undefined) return;
      const [clause, advice] = known;
      this.#tokens.next();
      const isSecondQuery = SET_OPERATIONS.includes(token.value);
      this.#tokens.skipToBreak(
        (next) =>
          this.#isSymbol(next, ';') ||
          (!isSecondQuery && this.#isClause(next, ...Object.keys(UNSUPPORTED_AFTER_FROM))),
      );
      const edit = { start: token.start, end: this.#tokens.lastEnd(), text: '' };
      const fix = { text: advice, edit: isSecondQuery ? undefined : edit };
      const message = `${clause} is not supported`;
      this.#tokens.problems.error('UNSUPPORTED_CLAUSE', token, message, fix);
    }
  }

  #sources(conditions: ExprSyntax[]): SourceSyntax[] {
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
      this.#hasRefusedJoin = true;
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
    const alias = this.#alias(AFTER_SOURCE);
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
    if (!this.#isSymbol(token, '%') || token.start !== table.end || table.quoted) return table;
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
    const alias = this.#alias(AFTER_SOURCE);
    const call = { kind: 'call', name: [name], args, decoration: undefined, ...span } as const;
    return { kind: 'function', call, alias, start: name.start, end: this.#tokens.lastEnd() };
  }

  #subquery(start: number): SourceSyntax {
    const open = this.#tokens.next();
    const select = this.parse();
    this.#tokens.expectClosing(')', open);
    const alias = this.#alias(AFTER_SOURCE);
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

/** Stands for a FROM that could not be read, so that nothing is said to be missing there. */
const BROKEN_SOURCE: SourceSyntax = { kind: 'broken', start: 0, end: 0 };
