import type { SqliteValue } from '@sluice/model';
import type { Operator } from '../../dialect.ts';
import { variadic } from '../../shapes.ts';
import { toText } from '../conversions.ts';
import { formatDifference } from './date-difference.ts';
import { formatByPattern, formatDate, formatTime, julianDay, unixSeconds } from './date-format.ts';
import { applyModifier } from './date-modifiers.ts';
import { parseTimeValue, timeOfNumber } from './date-text.ts';
import type { DateTime } from './date-time.ts';

/**
 * SQLite's date functions. What depends on the time of evaluation or on the machine's time zone
 * gives NULL (spec/sync-config.md 5); `timeDependence` finds it when it is written in the query.
 */
export function createSqliteDateFunctions(): Map<string, Operator> {
  return new Map<string, Operator>([
    ['date', dateFunction(formatDate)],
    ['time', dateFunction(formatTime)],
    ['datetime', dateFunction((time) => `${formatDate(time)} ${formatTime(time)}`)],
    ['julianday', dateFunction(julianDay)],
    ['unixepoch', dateFunction(unixSeconds)],
    ['strftime', variadic(2, Infinity, strftime)],
    ['timediff', variadic(2, 2, timediff)],
  ]);
}

function dateFunction(format: (time: DateTime) => SqliteValue): Operator {
  return variadic(1, Infinity, (args) => {
    const time = readTime(args);
    return time === undefined ? null : format(time);
  });
}

function strftime([pattern = null, ...args]: readonly SqliteValue[]): SqliteValue {
  if (pattern === null) return null;
  const time = readTime(args);
  return time === undefined ? null : (formatByPattern(upToNul(toText(pattern)), time) ?? null);
}

function timediff([a = null, b = null]: readonly SqliteValue[]): SqliteValue {
  const first = readTime([a]);
  const second = readTime([b]);
  return first === undefined || second === undefined ? null : formatDifference(first, second);
}

/** The time that a time value and its modifiers say, with its Julian day. */
function readTime([value = null, ...modifiers]: readonly SqliteValue[]): DateTime | undefined {
  const time = readTimeValue(value);
  if (time === undefined) return undefined;
  for (const [i, modifier] of modifiers.entries()) {
    if (modifier === null) return undefined;
    if (!applyModifier(time, upToNul(toText(modifier)), i === 0)) return undefined;
  }
  time.needJulian();
  if (time.isError || !time.isInRange) return undefined;
  // 2023-02-31 alone is March 3.
  if (modifiers.length === 0 && time.day > 28) time.hasDate = false;
  return time;
}

function readTimeValue(value: SqliteValue): DateTime | undefined {
  if (value === null) return undefined;
  if (typeof value === 'bigint' || typeof value === 'number') return timeOfNumber(Number(value));
  return parseTimeValue(upToNul(toText(value)));
}

function upToNul(text: string): string {
  const end = text.indexOf('\0');
  return end === -1 ? text : text.slice(0, end);
}
