import type { SqliteValue } from '@sluice/model';
import type { Operator } from '../dialect.ts';
import { EvaluationFailure } from '../failure.ts';
import type { Present } from '../present.ts';
import { strictBinary, strictUnary, unary, variadic } from '../shapes.ts';
import { beforeNul, codePoints, countCharacters } from './characters.ts';
import { foldCase } from './collation.ts';
import { toBytes, toInteger, toText } from './conversions.ts';
import { createLikeOperators } from './like.ts';
import { formatLiteral } from './literal-text.ts';
import { substring } from './substring.ts';

/** Functions on text and bytes. Most of them read a text no further than its first NUL. */
export function createTextFunctions(): [string, Operator][] {
  return [
    ['upper', strictUnary((a) => upper(toText(a)))],
    ['lower', strictUnary((a) => foldCase(toText(a)))],
    ['length', strictUnary(length)],
    ['octet_length', strictUnary((a) => BigInt(toBytes(a).byteLength))],
    ['substr', variadic(2, 3, substring)],
    ['substring', variadic(2, 3, substring)],
    ['instr', strictBinary(instr)],
    ['replace', variadic(3, 3, replace)],
    ['trim', variadic(1, 2, (args) => trim(args, true, true))],
    ['ltrim', variadic(1, 2, (args) => trim(args, true, false))],
    ['rtrim', variadic(1, 2, (args) => trim(args, false, true))],
    ['concat', variadic(1, Infinity, (args) => concat('', args))],
    ['concat_ws', variadic(2, Infinity, concatWithSeparator)],
    ['char', variadic(0, Infinity, characters)],
    ['unicode', strictUnary((a) => firstCharacter(toText(a)))],
    ['hex', unary((a) => (a === null ? '' : hex(toBytes(a))))],
    ['unhex', variadic(1, 2, unhex)],
    ['quote', unary(formatLiteral)],
    ...createLikeOperators(),
  ];
}

function upper(text: string): string {
  return /[a-z]/.test(text) ? text.replace(/[a-z]+/g, (part) => part.toUpperCase()) : text;
}

function length(value: Present): SqliteValue {
  if (typeof value === 'object') return BigInt(value.byteLength);
  return BigInt(countCharacters(beforeNul(toText(value))));
}

/** 1-based; of two BLOBs a place of a byte, else of a character. */
function instr(haystack: Present, needle: Present): SqliteValue {
  if (typeof haystack === 'object' && typeof needle === 'object') {
    return BigInt(Buffer.from(haystack).indexOf(needle) + 1);
  }
  const text = toText(haystack);
  const at = text.indexOf(toText(needle));
  return at === -1 ? 0n : BigInt(countCharacters(text.slice(0, at)) + 1);
}

function replace([source = null, pattern = null, by = null]: readonly SqliteValue[]): SqliteValue {
  if (source === null || pattern === null) return null;
  const wanted = toText(pattern);
  if (wanted === '' || wanted.startsWith('\0')) return toText(source);
  return by === null ? null : toText(source).replaceAll(wanted, () => toText(by));
}

function trim(args: readonly SqliteValue[], atStart: boolean, atEnd: boolean): SqliteValue {
  const [source = null, set = args.length === 1 ? ' ' : null] = args;
  if (source === null || set === null) return null;
  const text = Array.from(toText(source));
  const removed = new Set(beforeNul(toText(set)));
  let start = 0;
  let end = text.length;
  while (atStart && start < end && removed.has(text[start] ?? '')) start++;
  while (atEnd && end > start && removed.has(text[end - 1] ?? '')) end--;
  return text.slice(start, end).join('');
}

function concatWithSeparator([separator = null, ...parts]: readonly SqliteValue[]): SqliteValue {
  return separator === null ? null : concat(toText(separator), parts);
}

function concat(separator: string, parts: readonly SqliteValue[]): SqliteValue {
  return parts.flatMap((part) => (part === null ? [] : [toText(part)])).join(separator);
}

function characters(args: readonly SqliteValue[]): SqliteValue {
  const points = args.map((arg) => (arg === null ? 0n : toInteger(arg)));
  return points.map(character).join('');
}

function character(point: bigint): string {
  if (point >= 0xd800n && point <= 0xdfffn) {
    throw new EvaluationFailure('char() got half of a surrogate pair, which is not a character');
  }
  const isCharacter = point >= 0n && point <= 0x10ffffn;
  return String.fromCodePoint(isCharacter ? Number(point) : 0xfffd);
}

function firstCharacter(text: string): SqliteValue {
  const [point] = codePoints(text.slice(0, 2));
  return point === undefined ? null : BigInt(point);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

/** Pairs of hex digits to bytes; the characters of the second argument may stand between pairs. */
function unhex(args: readonly SqliteValue[]): SqliteValue {
  const [source = null, ignored = args.length === 1 ? '' : null] = args;
  if (source === null || ignored === null) return null;
  const between = new Set(toText(ignored));
  const text = Array.from(beforeNul(toText(source)));
  let digits = '';
  for (let at = 0; at < text.length; at++) {
    const first = text[at] ?? '';
    if (!isHexDigit(first)) {
      if (!between.has(first)) return null;
      continue;
    }
    const second = text[++at] ?? '';
    if (!isHexDigit(second)) return null;
    digits += first + second;
  }
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

function isHexDigit(character: string): boolean {
  return /^[0-9a-fA-F]$/.test(character);
}
