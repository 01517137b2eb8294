import { SqlSyntaxError } from './sql-syntax-error.ts';
import type { Token } from './token.ts';

const HEX = /0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*/y;
const REAL =
  /(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)[eE][+-]?\d+(?:_\d+)*|\d+(?:_\d+)*\.(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*/y;
const INTEGER = /\d+(?:_\d+)*/y;
const BLOB = /[xX]'([^']*)'/y;

/** A number or BLOB as SQLite writes them: `1e5`, `0x1F`, `1_000`, `x'00ff'`; undefined if none. */
export function sqliteLiteral(sql: string, start: number): Token | undefined {
  const blob = matchAt(BLOB, sql, start);
  if (blob !== undefined) return blobToken(blob, start);
  const number =
    numberToken('integer', matchAt(HEX, sql, start), start) ??
    numberToken('real', matchAt(REAL, sql, start), start) ??
    numberToken('integer', matchAt(INTEGER, sql, start), start);
  if (number === undefined) return undefined;
  const rest = /[A-Za-z0-9_$\u0080-\uffff]+/y;
  const following = matchAt(rest, sql, number.end);
  if (following === undefined) return number;
  const span = { start, end: number.end + following.length };
  throw new SqlSyntaxError('SQL_SYNTAX', span, `${sql.slice(start, span.end)} is not a number`);
}

function matchAt(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0];
}

function numberToken(
  kind: 'integer' | 'real',
  text: string | undefined,
  start: number,
): Token | undefined {
  if (text === undefined) return undefined;
  return { kind, value: text.replaceAll('_', ''), start, end: start + text.length };
}

function blobToken(text: string, start: number): Token {
  const digits = text.slice(2, -1);
  const end = start + text.length;
  if (/^(?:[0-9a-fA-F]{2})*$/.test(digits)) return { kind: 'blob', value: digits, start, end };
  const message = 'A BLOB is written as pairs of hex digits';
  throw new SqlSyntaxError('SQL_SYNTAX', { start, end }, message, "Write x'00ff'");
}
