import type { SqliteValue } from '@sluice/model';
import type { SeededRandom } from '@sluice/testing';

/** Values at which implementations of SQL differ. */

const INTEGERS: readonly bigint[] = [
  0n, 1n, -1n, 2n, 3n, 5n, 7n, 10n, -10n, 12n, 63n, 64n, 65n, 100n, 255n, 1000n, -63n, -64n,
  2n ** 31n, 2n ** 32n, 2n ** 51n, 2n ** 51n - 1n, -(2n ** 51n), 2n ** 53n, 2n ** 53n - 1n,
  2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n - 2n, -(2n ** 63n),
  -(2n ** 63n) + 1n, 123456789012345678n, 1700000000n, 2460000n,
]; // prettier-ignore

const REALS: readonly number[] = [
  0, -0, 0.1, 0.5, -0.5, 1, -1, 1.5, 2.5, -2.5, 3.7, 5, 100, 0.3, 1 / 3, 2 / 3, 1e-5, 0.0001,
  1e15, 1e16, 1e17, 1e21, 1e22, 1e100, 1e308, 1.7976931348623157e308, 5e-324, 2.2e-308,
  2 ** 53, 2 ** 53 + 2, 2 ** 63, -(2 ** 63), 2 ** 63 - 1024, 2 ** 64, 4503599627370496.5, 1e-300,
  123456.789, 99.995, 1.005, 2.675, 49.47, 0.1 + 0.2, 9007199254740993, Infinity, -Infinity,
]; // prettier-ignore

const TEXTS: readonly string[] = [
  '', ' ', '0', '1', '-1', '+5', '5', ' 5', '5 ', ' 5 ', '05', '5.0', '5.', '.5', '0.5', '-0', '-0.0',
  '1e3', '1E+3', '1e', '1e5x', '12abc', 'abc12', '0x10', '9223372036854775807', '9223372036854775808',
  '-9223372036854775808', '-9223372036854775809', '9007199254740993', '123456789012345678901234567890',
  '1e400', '1e-400', '99999999999999999999.5', '3500000000000000.2500001', '\t7', '7\n', '1 2', 'Inf',
  'nan', 'true', 'null', 'abc', 'ABC', 'aBc', 'abc ', 'abc  ', 'a', 'A', 'b', 'B', 'Z', 'z', '[', '\\',
  '%', '_', 'a%', '%b%', 'a_c', '*', '?', 'a*', '[a-c]*', '[^a]bc', '[]]', 'é', 'É', 'ß', 'ω', '𝄞', 'a𝄞b',
  '\uffff', '\ue000', '\ufeffbom', 'a\0b', '\0', '5\0', '5\0x', "it's", '"q"', '日本語', 'ab\u0301',
  '2024-02-29', '2024-02-29 12:34:56', '12:00', '-5.5e-1', '1_000', '%%', '!', 'a!%', 'aXbXc',
]; // prettier-ignore

const BLOBS: readonly string[] = [
  '', '00', '61', '6162', '414243', '3132', '2035', '352e30', 'ff', 'c3a9', 'e697a5', '00ff', '61ff62', 'f09d849e',
]; // prettier-ignore

export function randomValue(random: SeededRandom): SqliteValue {
  const kind = random.next();
  if (kind < 0.1) return null;
  if (kind < 0.35) return randomInteger(random);
  if (kind < 0.6) return randomReal(random);
  return kind < 0.9 ? randomText(random) : randomBlob(random);
}

export function randomInteger(random: SeededRandom): bigint {
  return random.chance(0.8) ? random.pick(INTEGERS) : BigInt(random.int(2001) - 1000);
}

export function randomReal(random: SeededRandom): number {
  if (random.chance(0.6)) return random.pick(REALS);
  const scale = 10 ** (random.int(40) - 20);
  return Number((random.next() * scale).toPrecision(1 + random.int(17)));
}

export function randomText(random: SeededRandom): string {
  return random.chance(0.9) ? random.pick(TEXTS) : random.pick(TEXTS) + random.pick(TEXTS);
}

export function randomBlob(random: SeededRandom): Uint8Array {
  return new Uint8Array(Buffer.from(random.pick(BLOBS), 'hex'));
}

/** A value as an SQL literal; undefined when there is none (a NUL in a text, an infinity). */
export function sqlLiteral(value: SqliteValue): string | undefined {
  if (value === null) return 'NULL';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'object') return `x'${Buffer.from(value).toString('hex')}'`;
  if (typeof value === 'string') {
    return value.includes('\0') ? undefined : `'${value.replaceAll("'", "''")}'`;
  }
  if (!Number.isFinite(value)) return undefined;
  const text = Object.is(value, -0) ? '-0.0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
