import { EvaluationFailure } from '../../failure.ts';
import type { Present } from '../../present.ts';
import { toText } from '../conversions.ts';
import { parseJsonPath, type JsonPath } from './json-path.ts';

/** Reads the path of a call once, as it tends to be the same in every row. */
export class JsonPathReader {
  #last: Present | undefined;
  #path: JsonPath = [];

  /**
   * A path that begins with `$`.
   *
   * @throws EvaluationFailure when it does not.
   */
  read(value: Present): JsonPath {
    if (value !== this.#last) {
      this.#path = readPath(upToNul(toText(value)));
      this.#last = value;
    }
    return this.#path;
  }

  /** What stands on the right of `->` and `->>`: a path, an array index, or the name of a member. */
  readStep(value: Present): JsonPath {
    if (value !== this.#last) {
      this.#path = readStep(value);
      this.#last = value;
    }
    return this.#path;
  }
}

function readPath(text: string): JsonPath {
  if (!text.startsWith('$')) throw new EvaluationFailure('A JSON path does not begin with $');
  return parseJsonPath(text.slice(1));
}

function readStep(value: Present): JsonPath {
  if (typeof value === 'bigint') return parseJsonPath(value < 0n ? `[#${value}]` : `[${value}]`);
  const text = upToNul(toText(value));
  if (text.startsWith('$')) return readPath(text);
  if (/^[0-9A-Za-z_]*$/.test(text)) return parseJsonPath(`.${text}`);
  if (/^\[[^]+\]$/.test(text)) return parseJsonPath(text);
  return parseJsonPath(`."${text}"`);
}

function upToNul(text: string): string {
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}
