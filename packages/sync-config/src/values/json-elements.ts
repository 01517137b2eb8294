import type { JsonValue } from '@sluice/base';
import type { SqliteValue } from '@sluice/model';
import { toText } from './conversions.ts';
import { EvaluationFailure } from './failure.ts';
import { formatReal } from './number-text.ts';
import type { Present } from './present.ts';

export interface JsonElement {
  readonly value: SqliteValue;
  readonly key: SqliteValue;
}

const NONE: readonly JsonElement[] = [];

/**
 * The rows of `json_each(input)`: every number is REAL, as in a plain JSON parse.
 *
 * @throws EvaluationFailure when the text is not JSON, or in mode `array` not an array.
 * Source: spec/sync-config.md 6 (last paragraph), 8.1 rule 6, 10.3.
 */
export function jsonElements(
  input: SqliteValue,
  mode: 'array' | 'each',
  fixedJsonExtract: boolean,
): readonly JsonElement[] {
  if (input === null) return NONE;
  const document = mode === 'each' && typeof input === 'number' ? input : parse(input);
  const toValue = (value: JsonValue) => plainJsonToSqlite(value, fixedJsonExtract ? null : 'null');
  if (Array.isArray(document)) {
    return document.map((value: JsonValue, i) => ({ value: toValue(value), key: BigInt(i) }));
  }
  if (mode === 'array') throw new EvaluationFailure('A JSON text that should be an array is not');
  if (typeof document === 'object' && document !== null) {
    return Object.entries(document).map(([key, value]) => ({ value: toValue(value), key }));
  }
  return [{ value: toValue(document), key: null }];
}

function parse(input: Present): JsonValue {
  if (typeof input === 'object') throw new EvaluationFailure('A BLOB is not JSON');
  try {
    return JSON.parse(toText(input)) as JsonValue;
  } catch {
    throw new EvaluationFailure('A text that should be JSON is not');
  }
}

function plainJsonToSqlite(value: JsonValue, ofNull: SqliteValue): SqliteValue {
  if (value === null) return ofNull;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'object' ? formatPlainJson(value) : value;
}

/** JSON text of a plain JSON parse; integral numbers get `.0`. */
export function formatPlainJson(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return formatReal(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${value.map((item: JsonValue) => formatPlainJson(item)).join(',')}]`;
  }
  const members = Object.entries(value)
    // A caller may hold an object in memory whose optional members are undefined.
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}:${formatPlainJson(member)}`);
  return `{${members.join(',')}}`;
}
