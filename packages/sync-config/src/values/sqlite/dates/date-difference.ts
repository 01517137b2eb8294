import { formatSeconds, padNumber } from './date-format.ts';
import { DateTime } from './date-time.ts';

/** What is left after years and months counts from this day, -0001-12-31 24:00 in our calendar. */
const YEAR_ZERO_JULIAN_MS = 148_699_540_800_000n;

/** `timediff(a, b)`: the modifier that makes `a` of `b`. Both must have their Julian day. */
export function formatDifference(a: DateTime, b: DateTime): string {
  a.needFields();
  b.needFields();
  const isForward = a.julianMs >= b.julianMs;
  const direction = isForward ? 1 : -1;
  let years = direction * (a.year - b.year);
  let months = direction * (a.month - b.month);
  if (years !== 0) moveTo(b, a.year, b.month);
  if (months < 0) {
    years--;
    months += 12;
  }
  if (months !== 0) moveTo(b, b.year, a.month);
  while (isForward ? a.julianMs < b.julianMs : a.julianMs > b.julianMs) {
    months--;
    if (months < 0) {
      months = 11;
      years--;
    }
    const month = b.month - direction;
    if (month < 1) moveTo(b, b.year - 1, 12);
    else if (month > 12) moveTo(b, b.year + 1, 1);
    else moveTo(b, b.year, month);
  }
  const rest = new DateTime();
  const ms = isForward ? a.julianMs - b.julianMs : b.julianMs - a.julianMs;
  rest.setJulian(ms + YEAR_ZERO_JULIAN_MS);
  rest.needFields();
  const date = [padNumber(years, 4), padNumber(months, 2), padNumber(rest.day - 1, 2)].join('-');
  const clock = `${padNumber(rest.hour, 2)}:${padNumber(rest.minute, 2)}`;
  return `${isForward ? '+' : '-'}${date} ${clock}:${formatSeconds(rest.second)}`;
}

function moveTo(time: DateTime, year: number, month: number): void {
  time.year = year;
  time.month = month;
  time.hasJulian = false;
  time.needJulian();
}
