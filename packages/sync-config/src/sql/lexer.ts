import type { Grammar } from './grammar.ts';
import { SqlSyntaxError } from './sql-syntax-error.ts';
import { sqliteLiteral } from './sqlite-literal.ts';
import type { Token } from './token.ts';

// Longest first, so that `->>` is not read as `->` and `>`.
const SYMBOLS = [
  '->>', '->', '::', '||', '&&', '<=', '>=', '<>', '!=', '==', '<<', '>>', '=', '<', '>', '+', '-', '*',
  '/', '%', '(', ')', '[', ']', ',', '.', ';', '|', '&', '#', '^', '~', '?', '@', ':', '!',
]; // prettier-ignore

/** Splits an SQL text into tokens, the last of kind `end`. Source: spec/sync-config.md 3.1. */
export function tokenize(sql: string, grammar: Grammar): Token[] {
  const tokens: Token[] = [];
  let at = skipBlank(sql, 0, grammar);
  while (at < sql.length) {
    const token = nextToken(sql, at, grammar);
    tokens.push(token);
    at = skipBlank(sql, token.end, grammar);
  }
  tokens.push({ kind: 'end', value: '', start: sql.length, end: sql.length });
  return tokens;
}

function skipBlank(sql: string, from: number, grammar: Grammar): number {
  let at = from;
  for (;;) {
    while (/\s/.test(sql[at] ?? '')) at++;
    if (sql.startsWith('--', at)) {
      const lineEnd = sql.indexOf('\n', at);
      at = lineEnd === -1 ? sql.length : lineEnd;
    } else if (sql.startsWith('/*', at)) {
      at = blockCommentEnd(sql, at, !grammar.isSqlite);
    } else {
      return at;
    }
  }
}

function blockCommentEnd(sql: string, start: number, nests: boolean): number {
  let depth = 0;
  for (let at = start; at < sql.length; at++) {
    if (sql.startsWith('/*', at) && (nests || depth === 0)) {
      depth++;
      at++;
    } else if (sql.startsWith('*/', at)) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  throw new SqlSyntaxError('SQL_SYNTAX', { start, end: start + 2 }, 'This comment does not end');
}

function nextToken(sql: string, start: number, grammar: Grammar): Token {
  const char = sql[start] ?? '';
  const literal = grammar.isSqlite ? sqliteLiteral(sql, start) : undefined;
  if (literal !== undefined) return literal;
  if (/[A-Za-z_]/.test(char)) {
    if (!grammar.isSqlite && /^[eE]$/.test(char) && sql[start + 1] === "'")
      return escapedText(sql, start);
    const word = match(sql, /[A-Za-z_][A-Za-z0-9_]*/y, start);
    return { kind: 'word', value: word.toLowerCase(), start, end: start + word.length };
  }
  if (char === '"') return quotedName(sql, start, grammar);
  if (char === "'") return plainText(sql, start);
  const real = match(sql, /\d+\.\d*|\.\d+/y, start);
  if (real !== '') return { kind: 'real', value: real, start, end: start + real.length };
  const integer = match(sql, /\d+/y, start);
  if (integer !== '') {
    return { kind: 'integer', value: integer, start, end: start + integer.length };
  }
  const symbol = SYMBOLS.find((candidate) => sql.startsWith(candidate, start));
  if (symbol === undefined) {
    const end = start + String.fromCodePoint(sql.codePointAt(start) ?? 32).length;
    const message = `The character ${sql.slice(start, end)} has no meaning here`;
    throw new SqlSyntaxError('SQL_SYNTAX', { start, end }, message);
  }
  return { kind: 'symbol', value: symbol, start, end: start + symbol.length };
}

function match(sql: string, pattern: RegExp, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? '';
}

/** Only SQLite reads a doubled quote as one inside the name. */
function quotedName(sql: string, start: number, grammar: Grammar): Token {
  let close = sql.indexOf('"', start + 1);
  while (grammar.isSqlite && close !== -1 && sql[close + 1] === '"') {
    close = sql.indexOf('"', close + 2);
  }
  if (close === -1) {
    throw new SqlSyntaxError('SQL_SYNTAX', { start, end: sql.length }, 'This name is not closed');
  }
  const inside = sql.slice(start + 1, close);
  const value = grammar.isSqlite ? inside.replaceAll('""', '"') : inside;
  return { kind: 'quoted', value, start, end: close + 1 };
}

function plainText(sql: string, start: number): Token {
  let value = '';
  let from = start + 1;
  for (;;) {
    const close = sql.indexOf("'", from);
    if (close === -1) throw unclosedText(sql, start);
    value += sql.slice(from, close);
    if (sql[close + 1] !== "'") return { kind: 'text', value, start, end: close + 1 };
    value += "'";
    from = close + 2;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n', t: '\t', r: '\r', b: '\b', f: '\f',
}; // prettier-ignore

/** `E'...'` with backslash escapes. */
function escapedText(sql: string, start: number): Token {
  let value = '';
  for (let at = start + 2; at < sql.length; at++) {
    const char = sql[at] ?? '';
    if (char === '\\') {
      at++;
      const escaped = sql[at] ?? '';
      value += ESCAPES[escaped] ?? escaped;
    } else if (char !== "'") {
      value += char;
    } else if (sql[at + 1] === "'") {
      at++;
      value += "'";
    } else {
      return { kind: 'text', value, start, end: at + 1 };
    }
  }
  throw unclosedText(sql, start);
}

function unclosedText(sql: string, start: number): SqlSyntaxError {
  return new SqlSyntaxError(
    'SQL_SYNTAX',
    { start, end: sql.length },
    'This text is not closed',
    "Close it with ', and write a quote inside as ''",
  );
}
