import { LineError } from '../line-error.ts';
import type { Line } from '../line.ts';
import { parseLine } from '../parse-line.ts';
import { readBsonDocument } from './bson-document.ts';
import { hasEmbeddedRows, withRowsAsText } from './embedded-rows.ts';

/** The only key of a line, written without escapes. */
const FIRST_KEY = /^\s*\{\s*"([^"\\]*)"\s*:/;
/** Only whole numbers may stand there; `JSON.parse` cannot tell 1.0 from 1. Inside strings the quotes would be escaped. */
const FRACTION = /"(?:count|priority|default|sub|subscription|token_expires_in)"\s*:\s*-?\d+[.eE]/;

/**
 * Reads one line of an NDJSON stream, as strictly as the clients in the field (spec/protocol.md 2.3, 2.4, 11.10).
 * Undefined for a kind of line that is not known.
 *
 * @throws LineError
 */
export function decodeJsonLine(text: string): Line | undefined {
  const kind = FIRST_KEY.exec(text)?.[1];
  if (kind === undefined) throw new LineError('A line is an object with one key');
  if (kind !== 'data' && FRACTION.test(text)) {
    throw new LineError(`A ${kind} line has a fraction where a whole number belongs`);
  }
  const line = parsed(text);
  const isLegacy = kind === 'data' && hasEmbeddedRows(line);
  return parseLine(isLegacy ? parsed(withRowsAsText(text)) : line);
}

/**
 * Reads one line of a BSON stream, which is one document. A second key at the top is ignored there (11.10).
 *
 * @throws LineError
 */
export function decodeBsonLine(bytes: Uint8Array): Line | undefined {
  const document = readBsonDocument(bytes);
  const [kind] = Object.keys(document);
  return parseLine(kind === undefined ? {} : { [kind]: document[kind] });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LineError('A line is not JSON', { cause });
  }
}
