import type { SqliteValue } from '@sluice/model';
import type { SeededRandom } from '@sluice/testing';

/** Time values in all forms, near the limits, and some that are none. Never `now`. */
export function randomTimeValue(random: SeededRandom): SqliteValue {
  const kind = random.int(20);
  if (kind === 0) return random.pick(ODD_TIME_VALUES);
  if (kind < 3) return random.pick(NUMBERS);
  if (kind < 5) return BigInt(Math.floor((random.next() - 0.3) * 10 ** (4 + random.int(10))));
  if (kind < 7) return (random.next() - 0.1) * 10 ** (4 + random.int(10));
  if (kind === 7) return String(random.next() * 6e6);
  if (kind === 8) return clock(random);
  const separator = random.pick([' ', ' ', 'T', '  ', '', '\t', 'TT', 'x']);
  const text = random.chance(0.3) ? date(random) : date(random) + separator + clock(random);
  return random.chance(0.05) ? damage(text, random) : text;
}

const NUMBERS: readonly SqliteValue[] = [
  0n, 1n, -1n, 0, -0.5, 0.5, 2440587.5, 2451545n, 5373484.499999, 5373484.5, 5373484.49999999, 5373485n,
  1700000000n, 1700000000.5, -210866760000n, -210866760001n, 253402300799n, 253402300800n, 253402300799.9999,
  1e-9, 0.0000000115, 1e300, -1e300, Infinity, -62167219200n, 9223372036854775807n, 2460000.123456789,
]; // prettier-ignore

const ODD_TIME_VALUES: readonly SqliteValue[] = [
  null, '', ' ', 'x', '2020', '2020-01', '2020-1-1', '20200101', '12', '12:', '1:00', '12:60', '24:01', '25:00', '12:00:60', '12:00:00.',
  '-0001-01-01', '-4713-11-24 12:00', '-4713-11-23', '-4714-01-01', '9999-12-31 23:59:59.999', '9999-12-31 24:00', '9999-12-32',
  '2020-02-30', '2020-13-01', '2020-00-10', '2020-01-00', '+2020-01-01', '12020-01-01', ' 2020-01-01', '2020-01-01 ', '2020-01-01T',
  ' 2451545.5 ', '1e3', '0x10', '.5', '2451545.', '1e400', '12:00+14:00', '12:00-14:59', '12:00+15:00', '12:00 Z', '12:00z ', '12:00Zx',
  '2020-01-01 00:00+05', '2020-01-01 00:00+0530', '0000-01-01 00:00+14:00', '2020-01-01\u00a000:00', '2020-01-01 12:00\0x',
  new Uint8Array([0x31, 0x32, 0x3a, 0x30, 0x30]), 'tomorrow', '2020-01-01 12:30:15,5', '23:59:59.9999999', '12:00:00.12345678901234567890',
]; // prettier-ignore

const YEARS = [2020, 2023, 2024, 1970, 1969, 2000, 1900, 0, 1, 9999, 4, 1582, 2038];

function date(random: SeededRandom): string {
  const year = random.chance(0.7) ? random.pick(YEARS) : random.int(10_000);
  const day = random.chance(0.4) ? random.pick([1, 28, 29, 30, 31]) : 1 + random.int(31);
  const sign = random.chance(0.05) ? '-' : '';
  return `${sign}${pad(year, 4)}-${pad(1 + random.int(12), 2)}-${pad(day, 2)}`;
}

function clock(random: SeededRandom): string {
  const hour = random.pick([0, 0, 11, 12, 13, 23, 24, random.int(24)]);
  let text = `${pad(hour, 2)}:${pad(random.pick([0, 30, 59, random.int(60)]), 2)}`;
  if (random.chance(0.7)) {
    text += `:${pad(random.pick([0, 59, random.int(60)]), 2)}`;
    if (random.chance(0.6)) text += `.${fraction(random)}`;
  }
  if (random.chance(0.2)) {
    text += random.pick([
      'Z',
      ' Z',
      'z',
      '+00:00',
      '-00:00',
      '+05:30',
      ' -08:00',
      '+14:59',
      '+1:00',
    ]);
  }
  return text;
}

function fraction(random: SeededRandom): string {
  const usual = random.pick(['5', '001', '999', '9995', '4999', '0005', '0015', '1235', '25']);
  if (random.chance(0.4)) return usual;
  return Array.from({ length: 1 + random.int(10) }, () => String(random.int(10))).join('');
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/** Up to four; never `localtime` and `utc`. */
export function randomModifiers(random: SeededRandom): SqliteValue[] {
  const count = random.pick([0, 0, 1, 1, 2, 3, 4]);
  return Array.from({ length: count }, () => randomModifier(random));
}

const WORDS = [
  'unixepoch', 'unixepoch', 'auto', 'julianday', 'subsec', 'subsecond', 'ceiling', 'floor', 'start of day', 'start of month',
  'start of year', 'weekday 0', 'weekday 1', 'weekday 3', 'weekday 6', 'Start Of Month', 'AUTO', 'Floor', 'UnixEpoch',
]; // prettier-ignore
const ODD_MODIFIERS: readonly SqliteValue[] = [
  null, '', 'x', 'start of week', 'start of', 'start of  day', 'weekday 7', 'weekday -1', 'weekday 1.5', 'weekday 2.0', 'weekday', 'weekday  5 ',
  '+1', '1', 1n, 1.5, '+1 da', '+1 dayz', '+1 dayss', '1day', '+ 1 day', '++1 day', '+1e1 days', '.5 days', '-.5 days', '+1.5.5 days', '+1 day ',
  '+12', '+1:00', '+12:60', '+12:00:00.5', '12:00', '-12:30', '+12:00Z', '-12:00+01:00', '+24:00', '+25:00',
  '+0001-01-01', '-0001-01-01', '+0001-12-01', '+0001-11-30', '+0001-11-31', '+00001-01-01', '+14712-00-00', '-14712-00-00', '+14713-00-00',
  '0001-01-01', '+0000-01-00 01:00', '-0000-00-01 00:00:00.5', '+0000-00-00T01:00', '+0000-00-00  01:00', '+0000-00-00 1:00', '+0000-1-00',
  '+400000000000000 seconds', '-400000000000000 seconds', '+464270000000001 seconds', '+7737900000000 minutes', '+128970000000 hours',
  '+5373484 days', '+5373485 days', '+176545 months', '-176546 months', '+14712 years', '+14713 years', '-4713 years', '+1.5 months', '-1.5 years',
  'now', 'day', '\u212a', '+1\tday', '+1\u00a0day', '+0.0005 seconds', '+0.0004999 seconds', '+1 day\0s',
]; // prettier-ignore
const UNITS = [
  'day', 'days', 'hour', 'hours', 'minute', 'minutes', 'second', 'seconds', 'month', 'months', 'year', 'years', 'Days', 'SECOND',
]; // prettier-ignore

function randomModifier(random: SeededRandom): SqliteValue {
  const kind = random.next();
  if (kind < 0.35) return random.pick(WORDS);
  if (kind < 0.5) return random.pick(ODD_MODIFIERS);
  const sign = random.pick(['+', '-', '', '+', '-']);
  if (kind < 0.6) return sign + clock(random);
  if (kind < 0.7) {
    const shift = `${sign}${pad(random.int(30), 4)}-${pad(random.int(12), 2)}-${pad(random.int(31), 2)}`;
    return random.chance(0.5) ? shift : `${shift} ${clock(random)}`;
  }
  const number = random.chance(0.6)
    ? random.int(random.pick([3, 40, 100_000]))
    : random.next() * 100;
  return `${sign}${number}${random.pick([' ', ' ', '  '])}${random.pick(UNITS)}`;
}

const LETTERS = [...'deffFGgHkIljJmMpPRsSTuUVwWY%'];

export function randomPattern(random: SeededRandom): SqliteValue {
  if (random.chance(0.02))
    return random.pick([null, '', '%', '%x', 'x%Yé%', '%Y\0%q', '%E', 5n, '%%%']);
  let pattern = '';
  for (let i = 1 + random.int(4); i > 0; i--) {
    pattern += random.pick(['', '', '-', ' é', 'x']) + `%${random.pick(LETTERS)}`;
  }
  return pattern;
}

function damage(text: string, random: SeededRandom): string {
  const at = random.int(text.length + 1);
  return text.slice(0, at) + random.pick([...'0:-. TZ+x']) + text.slice(at + random.int(2));
}
