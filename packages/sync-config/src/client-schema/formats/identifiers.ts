/** What a language takes as a name, and how its names look. */
export interface NamingStyle {
  readonly letterCase: 'kept' | 'camel' | 'pascal';
  /** Words that cannot be names: those of the language and those that the file uses itself. */
  readonly reserved: ReadonlySet<string>;
  /** Only ASCII letters. */
  readonly ascii?: boolean | undefined;
  /** Stands for a name of which no letter can be kept, and in front of one that begins with a digit. */
  readonly fallback: string;
}

/** A set of words written as one text. */
export function wordSet(...texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.flatMap((text) => text.split(/\s+/)).filter((word) => word !== ''));
}

/**
 * An identifier for each name, all different. A reserved word gets `_`; where two names would be
 * alike, the later one gets a number, so that the same names always give the same identifiers.
 */
export function identifiers(names: readonly string[], style: NamingStyle): readonly string[] {
  const used = new Set<string>();
  return names.map((name) => {
    const wanted = identifier(name, style);
    let chosen = wanted;
    for (let n = 2; used.has(chosen) || style.reserved.has(chosen); n++) chosen = wanted + n;
    used.add(chosen);
    return chosen;
  });
}

function identifier(name: string, style: NamingStyle): string {
  const plain = style.letterCase === 'kept' ? keptName(name, style) : casedName(name, style);
  const begun = /^(?:\d|\p{Nd})/u.test(plain) || plain === '' ? style.fallback + plain : plain;
  return style.reserved.has(begun) ? `${begun}_` : begun;
}

/** Letters beyond the basic plane, which some languages do not allow. */
const ASTRAL = /[\u{10000}-\u{10ffff}\ud800-\udfff]/gu;

/** `é` becomes `e` where letters must be ASCII. */
function withoutMarks(name: string, ascii: boolean | undefined): string {
  return ascii ? name.normalize('NFD').replace(/\p{M}/gu, '') : name;
}

function keptName(name: string, { ascii }: NamingStyle): string {
  const other = ascii ? /[^\w$]/g : /[^\p{L}\p{Nd}_$]/gu;
  const kept = withoutMarks(name, ascii).replace(ASTRAL, '_').replace(other, '_');
  return /^_*$/.test(kept) ? '' : kept;
}

/** Words begin at separators, and at capitals behind small letters. */
function casedName(name: string, { ascii, letterCase }: NamingStyle): string {
  return withoutMarks(name, ascii)
    .replace(ASTRAL, ' ')
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, '$1 $2')
    .split(ascii ? /[^A-Za-z\d]+/ : /[^\p{L}\p{Nd}]+/u)
    .filter((word) => word !== '')
    .map((word, i) => (i === 0 && letterCase === 'camel' ? lowerFirst(word) : upperFirst(word)))
    .join('');
}

/** `URL` becomes `url`, `Name` becomes `name`. */
function lowerFirst(word: string): string {
  return word === word.toUpperCase()
    ? word.toLowerCase()
    : word.charAt(0).toLowerCase() + word.slice(1);
}

function upperFirst(word: string): string {
  const rest = word === word.toUpperCase() ? word.slice(1).toLowerCase() : word.slice(1);
  return word.charAt(0).toUpperCase() + rest;
}
