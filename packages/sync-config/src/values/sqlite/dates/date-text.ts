import { readReal } from '../number-text.ts';
import { DateTime, toInt64 } from './date-time.ts';

/** White space as SQLite's date functions know it. */
export const BLANK = '[\\t-\\r ]';

const DATE = /^(-?)([0-9]{4})-([0-9]{2})-([0-9]{2})/;
const AFTER_DATE = new RegExp(`^(?:${BLANK}|T)*`);
const TIME = new RegExp(
  `^([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\\.([0-9]+))?)?${BLANK}*` +
    `(?:[zZ]${BLANK}*|([+-])([0-9]{2}):([0-9]{2})${BLANK}*)?$`,
);

/**
 * Reads a time value: a date, a time, both, or a number.
 *
 * Undefined for what is none of these, and for `now` and what else stands for it: a row must give
 * the same result whenever it is read.
 */
export function parseTimeValue(text: string): DateTime | undefined {
  const time = new DateTime();
  if (parseDate(text, time) || parseTime(text, time)) return time;
  const { isWhole, value } = readReal(text);
  if (!isWhole) return undefined;
  return timeOfNumber(value);
}

/** A number is a Julian day where it can be one; modifiers may give it another meaning. */
export function timeOfNumber(value: number): DateTime {
  const time = new DateTime();
  time.second = value;
  time.isRaw = true;
  if (value >= 0 && value < 5_373_484.5) time.setJulian(toInt64(value * 86_400_000 + 0.5));
  return time;
}

function parseDate(text: string, time: DateTime): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [all, sign, year, month, day] = match;
  if (!isBetween(month, 1, 12) || !isBetween(day, 1, 31)) return false;
  const rest = text.slice(all.length).replace(AFTER_DATE, '');
  if (rest !== '' && !parseTime(rest, time)) return false;
  time.year = sign === '-' ? -Number(year) : Number(year);
  time.month = Number(month);
  time.day = Number(day);
  time.hasDate = true;
  time.noteDaysOverMonth();
  if (time.zoneMinutes !== 0) time.needJulian();
  return true;
}

/** Reads `HH:MM`, `HH:MM:SS` or `HH:MM:SS.FFF`, perhaps with a time zone, into `time`. */
export function parseTime(text: string, time: DateTime): boolean {
  const match = TIME.exec(text);
  if (match === null) return false;
  const [, hour, minute, second = '00', fraction = '', sign, zoneHour, zoneMinute] = match;
  if (!isBetween(hour, 0, 24) || !isBetween(minute, 0, 59) || !isBetween(second, 0, 59)) {
    return false;
  }
  if (sign !== undefined && !(isBetween(zoneHour, 0, 14) && isBetween(zoneMinute, 0, 59))) {
    return false;
  }
  time.hour = Number(hour);
  time.minute = Number(minute);
  time.second = Number(second) + fractionOf(fraction);
  time.hasTime = true;
  const zone = sign === undefined ? 0 : Number(zoneHour) * 60 + Number(zoneMinute);
  time.zoneMinutes = sign === '-' ? -zone : zone;
  return true;
}

function isBetween(digits: string | undefined, min: number, max: number): boolean {
  const value = Number(digits);
  return value >= min && value <= max;
}

/** Summed up digit by digit, with the rounding that this brings, and kept below the next second. */
function fractionOf(digits: string): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < digits.length; i++) {
    value = value * 10 + digits.charCodeAt(i) - ZERO;
    scale *= 10;
  }
  const fraction = value / scale;
  return fraction > 0.999 ? 0.999 : fraction;
}

const ZERO = 0x30;
