import { realDigits } from '../real-digits.ts';
import { DAY_MS, HALF_DAY_MS, type DateTime } from './date-time.ts';

/** 1970-01-01 00:00. */
const UNIX_EPOCH_JULIAN_MS = 210_866_760_000_000n;

/** `YYYY-MM-DD`, with a minus for years before 0. */
export function formatDate(time: DateTime): string {
  time.needDate();
  const sign = time.year < 0 ? '-' : '';
  const year = padNumber(Math.abs(time.year), 4);
  return `${sign}${year}-${padNumber(time.month, 2)}-${padNumber(time.day, 2)}`;
}

/** `HH:MM:SS`, or `HH:MM:SS.SSS` where fractions are asked for. */
export function formatTime(time: DateTime): string {
  time.needTime();
  const clock = `${padNumber(time.hour, 2)}:${padNumber(time.minute, 2)}:`;
  if (!time.showsFraction) return clock + padNumber(Math.trunc(time.second), 2);
  const ms = padNumber(Math.trunc(1000 * time.second + 0.5), 5);
  return `${clock}${ms.slice(0, 2)}.${ms.slice(2)}`;
}

export function julianDay(time: DateTime): number {
  return Number(time.julianMs) / 86_400_000;
}

export function unixSeconds(time: DateTime): bigint | number {
  if (time.showsFraction) return Number(time.julianMs - UNIX_EPOCH_JULIAN_MS) / 1000;
  return time.julianMs / 1000n - UNIX_EPOCH_JULIAN_MS / 1000n;
}

/** A number with leading zeros; a minus sign counts as one of `width` characters. */
export function padNumber(value: number, width: number, fill = '0'): string {
  const isNegative = value < 0;
  const digits = String(Math.abs(value)).padStart(isNegative ? width - 1 : width, fill);
  return isNegative ? `-${digits}` : digits;
}

/** A number with three decimals, as SQLite rounds them. */
function formatThousandths(value: number): string {
  if (value === 0) return '0.000';
  const { digits, point } = realDigits(Math.abs(value), { fraction: 3 });
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const decimals = '0'.repeat(Math.max(0, -point)) + digits.slice(Math.max(0, point));
  return `${value < 0 ? '-' : ''}${whole}.${decimals.padEnd(3, '0').slice(0, 3)}`;
}

/** Seconds with three decimals: `04.500`. */
export function formatSeconds(second: number): string {
  return formatThousandths(second).padStart(6, '0');
}

/**
 * Writes a time by a format with `%` and a letter for each part; undefined when the format has a
 * letter that SQLite does not know. The time must have its Julian day.
 */
export function formatByPattern(pattern: string, time: DateTime): string | undefined {
  time.needFields();
  let isKnown = true;
  const text = pattern.replace(/%([^]?)/g, (_, letter: string) => {
    const write = Object.hasOwn(PARTS, letter) ? PARTS[letter] : undefined;
    if (write === undefined) isKnown = false;
    return write?.(time) ?? '';
  });
  return isKnown ? text : undefined;
}

const PARTS: Readonly<Record<string, (time: DateTime) => string>> = {
  d: (time) => padNumber(time.day, 2),
  e: (time) => padNumber(time.day, 2, ' '),
  f: (time) => formatSeconds(time.second),
  F: (time) => `${year4(time)}-${padNumber(time.month, 2)}-${padNumber(time.day, 2)}`,
  G: (time) => year4(thursdayOf(time)),
  g: (time) => padNumber(thursdayOf(time).year % 100, 2),
  H: (time) => padNumber(time.hour, 2),
  k: (time) => padNumber(time.hour, 2, ' '),
  I: (time) => padNumber(hour12(time), 2),
  l: (time) => padNumber(hour12(time), 2, ' '),
  j: (time) => padNumber(dayOfYear(time) + 1, 3),
  J: (time) => formatJulianDay(julianDay(time)),
  m: (time) => padNumber(time.month, 2),
  M: (time) => padNumber(time.minute, 2),
  p: (time) => (time.hour >= 12 ? 'PM' : 'AM'),
  P: (time) => (time.hour >= 12 ? 'pm' : 'am'),
  R: (time) => `${padNumber(time.hour, 2)}:${padNumber(time.minute, 2)}`,
  s: formatUnixSeconds,
  S: (time) => padNumber(Math.trunc(time.second), 2),
  T: (time) =>
    `${padNumber(time.hour, 2)}:${padNumber(time.minute, 2)}:${padNumber(Math.trunc(time.second), 2)}`,
  u: (time) => String(daysAfterSunday(time) || 7),
  w: (time) => String(daysAfterSunday(time)),
  U: (time) => weekNumber(dayOfYear(time) - daysAfterSunday(time) + 7),
  V: (time) => weekNumber(dayOfYear(thursdayOf(time)) + 7),
  W: (time) => weekNumber(dayOfYear(time) - daysAfterMonday(time) + 7),
  Y: year4,
  '%': () => '%',
};

function year4(time: DateTime): string {
  return padNumber(time.year, 4);
}

function hour12({ hour }: DateTime): number {
  const rest = hour > 12 ? hour - 12 : hour;
  return rest === 0 ? 12 : rest;
}

function formatUnixSeconds(time: DateTime): string {
  const seconds = unixSeconds(time);
  return typeof seconds === 'bigint' ? String(seconds) : formatThousandths(seconds);
}

/** 0 for January 1. */
function dayOfYear(time: DateTime): number {
  const january1 = time.copy();
  january1.hasJulian = false;
  january1.month = 1;
  january1.day = 1;
  january1.needJulian();
  return Number((time.julianMs - january1.julianMs + HALF_DAY_MS) / DAY_MS);
}

function daysAfterMonday(time: DateTime): number {
  return Number((time.julianMs + HALF_DAY_MS) / DAY_MS) % 7;
}

function daysAfterSunday(time: DateTime): number {
  return Number((time.julianMs + HALF_DAY_MS + DAY_MS) / DAY_MS) % 7;
}

/** The Thursday of the same week: its year is the year that the week belongs to. */
function thursdayOf(time: DateTime): DateTime {
  const thursday = time.copy();
  thursday.julianMs += BigInt(3 - daysAfterMonday(time)) * DAY_MS;
  thursday.hasDate = false;
  thursday.needDate();
  return thursday;
}

function weekNumber(days: number): string {
  return padNumber(Math.trunc(days / 7), 2);
}

/** 16 digits without zeros at the end. */
function formatJulianDay(value: number): string {
  if (value === 0) return '0';
  const { digits, point } = realDigits(value, { significant: 16 });
  if (point < -3) {
    const decimals = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${digits.charAt(0)}${decimals}e-${padNumber(1 - point, 2)}`;
  }
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const decimals = '0'.repeat(Math.max(0, -point)) + digits.slice(Math.max(0, point));
  return decimals === '' ? whole : `${whole}.${decimals}`;
}
