import { EvaluationFailure } from '../../failure.ts';
import type { Present } from '../../present.ts';
import { toText } from '../conversions.ts';
import { parseSqliteJson, type ParsedJson } from './json-parser.ts';

/**
 * Parses the arguments of JSON functions and remembers the last few, as queries tend to take several
 * members of the same columns.
 */
export class SqliteJsonReader {
  #recent: readonly Entry[] = [];

  /** @throws EvaluationFailure when the value is not JSON. */
  read(value: Present): ParsedJson {
    const parsed = this.tryRead(value);
    if (parsed !== undefined) return parsed;
    if (typeof value === 'object') throw new EvaluationFailure('A BLOB is not JSON text');
    throw new EvaluationFailure('A text that should be JSON is not');
  }

  /** As `read`, but undefined for what is not JSON. */
  tryRead(value: Present): ParsedJson | undefined {
    const text = toText(value);
    let parsed: ParsedJson;
    try {
      parsed = this.#parse(text);
    } catch (error) {
      if (error instanceof EvaluationFailure) return undefined;
      throw error;
    }
    refuseJsonb(value);
    return parsed;
  }

  #parse(text: string): ParsedJson {
    const known = this.#recent.find((entry) => entry.text === text);
    if (known !== undefined) return known.parsed;
    const parsed = parseSqliteJson(text);
    this.#recent = [{ text, parsed }, ...this.#recent.slice(0, REMEMBERED - 1)];
    return parsed;
  }
}

interface Entry {
  readonly text: string;
  readonly parsed: ParsedJson;
}

const REMEMBERED = 4;

/**
 * SQLite reads a BLOB as JSONB, its binary form of JSON, where it looks like that, and otherwise as
 * text. Sources have no JSONB, and we read none: where it is no text either, it fails as malformed.
 * But a short text may look like JSONB, whose first byte holds type and size: `3123` is 123 to
 * SQLite, while `[1, 2]` is text, since its payload is no JSONB. Which it is we do not examine to
 * the end; what is left fails.
 */
function refuseJsonb(value: Present): void {
  if (typeof value !== 'object') return;
  const type = jsonbType(value[0]);
  const payloadBytes = (value[0] ?? 0) >> 4;
  if (type === undefined || value.length !== 1 + payloadBytes) return;
  if (type >= ARRAY && payloadBytes > 0 && jsonbType(value[1]) === undefined) return;
  throw new EvaluationFailure('A BLOB may be JSON text or JSONB');
}

const ARRAY = 11;

/** The type that a byte of text would be in JSONB; not those of size 0, which text never has. */
function jsonbType(byte = 0): number | undefined {
  const type = byte & 15;
  return type > 2 && type <= 12 ? type : undefined;
}
