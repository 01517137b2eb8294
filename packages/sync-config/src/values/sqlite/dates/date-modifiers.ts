import { readReal } from '../number-text.ts';
import { BLANK, parseTime } from './date-text.ts';
import { DateTime, DAY_MS, HALF_DAY_MS, toInt64 } from './date-time.ts';

/**
 * Applies a modifier such as `+1 month` or `start of day`.
 *
 * False when it is none, or not possible here. `utc` and `localtime` are none: the result would
 * depend on the machine's time zone.
 *
 * @param isFirst `auto`, `julianday` and `unixepoch` must come first.
 */
export function applyModifier(time: DateTime, text: string, isFirst: boolean): boolean {
  if (/^[+\-0-9]/.test(text)) return applyShift(time, text);
  const name = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (name.startsWith('weekday ')) return moveToWeekday(time, name.slice(8));
  if (name.startsWith('start of ')) return moveToStart(time, name.slice(9));
  switch (name) {
    case 'auto':
      return isFirst && chooseMeaning(time);
    case 'julianday':
      return isFirst && takeAsJulianDay(time);
    case 'unixepoch':
      return isFirst && takeAsUnixSeconds(time);
    case 'ceiling':
      time.needJulian();
      time.dropFields();
      time.daysOverMonth = 0;
      return true;
    case 'floor':
      time.needJulian();
      time.julianMs -= BigInt(time.daysOverMonth) * DAY_MS;
      time.dropFields();
      return true;
    case 'subsec':
    case 'subsecond':
      time.showsFraction = true;
      return true;
    default:
      return false;
  }
}

/** 1970-01-01 00:00. */
const UNIX_EPOCH_JULIAN_MS = 210_866_760_000_000;

function chooseMeaning(time: DateTime): boolean {
  if (!time.isRaw || time.hasJulian) {
    time.isRaw = false;
  } else if (time.second >= -210_866_760_000 && time.second <= 253_402_300_799) {
    setUnixMs(time, time.second * 1000 + UNIX_EPOCH_JULIAN_MS);
  }
  return true;
}

function takeAsJulianDay(time: DateTime): boolean {
  if (!time.hasJulian || !time.isRaw) return false;
  time.isRaw = false;
  return true;
}

function takeAsUnixSeconds(time: DateTime): boolean {
  if (!time.isRaw) return false;
  const julianMs = time.second * 1000 + UNIX_EPOCH_JULIAN_MS;
  if (!(julianMs >= 0 && julianMs < 464_269_060_800_000)) return false;
  setUnixMs(time, julianMs);
  return true;
}

function setUnixMs(time: DateTime, julianMs: number): void {
  time.dropFields();
  time.setJulian(toInt64(julianMs + 0.5));
  time.isRaw = false;
}

/** To the next day that is that weekday, 0 being Sunday; the day itself where it is one. */
function moveToWeekday(time: DateTime, text: string): boolean {
  const { isWhole, value } = readReal(text);
  if (!isWhole || !(value >= 0 && value < 7) || !Number.isInteger(value)) return false;
  time.needFields();
  time.zoneMinutes = 0;
  time.hasJulian = false;
  time.needJulian();
  const today = Number(((time.julianMs + HALF_DAY_MS + DAY_MS) / DAY_MS) % 7n);
  const days = value - (today > value ? today - 7 : today);
  time.julianMs += BigInt(days) * DAY_MS;
  time.dropFields();
  return true;
}

function moveToStart(time: DateTime, unit: string): boolean {
  if (!time.hasJulian && !time.hasDate && !time.hasTime) return false;
  if (unit !== 'day' && unit !== 'month' && unit !== 'year') return false;
  time.needDate();
  time.hasTime = true;
  time.hour = 0;
  time.minute = 0;
  time.second = 0;
  time.isRaw = false;
  time.zoneMinutes = 0;
  time.hasJulian = false;
  if (unit !== 'day') time.day = 1;
  if (unit === 'year') time.month = 1;
  return true;
}

const SHIFT_DATE = /^[+-]([0-9]{4,5})-([0-9]{2})-([0-9]{2})([^]*)$/;
const AFTER_SHIFT_DATE = new RegExp(`^${BLANK}([0-9]{2}:[0-9]{2}[^]*)$`);
/** Up to the first colon or blank. */
const SHIFT_NUMBER = new RegExp(`^(?:(?!${BLANK}|:)[^])+`);
const LEADING_BLANKS = new RegExp(`^${BLANK}*`);

/** `+1 day`, `-00:30`, `+0001-02-03 04:05`. */
function applyShift(time: DateTime, text: string): boolean {
  const isNegative = text.startsWith('-');
  const date = SHIFT_DATE.exec(text);
  if (date !== null) return shiftByDate(time, date, isNegative);
  const number = SHIFT_NUMBER.exec(text)?.[0] ?? '';
  const { isWhole, value } = readReal(number);
  if (!isWhole) return false;
  const rest = text.slice(number.length);
  if (rest.startsWith(':')) return shiftByTime(time, text.replace(/^[+-]/, ''), isNegative);
  return shiftByUnit(time, value, rest.replace(LEADING_BLANKS, ''));
}

function shiftByDate(time: DateTime, match: RegExpExecArray, isNegative: boolean): boolean {
  const [, years, months, days, rest = ''] = match;
  if (Number(years) > 14_712 || Number(months) > 11 || Number(days) > 30) return false;
  const sign = isNegative ? -1 : 1;
  time.needFields();
  time.hasJulian = false;
  time.year += sign * Number(years);
  time.addMonths(sign * Number(months));
  time.needJulian();
  time.hasTime = false;
  time.hasDate = false;
  time.julianMs += BigInt(sign * Number(days)) * DAY_MS;
  if (rest === '') return true;
  const clock = AFTER_SHIFT_DATE.exec(rest)?.[1];
  return clock !== undefined && shiftByTime(time, clock, isNegative);
}

function shiftByTime(time: DateTime, text: string, isNegative: boolean): boolean {
  const shift = new DateTime();
  if (!parseTime(text, shift)) return false;
  shift.needJulian();
  const ms = (shift.julianMs - HALF_DAY_MS) % DAY_MS;
  time.needJulian();
  time.dropFields();
  time.julianMs += isNegative ? -ms : ms;
  return true;
}

interface Unit {
  readonly seconds: number;
  /** A single-precision number in SQLite. Counts must be below. */
  readonly limit: number;
}

const UNITS: ReadonlyMap<string, Unit> = new Map([
  ['second', { seconds: 1, limit: Math.fround(4.6427e14) }],
  ['minute', { seconds: 60, limit: Math.fround(7.7379e12) }],
  ['hour', { seconds: 3600, limit: Math.fround(1.2897e11) }],
  ['day', { seconds: 86_400, limit: 5_373_485 }],
  ['month', { seconds: 2_592_000, limit: 176_546 }],
  ['year', { seconds: 31_536_000, limit: 14_713 }],
]);

/** Fractions of months and years count as 30 and 365 days. */
function shiftByUnit(time: DateTime, count: number, name: string): boolean {
  if (name.length < 3 || name.length > 10) return false;
  const unit = UNITS.get(name.toLowerCase().replace(/s$/, ''));
  time.needJulian();
  time.daysOverMonth = 0;
  if (unit === undefined || Math.abs(count) >= unit.limit) return false;
  let rest = count;
  if (unit.seconds > 86_400) {
    const whole = Math.trunc(count);
    rest -= whole;
    time.needFields();
    if (unit.seconds === 2_592_000) {
      time.addMonths(whole);
    } else {
      time.year += whole;
      time.noteDaysOverMonth();
    }
    time.hasJulian = false;
  }
  time.needJulian();
  time.julianMs += toInt64(rest * 1000 * unit.seconds + (count < 0 ? -0.5 : 0.5));
  time.dropFields();
  return true;
}
