import { EvaluationFailure } from './failure.ts';
import { formatReal } from './number-text.ts';

/** A JSON value in which `1` (bigint) and `1.0` (number) stay apart, and integers are exact. */
export type JsonDocument =
  null | boolean | bigint | number | string | readonly JsonDocument[] | JsonMap;
export type JsonMap = { readonly [key: string]: JsonDocument };

export function isJsonMap(value: JsonDocument): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: JsonDocument): value is readonly JsonDocument[] {
  return Array.isArray(value);
}

/** The value of an own member or element, or undefined when there is none. */
export function jsonMember(value: JsonDocument, step: string): JsonDocument | undefined {
  if (isJsonArray(value)) return /^\d+$/.test(step) ? value[Number(step)] : undefined;
  if (isJsonMap(value)) return Object.hasOwn(value, step) ? value[step] : undefined;
  return undefined;
}

/** @throws EvaluationFailure when the text is not JSON. */
export function parseJsonDocument(text: string): JsonDocument {
  const reader = new Reader(text);
  return reader.document();
}

/** Compact JSON text; integral REALs keep their `.0`. */
export function formatJsonDocument(value: JsonDocument): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return formatReal(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (isJsonArray(value)) return `[${value.map(formatJsonDocument).join(',')}]`;
  const members = Object.entries(value as JsonMap).map(
    ([key, member]) => `${JSON.stringify(key)}:${formatJsonDocument(member)}`,
  );
  return `{${members.join(',')}}`;
}

/** Bounds the recursion on hostile texts. */
const MAX_DEPTH = 1000;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const BLANK = /[ \t\n\r]*/y;

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonDocument {
    const value = this.#value();
    this.#skipBlank();
    if (this.#at !== this.#text.length) throw malformed();
    return value;
  }

  #value(): JsonDocument {
    this.#skipBlank();
    switch (this.#text.charAt(this.#at)) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #nested<T>(read: () => T): T {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) throw malformed();
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): JsonMap {
    // Without a prototype, so that a member named __proto__ is a member like any other.
    const result = Object.create(null) as Record<string, JsonDocument>;
    if (this.#take('}')) return result;
    do {
      this.#skipBlank();
      const key = this.#string();
      if (!this.#take(':')) throw malformed();
      result[key] = this.#value();
    } while (this.#take(','));
    if (!this.#take('}')) throw malformed();
    return result;
  }

  #array(): JsonDocument[] {
    const result: JsonDocument[] = [];
    if (this.#take(']')) return result;
    do result.push(this.#value());
    while (this.#take(','));
    if (!this.#take(']')) throw malformed();
    return result;
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') throw malformed();
    let end = this.#at + 1;
    while (this.#text[end] !== '"') {
      if (end >= this.#text.length) throw malformed();
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    const quoted = this.#text.slice(this.#at, end + 1);
    this.#at = end + 1;
    return parseJsonString(quoted);
  }

  #number(): bigint | number {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw malformed();
    this.#at = NUMBER.lastIndex;
    const isInteger = match[1] === undefined && match[2] === undefined;
    return isInteger ? BigInt(match[0]) : Number(match[0]);
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw malformed();
    this.#at += word.length;
    return value;
  }

  #take(char: string): boolean {
    this.#skipBlank();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skipBlank(): void {
    BLANK.lastIndex = this.#at;
    BLANK.exec(this.#text);
    this.#at = BLANK.lastIndex;
  }
}

function parseJsonString(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw malformed();
  }
}

function malformed(): EvaluationFailure {
  return new EvaluationFailure('A text that should be JSON is not');
}
