import { isJsonObject, parseExactJson, type JsonValue } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import type { TargetColumn } from './target-table.ts';

/** A value that cannot be meant for its column; the database is not even asked. */
export class UnusableValue extends Error {}

/**
 * Turns a value as a client's SQLite holds it into the text that the column's type reads. It undoes the
 * mapping of spec/sync-config.md 15.2 and 15.3: booleans 0/1, arrays, composites and ranges as
 * JSON text. Everything else is passed on for PostgreSQL to parse, so that it also judges.
 *
 * @throws UnusableValue
 */
export function columnText(column: TargetColumn, value: SqliteValue): string | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  if (typeof value !== 'string') return String(value);
  if (column.kind === 'array') return arrayText(column, value);
  if (column.kind === 'range') return rangeText(value);
  if (column.baseType === 'bytea') return byteaText(value);
  return value;
}

/** SQL that reads the text `expression`, e.g. `$1`, which `columnText` made of `value`, as the column's type. */
export function columnExpression(
  column: TargetColumn,
  value: SqliteValue,
  expression: string,
): string {
  return column.kind === 'composite' && typeof value === 'string' && looksLikeJson(value, '{')
    ? `jsonb_populate_record(NULL::${column.castType}, ${expression}::jsonb)`
    : `${expression}::${column.castType}`;
}

function scalarText(value: JsonValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function looksLikeJson(text: string, opening: string): boolean {
  return text.trimStart().startsWith(opening);
}

/** Exact integers come as text; within JSON that would be another value. */
function parsedJson(text: string, isExact: boolean): JsonValue {
  try {
    return (isExact ? parseExactJson(text) : JSON.parse(text)) as JsonValue;
  } catch (cause) {
    throw new UnusableValue('the text is not valid JSON', { cause });
  }
}

/** `[1,null,"a"]` becomes `{"1",NULL,"a"}`; PostgreSQL's own `{…}` form passes. */
function arrayText(column: TargetColumn, value: string): string {
  if (!looksLikeJson(value, '[')) return value;
  const ofJson = column.elementType === 'json' || column.elementType === 'jsonb';
  const elements = parsedJson(value, !ofJson);
  if (!Array.isArray(elements)) throw new UnusableValue('an array is expected');
  return arrayLiteral(elements, ofJson);
}

function arrayLiteral(elements: readonly JsonValue[], ofJson: boolean): string {
  const parts = elements.map((element) => {
    if (Array.isArray(element) && !ofJson) return arrayLiteral(element, ofJson);
    if (element === null) return 'NULL';
    const text = ofJson ? JSON.stringify(element) : scalarText(element);
    return `"${text.replace(/[\\"]/g, '\\$&')}"`;
  });
  return `{${parts.join(',')}}`;
}

/** The JSON object form of a range becomes `[lower,upper)`; PostgreSQL's own form passes. */
function rangeText(value: string): string {
  if (!looksLikeJson(value, '{')) return value;
  const range = parsedJson(value, true);
  if (!isJsonObject(range)) throw new UnusableValue('a range is expected');
  const bound = (end: JsonValue | undefined) =>
    end === null || end === undefined ? '' : `"${scalarText(end).replace(/[\\"]/g, '\\$&')}"`;
  const open = range['lower_exclusive'] ? '(' : '[';
  const close = range['upper_exclusive'] ? ')' : ']';
  return `${open}${bound(range['lower'])},${bound(range['upper'])}${close}`;
}

/** JSON has no bytes: text is base64, or hex after `\x`. */
function byteaText(value: string): string {
  if (value.startsWith('\\x')) return value;
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw new UnusableValue('the text is not base64');
  }
  return `\\x${Buffer.from(value, 'base64').toString('hex')}`;
}
