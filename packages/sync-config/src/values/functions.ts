import type { SqliteValue } from '@sluice/model';
import { isTrue, toBytes, toInteger, toText, typeName } from './conversions.ts';
import { createDateFunctions } from './date-functions.ts';
import type { Operator } from './dialect.ts';
import { EvaluationFailure } from './failure.ts';
import { createGeometryFunctions } from './geometry/geometry-functions.ts';
import { findMember, memberValue, type JsonParser, type JsonRules } from './json-access.ts';
import { isJsonArray, isJsonMap, parseJsonDocument, type JsonDocument } from './json-document.ts';
import type { Present } from './present.ts';
import { buildFirstPresent, strictUnary, unary, variadic } from './shapes.ts';

/** The functions that a query may call. Source: spec/sync-config.md 5. */
export function createFunctions(
  rules: JsonRules,
  parser: JsonParser,
  edition: number,
): Map<string, Operator> {
  const functions = new Map<string, Operator>([
    ['upper', strictUnary((a) => toText(a).toUpperCase())],
    ['lower', strictUnary((a) => toText(a).toLowerCase())],
    ['substring', variadic(2, 3, substring)],
    ['length', strictUnary(length)],
    ['hex', unary((a) => (a === null ? '' : buffer(a).toString('hex').toUpperCase()))],
    ['base64', unary((a) => (a === null ? '' : buffer(a).toString('base64')))],
    ['uuid_blob', strictUnary(uuidBlob)],
    ['typeof', unary(typeName)],
    ['ifnull', { minArgs: 2, maxArgs: Infinity, build: buildFirstPresent }],
    ['iif', { minArgs: 3, maxArgs: 3, build: buildIif }],
    ['instr', variadic(2, 2, ([a = null, b = null]) => instr(a, b))],
    ['json_extract', variadic(2, 2, ([j = null, p = null]) => jsonExtract(j, p, rules, parser))],
    ['json_array_length', variadic(1, 2, (args) => jsonArrayLength(args, rules, parser))],
    ['json_keys', strictUnary((a) => jsonKeys(parser.parse(toText(a))))],
  ]);
  for (const [name, operator] of [...createDateFunctions(), ...createGeometryFunctions()]) {
    functions.set(name, operator);
  }
  if (edition < 3) functions.set('json_valid', unary(jsonValid));
  return functions;
}

const buildIif: Operator['build'] = (args) => {
  const [condition, then, otherwise] = args.map((arg) => arg.evaluate);
  return (slots) => {
    const chosen = isTrue(condition?.(slots) ?? null) ? then : otherwise;
    return chosen?.(slots) ?? null;
  };
};

function buffer(value: Present): Buffer {
  return Buffer.from(toBytes(value));
}

function length(value: Present): SqliteValue {
  return BigInt(typeof value === 'object' ? value.byteLength : toText(value).length);
}

/** 1-based; a negative start counts from the end, a negative count reaches back from the start. */
function substring(args: readonly SqliteValue[]): SqliteValue {
  const [source = null, startArg = null] = args;
  const countArg = args.length > 2 ? (args[2] ?? null) : BigInt(Number.MAX_SAFE_INTEGER);
  if (source === null || startArg === null || countArg === null) return null;
  const text = toText(source);
  let start = Number(toInteger(startArg));
  const signedCount = Number(toInteger(countArg));
  let count = Math.abs(signedCount);
  if (start < 0) {
    start += text.length;
    if (start < 0) {
      count = Math.max(0, count + start);
      start = 0;
    }
  } else if (start > 0) {
    start--;
  } else if (count > 0) {
    count--;
  }
  if (signedCount < 0) {
    start -= count;
    if (start < 0) {
      count += start;
      start = 0;
    }
  }
  return text.slice(start, start + Math.max(0, count));
}

function uuidBlob(value: Present): SqliteValue {
  const text = toText(value);
  if (!/^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text)) {
    throw new EvaluationFailure('uuid_blob got a text that is not a UUID');
  }
  return new Uint8Array(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

function instr(haystack: SqliteValue, needle: SqliteValue): SqliteValue {
  if (haystack === null || needle === null) return null;
  if (typeof haystack === 'object' && typeof needle === 'object') {
    return BigInt(buffer(haystack).indexOf(needle) + 1);
  }
  return BigInt(toText(haystack).indexOf(toText(needle)) + 1);
}

function jsonExtract(
  json: SqliteValue,
  path: SqliteValue,
  rules: JsonRules,
  parser: JsonParser,
): SqliteValue {
  if (json === null || path === null) return null;
  const pathText = toText(path);
  if (!pathText.startsWith('$')) {
    throw new EvaluationFailure('The path of json_extract does not begin with $');
  }
  return memberValue(findMember(parser.parse(toText(json)), pathText, rules), rules);
}

function jsonArrayLength(
  args: readonly SqliteValue[],
  rules: JsonRules,
  parser: JsonParser,
): SqliteValue {
  const [json = null, path] = args;
  if (json === null || path === null) return null;
  const document = parser.parse(toText(json));
  const found = path === undefined ? document : findMember(document, path, rules);
  if (found === undefined) return null;
  return BigInt(isJsonArray(found) ? found.length : 0);
}

function jsonKeys(document: JsonDocument): SqliteValue {
  if (!isJsonMap(document)) throw new EvaluationFailure('json_keys got JSON that is not an object');
  return JSON.stringify(Object.keys(document));
}

function jsonValid(value: SqliteValue): SqliteValue {
  if (value === null) return 0n;
  try {
    parseJsonDocument(toText(value));
    return 1n;
  } catch (error) {
    if (error instanceof EvaluationFailure) return 0n;
    throw error;
  }
}
