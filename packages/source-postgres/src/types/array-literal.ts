import { malformedValue } from './malformed-value.ts';

/**
 * Rewrites an array in PostgreSQL's output form, `[2:3]={1,"a b",NULL}`, as JSON text. Lower bounds
 * are dropped, dimensions become nested arrays. `toJson` maps the text of one element.
 */
export function arrayLiteralToJson(
  text: string,
  delimiter: string,
  toJson: (element: string) => string,
): string {
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;
  if (text === '{}') return '[]';
  if (text.charCodeAt(at) !== OPEN) throw malformedValue('array');
  const separator = delimiter.charCodeAt(0);
  let depth = 0;
  let json = '';
  /** Whether an element or a nested array must follow. */
  let isOpen = true;
  do {
    const code = text.charCodeAt(at);
    if (isOpen === (code === separator || code === CLOSE)) throw malformedValue('array');
    isOpen = code === separator || code === OPEN;
    if (code === OPEN) {
      depth++;
      json += '[';
      at++;
    } else if (code === CLOSE) {
      depth--;
      json += ']';
      at++;
    } else if (code === separator) {
      json += ',';
      at++;
    } else if (code === QUOTE) {
      const end = quotedEnd(text, at + 1);
      json += toJson(unescape(text.slice(at + 1, end)));
      at = end + 1;
    } else {
      const end = bareEnd(text, at, separator);
      const element = text.slice(at, end);
      json += element === 'NULL' ? 'null' : toJson(element);
      at = end;
    }
  } while (depth > 0);
  if (at !== text.length) throw malformedValue('array');
  return json;
}

const OPEN = '{'.charCodeAt(0);
const CLOSE = '}'.charCodeAt(0);
const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);

function quotedEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  throw malformedValue('array');
}

function bareEnd(text: string, from: number, separator: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === separator || code === CLOSE) return at;
  }
  throw malformedValue('array');
}

function unescape(text: string): string {
  return text.includes('\\') ? text.replace(/\\([^])/g, '$1') : text;
}
