import { malformedValue } from './malformed-value.ts';
import type { TypeOptions } from './type-options.ts';

/** PostgreSQL keeps microseconds. */
const SOURCE_DIGITS = 6;
const ZEROS = '000000';

/** The parts of a moment, in UTC; `time` is `HH:MM:SS`, `fraction` the sub-second digits. */
interface Moment {
  /** 1 is 1 AD, 0 is 1 BC. */
  readonly year: number;
  /** Year to day, `2031-07-08`; the year has at least four digits. */
  readonly date: string;
  readonly time: string;
  readonly fraction: string;
}

/** How the text forms of dates and times are rewritten. */
export interface DateTimeFormat {
  readonly date: (text: string) => string;
  readonly time: (text: string) => string;
  /** Null where the target form has no room for the moment. */
  readonly timestamp: (text: string) => string | null;
  readonly timestamptz: (text: string) => string | null;
  /** What stands for an infinity; `zone` is `Z` or empty. */
  readonly infinity: (negative: boolean, zone: string) => string;
}

interface MomentFormat extends Omit<DateTimeFormat, 'timestamp' | 'timestamptz'> {
  /** Puts a moment together from its parts. */
  readonly moment: (parts: Moment, zone: string) => string;
}

/** The formats of dates and times for a session with DateStyle ISO (spec/sync-config.md 15.1). */
export function dateTimeFormat(options: TypeOptions): DateTimeFormat {
  return options.isoTimestamps
    ? isoFormat(Math.max(0, Math.min(SOURCE_DIGITS, options.timestampDigits)))
    : legacyFormat();
}

function isoFormat(digits: number): DateTimeFormat {
  const fractionOf = (fraction: string) =>
    digits === 0 ? '' : `.${(fraction + ZEROS).slice(0, digits)}`;
  return withTimestamps({
    date: formatDate,
    time: (text) => text.slice(0, 8) + fractionOf(text.slice(9)),
    moment: ({ date, time, fraction }, zone) => `${date}T${time}${fractionOf(fraction)}${zone}`,
    infinity: (negative, zone) =>
      `${negative ? '0000-01-01T00:00:00' : '9999-12-31T23:59:59'}${fractionOf('')}${zone}`,
  });
}

function legacyFormat(): DateTimeFormat {
  return withTimestamps({
    date: formatDate,
    time: (text) => text,
    moment: ({ date, time, fraction }, zone) =>
      `${date} ${time}${fraction === '' ? '' : `.${fraction}`}${zone}`,
    infinity: (negative, zone) =>
      `${negative ? '0000-01-01 00:00:00' : '9999-12-31 23:59:59'}${zone}`,
  });
}

function withTimestamps(format: MomentFormat): DateTimeFormat {
  const convert = (text: string, zone: string): string | null => {
    if (text === 'infinity') return format.infinity(false, zone);
    if (text === '-infinity') return format.infinity(true, zone);
    const moment = parseMoment(text, zone === 'Z');
    if (moment.year < 1 || (zone === 'Z' && moment.year > 9999)) return null;
    return format.moment(moment, zone);
  };
  return {
    date: format.date,
    time: format.time,
    infinity: format.infinity,
    timestamp: (text) => convert(text, ''),
    timestamptz: (text) => convert(text, 'Z'),
  };
}

function formatDate(text: string): string {
  if (text === 'infinity') return '9999-12-31';
  if (text === '-infinity') return '0000-01-01';
  return text;
}

const MOMENT =
  /^(\d{4,})(-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/;

function parseMoment(text: string, withZone: boolean): Moment {
  const match = MOMENT.exec(text);
  if (!match || (match[5] !== undefined) !== withZone) {
    throw malformedValue(withZone ? 'timestamptz' : 'timestamp');
  }
  const [, years = '', monthAndDay = '', time = '', fraction = '', sign] = match;
  const year = match[9] === undefined ? Number(years) : 1 - Number(years);
  const moment = { year, date: years + monthAndDay, time, fraction };
  const offset = Number(match[6] ?? 0) * 3600 + Number(match[7] ?? 0) * 60 + Number(match[8] ?? 0);
  return offset === 0 ? moment : toUtc(moment, sign === '-' ? -offset : offset);
}

/** Only for sessions that ignore the setting `TimeZone = UTC`. */
function toUtc(moment: Moment, offsetSeconds: number): Moment {
  const utc = new Date(0);
  const [, month, day] = moment.date.split('-').map(Number);
  const [hours, minutes, seconds] = moment.time.split(':').map(Number);
  utc.setUTCFullYear(moment.year, (month ?? 1) - 1, day);
  utc.setUTCHours(hours ?? 0, minutes, (seconds ?? 0) - offsetSeconds);
  const year = utc.getUTCFullYear();
  const two = (part: number) => String(part).padStart(2, '0');
  return {
    year,
    date: `${String(year).padStart(4, '0')}-${two(utc.getUTCMonth() + 1)}-${two(utc.getUTCDate())}`,
    time: `${two(utc.getUTCHours())}:${two(utc.getUTCMinutes())}:${two(utc.getUTCSeconds())}`,
    fraction: moment.fraction,
  };
}
