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

/** A doubled quote belongs to the name; only SQLite reads it as one (spec/sync-config.md 3.1). */
function quotedName(sql: string, start: number, grammar: Grammar): Token {
  const written = match(sql, /"(?:[^"]|"")*"/y, start);
  if (written === '') {
    throw new SqlSyntaxError('SQL_SYNTAX', { start, end: sql.length }, 'This name is not closed');
  }
  const span = { start, end: start + written.length };
  const inside = written.slice(1, -1);
  const value = grammar.isSqlite ? inside.replaceAll('""', '"') : inside;
  if (value === '') throw new SqlSyntaxError('SQL_SYNTAX', span, 'This name is empty');
  if (value.includes('*')) {
    throw new SqlSyntaxError('SQL_SYNTAX', span, 'A name cannot contain *');
  }
  return { kind: 'quoted', value, ...span };
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

/** Octal, hexadecimal and Unicode escapes, as PostgreSQL reads them. */
const NUMERIC_ESCAPE = /[0-7]{1,3}|x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}/y;

/** `E'...'` with backslash escapes. */
function escapedText(sql: string, start: number): Token {
  let value = '';
  for (let at = start + 2; at < sql.length; at++) {
    const char = sql[at] ?? '';
    if (char === '\\') {
      const number = match(sql, NUMERIC_ESCAPE, at + 1);
      const escaped = sql[at + 1] ?? '';
      value += number === '' ? (ESCAPES[escaped] ?? escaped) : escapedCharacter(number, at, sql);
      at += Math.max(1, number.length);
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

function escapedCharacter(escape: string, at: number, sql: string): string {
  const isOctal = /^[0-7]/.test(escape);
  const code = isOctal ? parseInt(escape, 8) : parseInt(escape.slice(1), 16);
  if (code > 0 && code <= 0x10ffff) return String.fromCodePoint(code);
  const span = { start: at, end: Math.min(sql.length, at + 1 + escape.length) };
  throw new SqlSyntaxError('SQL_SYNTAX', span, 'There is no such character');
}

function unclosedText(sql: string, start: number): SqlSyntaxError {
  return new SqlSyntaxError(
    'SQL_SYNTAX',
    { start, end: sql.length },
    'This text is not closed',
    "Close it with ', and write a quote inside as ''",
  );
}
