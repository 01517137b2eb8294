import type { Fix, Span } from '../diagnostics.ts';
import { POSTGRES_GRAMMAR, type Grammar } from './grammar.ts';
import { parseAlias } from './parse-alias.ts';
import { ExpressionParser } from './parse-expression.ts';
import { FromParser } from './parse-from.ts';
import { NO_PROBLEMS, SqlSyntaxError, type SqlProblems } from './sql-syntax-error.ts';
import { isSymbol, type Token } from './token.ts';
import type { ColumnSyntax, ExprSyntax, SelectSyntax, SourceSyntax } from './syntax.ts';
import { TokenStream } from './token-stream.ts';

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

/**
 * Parses one expression, as `parseQuery` does a query.
 *
 * @throws SqlSyntaxError when nothing can be made of the text.
 */
export function parseExpression(
  sql: string,
  grammar: Grammar,
  problems: SqlProblems = NO_PROBLEMS,
): ExprSyntax {
  const tokens = new TokenStream(sql, grammar, problems);
  const parser = new SelectParser(tokens, grammar);
  const expression = parser.parseExpression();
  const rest = tokens.peek();
  if (rest.kind !== 'end') {
    problems.error('SQL_SYNTAX', rest, 'The expression ends before this', 'Join conditions by AND');
  }
  return expression;
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

const SET_OPERATIONS: readonly string[] = ['union', 'intersect', 'except'];

/** What an alias without AS can be a misspelling of. */
const AFTER_COLUMN = ['from'] as const;

class SelectParser {
  readonly #tokens: TokenStream;
  readonly #expressions: ExpressionParser;
  readonly #sources: FromParser;

  constructor(tokens: TokenStream, grammar: Grammar) {
    this.#tokens = tokens;
    const parseSelect = () => this.parse();
    this.#expressions = new ExpressionParser(tokens, grammar, parseSelect);
    this.#sources = new FromParser(tokens, this.#expressions, parseSelect);
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
      hasRefusedJoin: this.#sources.hasRefusedJoin,
      ...span,
    };
  }

  parseExpression(): ExprSyntax {
    return this.#expressions.parse();
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
    const isEnd = token.kind === 'end' || isSymbol(token, ';', ')');
    if (isEnd) return;
    this.#tokens.report(this.#tokens.unexpected('the end of the query', this.#wordHint(token)));
    this.#tokens.skipToBreak((next) => isSymbol(next, ';'));
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
    const alias = parseAlias(this.#tokens, AFTER_COLUMN);
    return { kind: 'expr', expr, alias, start: expr.start, end: this.#tokens.lastEnd() };
  }

  #from(conditions: ExprSyntax[]): SourceSyntax[] {
    const token = this.#tokens.peek();
    const isAtEnd = token.kind === 'end' || isSymbol(token, ')', ';');
    if (isAtEnd || this.#isClause(token, 'where', ...Object.keys(UNSUPPORTED_AFTER_FROM)))
      return [];
    if (!this.#tokens.takeKeyword('from')) {
      const known = this.#tokens.unexpected('a comma or FROM', this.#commaHint(token));
      this.#tokens.report(known);
      this.#tokens.skipToBreak((next) => this.#isClause(next, 'from', 'where'));
      if (!this.#tokens.takeWord('from')) return [];
    }
    try {
      return this.#sources.parse(conditions);
    } catch (error) {
      if (!(error instanceof SqlSyntaxError)) throw error;
      this.#tokens.report(error);
      this.#tokens.skipToBreak((next) => this.#isClause(next, 'where') || isSymbol(next, ';'));
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
          isSymbol(next, ';') ||
          (!isSecondQuery && this.#isClause(next, ...Object.keys(UNSUPPORTED_AFTER_FROM))),
      );
      const edit = { start: token.start, end: this.#tokens.lastEnd(), text: '' };
      const fix = { text: advice, edit: isSecondQuery ? undefined : edit };
      const message = `${clause} is not supported`;
      this.#tokens.problems.error('UNSUPPORTED_CLAUSE', token, message, fix);
    }
  }
}

/** Stands for a FROM that could not be read, so that nothing is said to be missing there. */
const BROKEN_SOURCE: SourceSyntax = { kind: 'broken', start: 0, end: 0 };
