import { EvaluationFailure } from '../../failure.ts';
import type { JsonNode, JsonNumber, JsonObject, JsonText } from './json-node.ts';

export interface ParsedJson {
  readonly root: JsonNode;
  /** Whether the text is JSON as RFC 8259 has it, without what SQLite adds from JSON5. */
  readonly isStandard: boolean;
}

/**
 * Parses what SQLite's JSON functions accept: RFC 8259, JSON5, and names for numbers that are none.
 * A NUL character ends the text.
 *
 * @throws EvaluationFailure when the text is not JSON or nested deeper than 1000.
 */
export function parseSqliteJson(text: string): ParsedJson {
  const end = text.indexOf('\0');
  return new Reader(end === -1 ? text : text.slice(0, end)).document();
}

/** As SQLite's: arrays and objects together. */
const MAX_DEPTH = 1000;

const NULL = { kind: 'null' } as const;
const TRUE = { kind: 'true' } as const;
const FALSE = { kind: 'false' } as const;
const WORDS = { n: ['null', NULL], t: ['true', TRUE], f: ['false', FALSE] } as const;

/** JSON5 white space, which has all that Unicode calls a space separator. */
const SPACES =
  '\\t\\n\\v\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff';
const BLANK5 = new RegExp(
  `(?:[${SPACES}]|/\\*[^]*?\\*/|//[^\\n\\r\\u2028\\u2029]*(?:[\\n\\r\\u2028\\u2029]|$))+`,
  'y',
);
const NAME_CHAR = '[A-Za-z_$]|(?![' + SPACES + '])[\\x80-\\uffff]|\\\\u[0-9A-Fa-f]{4}';
const NAME = new RegExp(`(?:${NAME_CHAR})(?:${NAME_CHAR}|[0-9])*`, 'y');
const NUMBER =
  /[+-]?(?:(0[xX][0-9A-Fa-f]+)|(?:(?:0|[1-9][0-9]*)(\.[0-9]*)?|(\.[0-9]+))([eE][+-]?[0-9]+)?)/y;
const INFINITY = /([+-]?)(?:(?<=[+-])inf(?:inity)?|inf(?:inity)?(?![0-9A-Za-z]))/iy;
const NOT_A_NUMBER = /[qs]?nan(?![0-9A-Za-z])/iy;
const WORD_CHAR = /[0-9A-Za-z]/;
/** All but control characters, backslash and the quote; within single quotes also but `"`. */
const PLAIN_IN_DOUBLE = /[ !#-[\]-\uffff]*/y;
const PLAIN_IN_SINGLE = /[ !#-&(-[\]-\uffff]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;
const ESCAPE5 = /\\(?:['v\n\u2028\u2029]|\r\n?|0(?![0-9])|x[0-9A-Fa-f]{2})/y;

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #isStandard = true;

  constructor(text: string) {
    this.#text = text;
  }

  document(): ParsedJson {
    const root = this.#value();
    this.#skipBlank();
    if (this.#at !== this.#text.length) throw malformed();
    return { root, isStandard: this.#isStandard };
  }

  #value(): JsonNode {
    this.#skipBlank();
    const char = this.#text.charAt(this.#at);
    switch (char) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
      case "'":
        return this.#string(char);
      case 't':
      case 'f':
      case 'n':
        return this.#word(char) ?? this.#special();
      default:
        return this.#number() ?? this.#special();
    }
  }

  #enter(): void {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) throw malformed();
    this.#at++;
  }

  #object(): JsonObject {
    this.#enter();
    const labels: JsonText[] = [];
    const values: JsonNode[] = [];
    while (!this.#takeClose('}', labels.length)) {
      labels.push(this.#label());
      this.#skipBlank();
      if (!this.#take(':')) throw malformed();
      values.push(this.#value());
    }
    this.#depth--;
    return { kind: 'object', labels, values };
  }

  #array(): JsonNode {
    this.#enter();
    const items: JsonNode[] = [];
    while (!this.#takeClose(']', items.length)) items.push(this.#value());
    this.#depth--;
    return { kind: 'array', items };
  }

  /** Between members: takes a comma, or the closing bracket, before which a comma is JSON5. */
  #takeClose(bracket: string, count: number): boolean {
    this.#skipBlank();
    if (this.#take(bracket)) return true;
    if (count === 0) return false;
    if (!this.#take(',')) throw malformed();
    this.#skipBlank();
    if (!this.#take(bracket)) return false;
    this.#isStandard = false;
    return true;
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at++;
    return true;
  }

  #label(): JsonText {
    const char = this.#text.charAt(this.#at);
    if (char === '"' || char === "'") return this.#string(char);
    // What is a value may not be a name: SQLite refuses {null:1}, but takes {nullable:1}.
    if (char in WORDS && this.#word(char as keyof typeof WORDS) !== undefined) throw malformed();
    const raw = this.#match(NAME)?.[0];
    if (raw === undefined || this.#isNumberName(raw)) throw malformed();
    this.#isStandard = false;
    return { kind: 'text', raw, escapes: raw.includes('\\') ? 'json' : 'none' };
  }

  /** `nan` and the like, also where more follows that is neither a letter nor a digit. */
  #isNumberName(name: string): boolean {
    return /^(?:inf(?:inity)?|[qs]?nan)(?![0-9A-Za-z])/i.test(name);
  }

  #string(quote: '"' | "'"): JsonText {
    const start = this.#at + 1;
    const plain = quote === '"' ? PLAIN_IN_DOUBLE : PLAIN_IN_SINGLE;
    let escapes: JsonText['escapes'] = 'none';
    if (quote === "'") this.#isStandard = false;
    this.#at++;
    for (;;) {
      this.#match(plain);
      const char = this.#text.charAt(this.#at);
      if (char === quote) break;
      if (char === '') throw malformed();
      if (char === '\\' && this.#match(ESCAPE) !== undefined) {
        if (escapes === 'none') escapes = 'json';
        continue;
      }
      // A control character, the other quote, or an escape of JSON5.
      if (char !== '\\') this.#at++;
      else if (this.#match(ESCAPE5) === undefined) throw malformed();
      escapes = 'json5';
      this.#isStandard = false;
    }
    const raw = this.#text.slice(start, this.#at);
    this.#at++;
    return { kind: 'text', raw, escapes };
  }

  #number(): JsonNumber | undefined {
    const match = this.#match(NUMBER);
    if (match === undefined) return undefined;
    const [text, hex, fraction, onlyFraction, exponent] = match;
    const isSigned = text.startsWith('+');
    const raw = isSigned ? text.slice(1) : text;
    const is5 = hex !== undefined || onlyFraction !== undefined || fraction === '.';
    if (isSigned || is5) this.#isStandard = false;
    if (hex !== undefined) return { kind: 'hex', raw };
    if (is5) return { kind: 'real5', raw };
    const isReal = fraction !== undefined || exponent !== undefined;
    return { kind: isReal ? 'real' : 'integer', raw };
  }

  #word(char: keyof typeof WORDS): JsonNode | undefined {
    const [word, node] = WORDS[char];
    if (!this.#text.startsWith(word, this.#at)) return undefined;
    if (WORD_CHAR.test(this.#text.charAt(this.#at + word.length))) return undefined;
    this.#at += word.length;
    return node;
  }

  /** Infinity, which SQLite writes as a number too large for any, and NaN, which it takes for null. */
  #special(): JsonNode {
    const infinity = this.#match(INFINITY);
    this.#isStandard = false;
    if (infinity !== undefined)
      return { kind: 'real', raw: infinity[1] === '-' ? '-9e999' : '9e999' };
    if (this.#match(NOT_A_NUMBER) !== undefined) return NULL;
    throw malformed();
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  #skipBlank(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
        this.#at++;
      } else {
        // Slash, VT, FF, and what is beyond ASCII.
        const mayBe5 = code === 0x2f || code === 0x0b || code === 0x0c || code >= 0x80;
        if (!mayBe5 || this.#match(BLANK5) === undefined) return;
        this.#isStandard = false;
      }
    }
  }
}

function malformed(): EvaluationFailure {
  return new EvaluationFailure('A text that should be JSON is not');
}
