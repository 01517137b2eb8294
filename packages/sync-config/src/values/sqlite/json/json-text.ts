import { EvaluationFailure } from '../../failure.ts';
import type { JsonText } from './json-node.ts';

/** A TEXT as a JSON string. */
export function quoteJsonText(text: string): string {
  return `"${text.replace(TO_ESCAPE, escapeChar)}"`;
}

/** A string of a document as RFC 8259 has it; escapes that are valid stay as they are written. */
export function renderJsonText({ raw, escapes }: JsonText): string {
  return `"${escapes === 'json5' ? raw.replace(SPECIAL, standardEscape) : raw}"`;
}

/**
 * The text that a string of a document stands for.
 *
 * @throws EvaluationFailure for half of a surrogate pair. SQLite makes bytes of it that are not
 *   UTF-8, which we cannot hold.
 */
export function jsonTextValue(node: JsonText): string {
  const text = decodeJsonText(node);
  if (node.escapes !== 'none' && /\p{Surrogate}/u.test(text)) {
    throw new EvaluationFailure('A JSON text has half of a surrogate pair');
  }
  return text;
}

/** As `jsonTextValue`, but leaves halves of surrogate pairs as they are. */
export function decodeJsonText({ raw, escapes }: JsonText): string {
  if (escapes === 'none') return raw;
  if (escapes === 'json') return JSON.parse(`"${raw}"`) as string;
  return raw.replace(ESCAPE, (escape: string, hex: string | undefined, offset: number) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const char = escape.charAt(1);
    // SQLite leaves a NUL where an escaped line break ends the text.
    if (LINE_BREAK.test(char)) return offset + escape.length === raw.length ? '\0' : '';
    return SINGLE[char] ?? char;
  });
}

/**
 * The label that a key of a path stands for, when the path writes it in quotes and with escapes;
 * undefined when it stands for none. SQLite takes some escapes here that it refuses in documents.
 */
export function decodePathKey(raw: string): string | undefined {
  let text = '';
  for (let at = 0; at < raw.length;) {
    const char = raw.charAt(at);
    if (char !== '\\') {
      text += char;
      at++;
      continue;
    }
    const escape = PATH_ESCAPE.exec(raw.slice(at, at + 6));
    if (escape === null) return undefined;
    const [all, four, two] = escape;
    const name = all.charAt(1);
    if (four !== undefined) text += String.fromCharCode(looseHex(four));
    else if (two !== undefined) text += String.fromCharCode(looseHex(two));
    else if (!LINE_BREAK.test(name)) text += SINGLE[name] ?? name;
    at += all.length;
  }
  return text;
}

const TO_ESCAPE = /["\\]|[^ -\uffff]/g;
const SPECIAL = /"|[^ -\uffff]|\\(?:x[0-9A-Fa-f]{2}|\r\n|[^])/g;
const ESCAPE = /\\(?:[ux]((?<=u)[0-9A-Fa-f]{4}|(?<=x)[0-9A-Fa-f]{2})|\r\n|[^])/g;
const PATH_ESCAPE = /^\\(?:u([^]{4})|x([^]{2})|\r\n|0(?![0-9])|[bfnrtv'"/\\\r\n\u2028\u2029])/;
const LINE_BREAK = /[\r\n\u2028\u2029]/;
const SINGLE: Readonly<Record<string, string>> = {
  b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', 0: '\0',
}; // prettier-ignore
const SHORT: Readonly<Record<string, string>> = {
  '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r',
}; // prettier-ignore

function escapeChar(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  return SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** What RFC 8259 has for an escape of JSON5, or for a character that needs one. */
function standardEscape(found: string): string {
  if (found.charAt(0) !== '\\') return escapeChar(found);
  const char = found.charAt(1);
  if (char === "'") return char;
  if (char === 'v') return '\\u000b';
  if (char === '0') return '\\u0000';
  if (char === 'x') return `\\u00${found.slice(2)}`;
  return LINE_BREAK.test(char) ? '' : found;
}

/** Reads any characters as hexadecimal digits, as SQLite does in the keys of paths. */
function looseHex(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    value = value * 16 + ((code + 9 * ((code >> 6) & 1)) & 0xf);
  }
  return value;
}
