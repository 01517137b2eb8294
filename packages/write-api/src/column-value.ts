import { isJsonObject, type JsonValue } from '@sluice/base';
import type { TargetColumn } from './target-table.ts';

/** How one value goes into a statement. */
export interface BoundValue {
  /** SQL with `$n` in it. */
  readonly expression: string;
  readonly parameter: string | null;
}

/** A value that cannot be meant for its column; the database is not even asked. */
export class UnusableValue extends Error {}

/**
 * Turns a value as a client's SQLite holds it into what the column's type reads. It undoes the
 * mapping of spec/sync-config.md 15.2 and 15.3: booleans 0/1, arrays, composites and ranges as
 * JSON text. Everything else is passed as text for PostgreSQL to parse, so that it also judges.
 *
 * @throws UnusableValue
 */
export function bindValue(column: TargetColumn, value: JsonValue, place: number): BoundValue {
  const plain = (parameter: string | null): BoundValue => ({
    expression: `$${place}::${column.castType}`,
    parameter,
  });
  if (value === null) return plain(null);
  if (column.kind === 'array') return plain(arrayText(column, value));
  if (column.kind === 'range') return plain(rangeText(value));
  if (column.kind === 'composite' && looksLikeJson(value, '{')) {
    return {
      expression: `jsonb_populate_record(NULL::${column.castType}, $${place}::jsonb)`,
      parameter: scalarText(value),
    };
  }
  if (column.baseType === 'bytea') return plain(byteaText(value));
  return plain(scalarText(value));
}

function scalarText(value: JsonValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function looksLikeJson(value: JsonValue, opening: string): boolean {
  return typeof value === 'object' || String(value).trimStart().startsWith(opening);
}

function parsedJson(value: JsonValue): JsonValue {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as JsonValue;
  } catch (cause) {
    throw new UnusableValue('the text is not valid JSON', { cause });
  }
}

/** `[1,null,"a"]` becomes `{"1",NULL,"a"}`; PostgreSQL's own `{…}` form passes. */
function arrayText(column: TargetColumn, value: JsonValue): string {
  if (!looksLikeJson(value, '[')) return scalarText(value);
  const elements = parsedJson(value);
  if (!Array.isArray(elements)) throw new UnusableValue('an array is expected');
  return arrayLiteral(elements, column.elementType === 'json' || column.elementType === 'jsonb');
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
function rangeText(value: JsonValue): string {
  if (!looksLikeJson(value, '{')) return scalarText(value);
  const range = parsedJson(value);
  if (!isJsonObject(range)) throw new UnusableValue('a range is expected');
  const bound = (end: JsonValue | undefined) =>
    end === null || end === undefined ? '' : `"${scalarText(end).replace(/[\\"]/g, '\\$&')}"`;
  const open = range['lower_exclusive'] ? '(' : '[';
  const close = range['upper_exclusive'] ? ')' : ']';
  return `${open}${bound(range['lower'])},${bound(range['upper'])}${close}`;
}

/** JSON has no bytes: text is base64, or hex after `\x`. */
function byteaText(value: JsonValue): string {
  if (typeof value !== 'string')
    throw new UnusableValue('base64 text, or hex after \\x, is expected');
  if (value.startsWith('\\x')) return value;
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw new UnusableValue('the text is not base64');
  }
  return `\\x${Buffer.from(value, 'base64').toString('hex')}`;
}
