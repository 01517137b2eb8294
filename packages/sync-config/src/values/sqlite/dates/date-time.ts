/**
 * A point in time while it is being computed, as SQLite keeps it: as a Julian day, as calendar
 * fields, or both. Which of them are known decides results, e.g. `2023-02-31` stays as it is
 * written until something needs its Julian day.
 */
export class DateTime {
  /** Milliseconds since noon of 24 November 4714 BC; modifiers may bring it far outside of years. */
  julianMs = 0n;
  hasJulian = false;
  year = 0;
  month = 0;
  day = 0;
  hasDate = false;
  hour = 0;
  minute = 0;
  /** With fraction; or the number that was given, while `isRaw`. */
  second = 0;
  hasTime = false;
  /** A number whose meaning later modifiers may decide: Julian day or seconds since 1970. */
  isRaw = false;
  zoneMinutes = 0;
  /** How many days the date lies behind the end of its month: 3 for `2023-02-31`. */
  daysOverMonth = 0;
  /** Outside of the years -4713 to 9999; stays so. */
  isError = false;
  showsFraction = false;

  copy(): DateTime {
    return Object.assign(new DateTime(), this);
  }

  setJulian(julianMs: bigint): void {
    this.julianMs = julianMs;
    this.hasJulian = true;
  }

  /** Forgets the calendar, after the Julian day has changed. */
  dropFields(): void {
    this.hasDate = false;
    this.hasTime = false;
    this.zoneMinutes = 0;
  }

  fail(): void {
    Object.assign(this, new DateTime());
    this.isError = true;
  }

  /** Without a date it is 2000-01-01. */
  needJulian(): void {
    if (this.hasJulian) return;
    const { year, month, day } = this.hasDate ? this : { year: 2000, month: 1, day: 1 };
    if (year < -4713 || year > 9999 || this.isRaw) {
      this.fail();
      return;
    }
    this.setJulian(BigInt(julianDayMs(year, month, day)));
    if (this.hasTime) this.#addTime();
  }

  #addTime(): void {
    const minutes = this.hour * 60 + this.minute;
    this.julianMs += BigInt(minutes * 60_000) + toInt64(this.second * 1000 + 0.5);
    if (this.zoneMinutes !== 0) {
      this.julianMs -= BigInt(this.zoneMinutes * 60_000);
      this.dropFields();
    }
  }

  needDate(): void {
    if (this.hasDate) return;
    if (!this.hasJulian) {
      this.#setDate(2000, 1, 1);
    } else if (isInRange(this.julianMs)) {
      this.#setDate(...dateOfJulianDay(Number((this.julianMs + HALF_DAY_MS) / DAY_MS)));
    } else {
      this.fail();
    }
  }

  #setDate(year: number, month: number, day: number): void {
    this.hasDate = true;
    this.year = year;
    this.month = month;
    this.day = day;
  }

  needTime(): void {
    if (this.hasTime) return;
    this.needJulian();
    const dayMs = Number((this.julianMs + HALF_DAY_MS) % DAY_MS);
    this.second = (dayMs % 60_000) / 1000;
    const minutes = Math.trunc(dayMs / 60_000);
    this.minute = minutes % 60;
    this.hour = Math.trunc(minutes / 60);
    this.isRaw = false;
    this.hasTime = true;
  }

  needFields(): void {
    this.needDate();
    this.needTime();
  }

  /** To be called when the date has been written anew. */
  noteDaysOverMonth(): void {
    const over = this.day - daysInMonth(this.year, this.month);
    this.daysOverMonth = Math.max(0, over);
  }

  /** Adds months to the date, which may then lie behind the end of its month. */
  addMonths(count: number): void {
    const months = this.month + count;
    const years = Math.trunc((months - (months > 0 ? 1 : 12)) / 12);
    this.year += years;
    this.month = months - years * 12;
    this.noteDaysOverMonth();
  }

  get isInRange(): boolean {
    return isInRange(this.julianMs);
  }
}

export const DAY_MS = 86_400_000n;
export const HALF_DAY_MS = 43_200_000n;
/** 9999-12-31 23:59:59.999. */
const MAX_JULIAN_MS = 464_269_060_799_999n;

function isInRange(julianMs: bigint): boolean {
  return julianMs >= 0n && julianMs <= MAX_JULIAN_MS;
}

/** A REAL without its fraction; what does not fit 64 bits becomes the smallest, as in hardware. */
export function toInt64(value: number): bigint {
  return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : -(2n ** 63n);
}

// The calendar is the Gregorian one also before 1582. Both conversions are those of Jean Meeus,
// Astronomical Algorithms, chapter 7, in SQLite's integer form.

function julianDayMs(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const m = month <= 2 ? month + 12 : month;
  const centuries = Math.trunc((y + 4800) / 100);
  const leapDays = 38 - centuries + Math.trunc(centuries / 4);
  const yearDays = Math.trunc((36_525 * (y + 4716)) / 100);
  const monthDays = Math.trunc((306_001 * (m + 1)) / 10_000);
  return (yearDays + monthDays + day + leapDays - 1524.5) * 86_400_000;
}

function dateOfJulianDay(julianDay: number): [year: number, month: number, day: number] {
  const centuries = Math.trunc((julianDay + 32_044.75) / 36_524.25) - 52;
  const a = julianDay + 1 + centuries - Math.trunc((centuries + 100) / 4) + 25;
  const b = a + 1524;
  const c = Math.trunc((b - 122.1) / 365.25);
  const d = Math.trunc((36_525 * (c & 32_767)) / 100);
  const e = Math.trunc((b - d) / 30.6001);
  const month = e < 14 ? e - 1 : e - 13;
  const year = month > 2 ? c - 4716 : c - 4715;
  return [year, month, b - d - Math.trunc(30.6001 * e)];
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 !== 0 || (year % 100 === 0 && year % 400 !== 0) ? 28 : 29;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
