import type { SqliteValue } from '@sluice/model';
import { EvaluationFailure } from '../../failure.ts';
import type { JsonElement } from '../../json-elements.ts';
import { SqliteJsonReader } from './json-reader.ts';
import { jsonNodeValue } from './json-render.ts';
import { jsonTextValue } from './json-text.ts';

const NONE: readonly JsonElement[] = [];

/**
 * The rows of `json_each(value)`: integers are INTEGER, true and false 1 and 0, arrays and objects
 * JSON text. Keys are INTEGER in arrays and TEXT in objects; a scalar is one element without a key.
 *
 * @throws EvaluationFailure when the text is not JSON, or in mode `array` not an array.
 */
export function sqliteJsonElements(
  value: SqliteValue,
  mode: 'array' | 'each',
  reader = new SqliteJsonReader(),
): readonly JsonElement[] {
  if (value === null) return NONE;
  const { root } = reader.read(value);
  if (root.kind === 'array') {
    return root.items.map((item, i) => ({ value: jsonNodeValue(item), key: BigInt(i) }));
  }
  if (mode === 'array') throw new EvaluationFailure('A JSON text that should be an array is not');
  if (root.kind !== 'object') return [{ value: jsonNodeValue(root), key: null }];
  const { labels } = root;
  return root.values.map((item, i) => {
    const label = labels[i];
    return { value: jsonNodeValue(item), key: label === undefined ? null : jsonTextValue(label) };
  });
}
