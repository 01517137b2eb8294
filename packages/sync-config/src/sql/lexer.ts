import type { SqlProblems } from './sql-syntax-error.ts';
import { sqliteLiteral } from './sqlite-literal.ts';
import type { Grammar } from './grammar.ts';
import type { Token } from './token.ts';

// Longest first, so that `->>` is not read as `->` and `>`. `==` is only there to be refused.
const SYMBOLS = [
  '->>', '->', '::', '||', '&&', '<=', '>=', '<>', '!=', '==', '<<', '>>', '=', '<', '>', '+', '-', '*',
  '/', '%', '(', ')', '[', ']', ',', '.', ';', '|', '&', '#', '^', '~', '?', '@', ':', '!',
]; // prettier-ignore

/** Splits an SQL text into tokens, the last of kind `end`. Source: spec/sync-config.md 3.1. */
export function tokenize(sql: string, grammar: Grammar, problems: SqlProblems): Token[] {
  const tokens: Token[] = [];
  let at = skipBlank(sql, 0, grammar, problems);
  while (at < sql.length) {
    const token = nextToken(sql, at, grammar, problems);
    if (token !== undefined) tokens.push(token);
    const end = token?.end ?? at + characterAt(sql, at).length;
    at = skipBlank(sql, end, grammar, problems);
  }
  tokens.push({ kind: 'end', value: '', start: sql.length, end: sql.length });
  return tokens;
}

function skipBlank(sql: string, from: number, grammar: Grammar, problems: SqlProblems): number {
  let at = from;
  for (;;) {
    while (/\s/.test(sql[at] ?? '')) at++;
    if (sql.startsWith('--', at)) {
      const lineEnd = sql.indexOf('\n', at);
      at = lineEnd === -1 ? sql.length : lineEnd;
    } else if (sql.startsWith('/*', at)) {
      at = blockCommentEnd(sql, at, !grammar.isSqlite, problems);
    } else {
      return at;
    }
  }
}

function blockCommentEnd(
  sql: string,
  start: number,
  nests: boolean,
  problems: SqlProblems,
): number {
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
  const span = { start, end: start + 2 };
  problems.error('SQL_SYNTAX', span, 'This comment does not end', 'Close it with */');
  return sql.length;
}

function nextToken(
  sql: string,
  start: number,
  grammar: Grammar,
  problems: SqlProblems,
): Token | undefined {
  const char = sql[start] ?? '';
  const literal = grammar.isSqlite ? sqliteLiteral(sql, start, problems) : undefined;
  if (literal !== undefined) return literal;
  if (/[A-Za-z_]/.test(char)) {
    if (!grammar.isSqlite && /^[eE]$/.test(char) && sql[start + 1] === "'") {
      return escapedText(sql, start, problems);
    }
    const word = match(sql, /[A-Za-z_][A-Za-z0-9_]*/y, start);
    return { kind: 'word', value: word.toLowerCase(), start, end: start + word.length };
  }
  if (char === '"') return quotedName(sql, start, grammar, problems);
  if (char === "'") return plainText(sql, start, problems);
  const real = match(sql, /\d+\.\d*|\.\d+/y, start);
  if (real !== '') return { kind: 'real', value: real, start, end: start + real.length };
  const integer = match(sql, /\d+/y, start);
  if (integer !== '') {
    return { kind: 'integer', value: integer, start, end: start + integer.length };
  }
  const symbol = SYMBOLS.find((candidate) => sql.startsWith(candidate, start));
  if (symbol !== undefined)
    return { kind: 'symbol', value: symbol, start, end: start + symbol.length };
  return foreignToken(sql, start, problems);
}

/** What other kinds of SQL, and word processors, write; read as what it stands for. */
function foreignToken(sql: string, start: number, problems: SqlProblems): Token | undefined {
  const char = characterAt(sql, start);
  const span = { start, end: start + char.length };
  const quoted = FOREIGN_QUOTES.find(({ open }) => open === char);
  const close = quoted ? sql.indexOf(quoted.close, start + 1) : -1;
  if (quoted !== undefined && close !== -1) {
    const value = sql.slice(start + 1, close);
    const text = quoted.kind === 'quoted' ? `"${value}"` : `'${value.replaceAll("'", "''")}'`;
    const whole = { start, end: close + 1 };
    const message = `${char} is not a quote in SQL`;
    problems.error('SQL_SYNTAX', whole, message, {
      text: `Write ${text}`,
      edit: { ...whole, text },
    });
    return { kind: quoted.kind, value, ...whole };
  }
  if (/\p{L}/u.test(char)) return foreignName(sql, start, problems);
  // Once for each: they tend to come in pairs.
  if (sql.indexOf(char) < start) return undefined;
  const message = `The character ${char} has no meaning here`;
  problems.error('SQL_SYNTAX', span, message, FOREIGN_CHARACTERS[char] ?? 'Remove it');
  return undefined;
}

/** A name with other letters than A to Z. */
function foreignName(sql: string, start: number, problems: SqlProblems): Token {
  const value = match(sql, /[\p{L}\p{M}\w]+/uy, start);
  const span = { start, end: start + value.length };
  const text = `"${value}"`;
  const fix = { text: `Write ${text}`, edit: { ...span, text } };
  const message = 'A name with letters other than a to z needs double quotes';
  problems.error('SQL_SYNTAX', span, message, fix);
  return { kind: 'quoted', value, ...span };
}

const FOREIGN_QUOTES: readonly { open: string; close: string; kind: 'quoted' | 'text' }[] = [
  { open: '`', close: '`', kind: 'quoted' },
  { open: '\u2018', close: '\u2019', kind: 'text' },
  { open: '\u201c', close: '\u201d', kind: 'quoted' },
];

const FOREIGN_CHARACTERS: Readonly<Record<string, string>> = {
  $: "Write a parameter as subscription.parameter('name')",
  '\u2018': "Write '",
  '\u2019': "Write '",
  '\u201c': 'Write "',
  '\u201d': 'Write "',
};

function characterAt(sql: string, at: number): string {
  return String.fromCodePoint(sql.codePointAt(at) ?? 32);
}

function match(sql: string, pattern: RegExp, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? '';
}

/** A doubled quote belongs to the name; only SQLite reads it as one (spec/sync-config.md 3.1). */
function quotedName(sql: string, start: number, grammar: Grammar, problems: SqlProblems): Token {
  const written = match(sql, /"(?:[^"]|"")*"/y, start);
  if (written === '') return unclosedName(sql, start, problems);
  const span = { start, end: start + written.length };
  const inside = written.slice(1, -1);
  const value = grammar.isSqlite ? inside.replaceAll('""', '"') : inside;
  if (value === '') problems.error('SQL_SYNTAX', span, 'This name is empty', 'Write the name');
  if (value.includes('*')) {
    problems.error(
      'SQL_SYNTAX',
      span,
      'A name cannot contain *',
      'Use % for a wildcard at its end',
    );
  }
  return { kind: 'quoted', value, ...span };
}

function unclosedName(sql: string, start: number, problems: SqlProblems): Token {
  const word = match(sql, /\w+/y, start + 1);
  const end = start + 1 + word.length;
  const fix = { text: `Write "${word}"`, edit: { start, end, text: `"${word}"` } };
  problems.error('SQL_SYNTAX', { start, end }, 'This name is not closed', fix);
  return { kind: 'quoted', value: word, start, end };
}

function plainText(sql: string, start: number, problems: SqlProblems): Token {
  let value = '';
  let from = start + 1;
  for (;;) {
    const close = sql.indexOf("'", from);
    if (close === -1) return unclosedText(sql, start, problems);
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
function escapedText(sql: string, start: number, problems: SqlProblems): Token {
  let value = '';
  for (let at = start + 2; at < sql.length; at++) {
    const char = sql[at] ?? '';
    if (char === '\\') {
      const number = match(sql, NUMERIC_ESCAPE, at + 1);
      const escaped = sql[at + 1] ?? '';
      value +=
        number === '' ? (ESCAPES[escaped] ?? escaped) : escapedCharacter(number, at, sql, problems);
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
  return unclosedText(sql, start, problems);
}

function escapedCharacter(escape: string, at: number, sql: string, problems: SqlProblems): string {
  const isOctal = /^[0-7]/.test(escape);
  const code = isOctal ? parseInt(escape, 8) : parseInt(escape.slice(1), 16);
  if (code > 0 && code <= 0x10ffff) return String.fromCodePoint(code);
  const span = { start: at, end: Math.min(sql.length, at + 1 + escape.length) };
  problems.error('SQL_SYNTAX', span, 'There is no such character', 'Write the character itself');
  return '';
}

/** Points at the line that the text begins on, since nobody knows where it was meant to end. */
function unclosedText(sql: string, start: number, problems: SqlProblems): Token {
  const line = match(sql, /[^\n]*/y, start).trimEnd();
  const fix = "Close it with ', and write a quote inside as ''";
  problems.error('SQL_SYNTAX', { start, end: start + line.length }, 'This text is not closed', fix);
  return { kind: 'text', value: sql.slice(start + 1), start, end: sql.length };
}
