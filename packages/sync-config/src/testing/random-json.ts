import type { SeededRandom } from '@sluice/testing';
import type { SqliteValue } from '@sluice/model';

/** JSON in all the spellings that SQLite knows, some of it malformed. */
export function randomJson(random: SeededRandom): string {
  const writer = new JsonWriter(random, random.pick([0, 0, 0.03, 0.15]));
  const text = writer.document();
  return random.chance(0.2) ? damage(text, random) : text;
}

const BLANKS = [
  ' ', '\n', '\t', '\r', '\v', '\f', '\u00a0', '\u2028', '\u2003', '\ufeff', '\u3000', '\u1680',
  '/* c */', '/**/', '/***/', '// c\n', '// c\u2029', '//\r', '/*\n*/', '\u205f', '\u202f',
]; // prettier-ignore
const LITERALS = ['null', 'true', 'false'];
const ODD_LITERALS = [
  'NaN', 'nan', 'Infinity', '-Infinity', '+inf', 'INF', 'QNaN', 'snan', '-INFinity', 'infinity',
]; // prettier-ignore
const NUMBERS = [
  '0', '-0', '1', '-1', '42', '9007199254740993', '9223372036854775807', '9223372036854775808',
  '-9223372036854775808', '-9223372036854775809', '18446744073709551616', '123456789012345678901234567890',
  '0.5', '-0.0', '1e3', '1E-3', '1.5e+10', '1e400', '-1e400', '1e-400', '12.50', '2.0', '0.1e1', '3.14159265358979323846264338',
  '1844674407370955161234.5', '4.35', '0.30000000000000004', '1e22', '1e23',
]; // prettier-ignore
const ODD_NUMBERS = [
  '+1', '.5', '-.5', '+.5e3', '5.', '-5.', '5.e3', '0x0', '0xff', '-0xFF', '+0X1f', '0x7fffffffffffffff',
  '0x8000000000000000', '-0x8000000000000000', '0xffffffffffffffff', '0x10000000000000000', '-0x123456789abcdef01',
  '01', '00', '1.2.3', '1e', '1e+', '--1', '.', '-', '+', '-.', '0x', '1_000', '1e5.0', '.e1', '0x00000000000000000001', '-01', '-0x0',
]; // prettier-ignore
const KEYS = ['a', 'b', 'c', 'a b', 'a.b', '', 'é', '\u{1f600}', '0', 'A', '$', '_x'];
const NAMES = [
  'a', 'b', '$', '_', 'é', 'a1', 'true1', 'nullable', 'nan', 'null', 'true', 'inf', 'infinite', '\\u0061', 'a\\u0062c',
  'Infinity', 'f', 't', 'n', 'x\u2003', '\u{1f600}', 'inf_', 'NaN$', 'a\\x', 'nul', 'null_', 'falsey',
]; // prettier-ignore
const PIECES = [
  'a', 'b', 'xyz', ' ', 'é', '\u{1f600}', '\u2028', '\u007f', '/', '.', '[', '#', '\ufffd',
]; // prettier-ignore
const ESCAPES = [
  '\\n', '\\t', '\\b', '\\f', '\\r', '\\"', '\\\\', '\\/', '\\u0041', '\\u00e9', '\\u0000', '\\ud83d\\ude00', '\\ud83d', '\\ude00',
  '\\u001f', '\\u20AC', '\\u0061',
]; // prettier-ignore
const ODD_ESCAPES = [
  "\\'", '\\v', '\\0', '\\x41', '\\xe9', '\\x00', '\\\n', '\\\r\n', '\\\r', '\\\u2028', '\\\u2029', '\\1', '\\a', '\\x4', '\\u12', '\\u12g4',
  '\n', '\t', '\u0001', '\\é', '\\\u2027', '\\01', '\\U0041', "'", '"',
]; // prettier-ignore

class JsonWriter {
  readonly #random: SeededRandom;
  /** How probable everywhere is a spelling that RFC 8259 does not have; some are malformed. */
  readonly #odd: number;

  constructor(random: SeededRandom, odd: number) {
    this.#random = random;
    this.#odd = odd;
  }

  document(): string {
    return this.#blank() + this.#value(4) + this.#blank();
  }

  #pick(usual: readonly string[], odd: readonly string[]): string {
    return this.#random.pick(this.#random.chance(this.#odd) ? odd : usual);
  }

  #blank(): string {
    return this.#random.chance(0.75) ? '' : this.#pick([' ', '\n', '\t', '\r', '  '], BLANKS);
  }

  #value(depth: number): string {
    const kind = this.#random.int(depth > 0 ? 10 : 5);
    if (kind < 2) return this.#pick(NUMBERS, ODD_NUMBERS);
    if (kind === 2) return this.#pick(LITERALS, ODD_LITERALS);
    if (kind < 5) return this.#string();
    const isArray = kind < 7;
    let inner = '';
    for (let i = this.#random.int(4); i > 0; i--) {
      if (inner !== '') inner += `${this.#blank()},${this.#blank()}`;
      if (!isArray) inner += `${this.#label()}${this.#blank()}:${this.#blank()}`;
      inner += this.#value(depth - 1);
    }
    if (this.#random.chance(this.#odd)) inner += ',';
    inner = this.#blank() + inner + this.#blank();
    return isArray ? `[${inner}]` : `{${inner}}`;
  }

  #label(): string {
    if (this.#random.chance(this.#odd)) return this.#random.pick(NAMES);
    return this.#random.chance(0.9) ? JSON.stringify(this.#random.pick(KEYS)) : this.#string();
  }

  #string(): string {
    const quote = this.#random.chance(this.#odd) ? "'" : '"';
    let text = '';
    for (let i = this.#random.int(4); i > 0; i--) {
      text += this.#random.chance(0.6)
        ? this.#random.pick(PIECES)
        : this.#pick(ESCAPES, ODD_ESCAPES);
    }
    return quote + text + quote;
  }
}

const DAMAGE = [...'{}[],:"\'\\/*x0.eE+-# \n$_', '\0', ''];

function damage(text: string, random: SeededRandom): string {
  const characters = Array.from(text);
  characters.splice(random.int(characters.length + 1), random.int(2), random.pick(DAMAGE));
  return characters.join('');
}

const STEPS = [
  '.a', '.b', '.c', '[0]', '[1]', '[2]', '[#-1]', '[#-2]', '."a"', '."a b"', '."a.b"', '.é',
]; // prettier-ignore
/** Some are malformed, some only where the search comes to them. */
const ODD_STEPS_OF_PATHS = [
  '."\\u0061"', '."\\x61"', '.0', '[#-9', '[#-1', '[', '[x]', '.', '..a', '."a', '[-1]', '[00]', '[#]',
  '[9999999999999]', '[#-99999999999]', '.a"b', '."\\q"', '."\u{1f600}"', '."\\ud83d\\ude00"', '.$',
  '."\\u00zz"', '[1', '[0 ]', '."a\\"', 'a', '[#0]', '[#-]', '[#-x]', '."\\0"', '."a\\0b"', '.A', '.""',
  '."\\\n"', '."\\01"', '."\\v"', '."\\xzz"', '."a"b', '."\\u12"',
]; // prettier-ignore

export function randomPath(random: SeededRandom): SqliteValue {
  if (random.chance(0.03))
    return random.pick<SqliteValue>([null, 'a', '', 5n, 1.5, '@', ' $', '$\0x']);
  let path = '$';
  for (let i = random.int(4); i > 0; i--) {
    path += random.pick(random.chance(0.7) ? STEPS : ODD_STEPS_OF_PATHS);
  }
  return path;
}

const ODD_STEPS: readonly SqliteValue[] = [
  null, '', 'a b', 'a.b', 'é', '[0]', '[#-1]', '[x]', '[]', '[', '[0', 'a"b', 'a\\u0062', '\\u0061', '$', '$.a', '$x', 1.5, -1.0, '0', '-1',
  new Uint8Array([0x61]), '"a"', 'a\0b', ' a', '\u{1f600}', 9223372036854775807n, -9223372036854775808n, '_x', 'a]', '[0][0]', '[0].a',
]; // prettier-ignore

/** The right side of `->`. */
export function randomStep(random: SeededRandom): SqliteValue {
  if (random.chance(0.4)) return random.pick(ODD_STEPS);
  if (random.chance(0.5)) return BigInt(random.int(7) - 3);
  return random.pick(KEYS);
}
