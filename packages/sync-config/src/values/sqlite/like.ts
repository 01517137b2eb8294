import type { SqliteValue } from '@sluice/model';
import type { Operator } from '../dialect.ts';
import { EvaluationFailure } from '../failure.ts';
import { variadic } from '../shapes.ts';
import { codePoints } from './characters.ts';
import { toText } from './conversions.ts';

/** The limit of SQLite as built, in bytes of UTF-8. */
const MAX_PATTERN_BYTES = 50_000;

/** Arguments: pattern, text, escape character; the order of SQLite's functions of these names. */
export function createLikeOperators(): [string, Operator][] {
  return [
    [
      'like',
      variadic(2, 3, ([pattern = null, text = null, escape]) => like(pattern, text, escape)),
    ],
    ['glob', variadic(2, 2, ([pattern = null, text = null]) => matchPattern(pattern, text, GLOB))],
  ];
}

interface Wildcards {
  /** Any number of characters; undefined when the escape character has taken its meaning. */
  readonly many: number | undefined;
  readonly one: number | undefined;
  /** Takes the meaning of the character after it. */
  readonly escape: number | undefined;
  /** Whether `[a-z]` is a set of characters. */
  readonly hasSets: boolean;
  readonly ignoresCase: boolean;
}

const PERCENT = 37;
const UNDERSCORE = 95;
const GLOB: Wildcards = {
  many: 42,
  one: 63,
  escape: undefined,
  hasSets: true,
  ignoresCase: false,
};

function like(
  pattern: SqliteValue,
  text: SqliteValue,
  escapeArg: SqliteValue | undefined,
): SqliteValue {
  if (isBlob(pattern) || isBlob(text)) return 0n;
  if (escapeArg === null) return null;
  const escape = escapeArg === undefined ? undefined : escapeCharacter(toText(escapeArg));
  return matchPattern(pattern, text, {
    many: escape === PERCENT ? undefined : PERCENT,
    one: escape === UNDERSCORE ? undefined : UNDERSCORE,
    escape,
    hasSets: false,
    ignoresCase: true,
  });
}

function escapeCharacter(text: string): number {
  const [escape, second] = codePoints(text);
  if (escape !== undefined && second === undefined) return escape;
  throw new EvaluationFailure('The character after ESCAPE must be one character');
}

function isBlob(value: SqliteValue): boolean {
  return typeof value === 'object' && value !== null;
}

function matchPattern(pattern: SqliteValue, text: SqliteValue, wildcards: Wildcards): SqliteValue {
  // SQLite is built so that BLOBs match nothing, not even NULL.
  if (isBlob(pattern) || isBlob(text)) return 0n;
  if (pattern === null) return null;
  const patternText = toText(pattern);
  if (Buffer.byteLength(patternText) > MAX_PATTERN_BYTES) {
    throw new EvaluationFailure('A pattern of LIKE or GLOB is too long');
  }
  if (text === null) return null;
  const matcher = new Matcher(codePoints(patternText), codePoints(toText(text)), wildcards);
  return matcher.match(0, 0) === 'match' ? 1n : 0n;
}

/** `hopeless`: no match even if an earlier wildcard took more characters. */
type Outcome = 'match' | 'no match' | 'hopeless';

const CARET = 94;
const MINUS = 45;
const OPEN = 91;
const CLOSE = 93;

class Matcher {
  readonly #pattern: readonly number[];
  readonly #text: readonly number[];
  readonly #wildcards: Wildcards;

  constructor(pattern: readonly number[], text: readonly number[], wildcards: Wildcards) {
    this.#pattern = pattern;
    this.#text = text;
    this.#wildcards = wildcards;
  }

  match(patternStart: number, textStart: number): Outcome {
    const { many, one, escape, hasSets } = this.#wildcards;
    let p = patternStart;
    let t = textStart;
    for (;;) {
      let wanted = this.#pattern[p++];
      if (wanted === undefined) return t === this.#text.length ? 'match' : 'no match';
      if (wanted === many) return this.#matchMany(p, t);
      const found = this.#text[t];
      if (hasSets && wanted === OPEN) {
        const end = found === undefined ? undefined : this.#matchSet(p, found);
        if (end === undefined) return 'no match';
        p = end;
        t++;
        continue;
      }
      const isEscaped = wanted === escape;
      if (isEscaped) wanted = this.#pattern[p++];
      if (wanted === undefined || found === undefined) return 'no match';
      if (!this.#isSame(wanted, found) && (isEscaped || wanted !== one)) return 'no match';
      t++;
    }
  }

  /** After a wildcard for many characters: tries every place where what follows it may begin. */
  #matchMany(patternStart: number, textStart: number): Outcome {
    const { many, one, escape, hasSets } = this.#wildcards;
    let p = patternStart;
    let t = textStart;
    for (; this.#pattern[p] === many || this.#isOne(p, one); p++) {
      if (this.#isOne(p, one) && t++ >= this.#text.length) return 'hopeless';
    }
    if (p === this.#pattern.length) return 'match';
    const isSet = hasSets && this.#pattern[p] === OPEN;
    const wanted = this.#pattern[p] === escape && !isSet ? this.#pattern[p + 1] : this.#pattern[p];
    if (wanted === undefined) return 'hopeless';
    for (; t < this.#text.length; t++) {
      if (!isSet && !this.#isSame(wanted, this.#text[t])) continue;
      const outcome = this.match(p, t);
      if (outcome !== 'no match') return outcome;
    }
    return 'hopeless';
  }

  #isOne(at: number, one: number | undefined): boolean {
    return one !== undefined && this.#pattern[at] === one;
  }

  /** Where the pattern goes on after a set that has the character; undefined when it has not. */
  #matchSet(start: number, character: number): number | undefined {
    let p = start;
    const isInverted = this.#pattern[p] === CARET;
    if (isInverted) p++;
    let isSeen = false;
    let previous: number | undefined;
    if (this.#pattern[p] === CLOSE) {
      isSeen = character === CLOSE;
      p++;
    }
    for (;;) {
      const member = this.#pattern[p++];
      if (member === undefined) return undefined;
      if (member === CLOSE) return isSeen === isInverted ? undefined : p;
      const last = this.#pattern[p];
      if (member === MINUS && previous !== undefined && last !== undefined && last !== CLOSE) {
        if (character >= previous && character <= last) isSeen = true;
        previous = undefined;
        p++;
      } else {
        if (character === member) isSeen = true;
        previous = member;
      }
    }
  }

  #isSame(wanted: number, found: number | undefined): boolean {
    if (wanted === found) return true;
    if (!this.#wildcards.ignoresCase || found === undefined) return false;
    return wanted < 0x80 && found < 0x80 && lower(wanted) === lower(found);
  }
}

function lower(character: number): number {
  return character >= 65 && character <= 90 ? character + 32 : character;
}
