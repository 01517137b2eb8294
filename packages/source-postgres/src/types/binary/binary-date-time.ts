import { dateTimeFormat } from '../date-time.ts';
import type { TypeOptions } from '../type-options.ts';
import { asciiSlice } from '../utf8.ts';

/** Reads a value of fixed size at an offset of a buffer that holds all of it. */
type ReadAt = (buffer: Buffer, at: number) => string | null;

const MICROS_PER_DAY = 86_400_000_000;
const MAX_INT32 = 0x7fff_ffff;
const MIN_INT32 = -0x8000_0000;
const T = 'T'.charCodeAt(0);
const BLANK = ' '.charCodeAt(0);
const ZULU = 'Z'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
/** Lengths of `2031-07-08`, of that with seconds, and with microseconds. */
const DATE_LENGTH = 10;
const SECONDS_LENGTH = 19;
const MICROS_LENGTH = 26;

/** int32 days since 2000-01-01. */
export function dateDecoder(): ReadAt {
  const text = template();
  return (buffer, at) => {
    const days = buffer.readInt32BE(at);
    if (days === MAX_INT32) return '9999-12-31';
    if (days === MIN_INT32) return '0000-01-01';
    const year = writeDate(text, days);
    if (year >= 1 && year <= 9999) return asciiSlice(text, 0, DATE_LENGTH);
    const monthAndDay = asciiSlice(text, 4, DATE_LENGTH);
    return year > 9999
      ? `${year}${monthAndDay}`
      : `${String(1 - year).padStart(4, '0')}${monthAndDay} BC`;
  };
}

/** int64 microseconds since midnight. */
export function timeDecoder(options: TypeOptions): ReadAt {
  const text = template();
  const textEnd = endOfFraction(options);
  return (buffer, at) => {
    writeTime(text, buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4));
    return asciiSlice(text, DATE_LENGTH + 1, textEnd(text));
  };
}

/** int64 microseconds since 2000-01-01; the smallest and the largest are the infinities. */
export function timestampDecoder(withZone: boolean, options: TypeOptions): ReadAt {
  const { infinity } = dateTimeFormat(options);
  const zone = withZone ? 'Z' : '';
  const text = template();
  text[DATE_LENGTH] = options.isoTimestamps ? T : BLANK;
  const textEnd = endOfFraction(options);
  return (buffer, at) => {
    const high = buffer.readInt32BE(at);
    const low = buffer.readUInt32BE(at + 4);
    if (high === MAX_INT32 && low === 0xffff_ffff) return infinity(false, zone);
    if (high === MIN_INT32 && low === 0) return infinity(true, zone);
    const [days, micros] = daysAndMicros(high, low);
    const year = writeDate(text, days);
    if (year < 1 || (withZone && year > 9999)) return null;
    writeTime(text, micros);
    let end = textEnd(text);
    if (withZone) {
      // The byte is a place of the fraction, which is written anew for every value.
      text[end++] = ZULU;
    }
    return year > 9999 ? `${year}${asciiSlice(text, 4, end)}` : asciiSlice(text, 0, end);
  };
}

function template(): Buffer {
  return Buffer.from('0000-00-00T00:00:00.000000Z', 'latin1');
}

/** Where the text ends once all six digits have been written: ISO cuts, legacy drops zeros. */
function endOfFraction(options: TypeOptions): (text: Buffer) => number {
  if (options.isoTimestamps) {
    const digits = Math.max(0, Math.min(6, options.timestampDigits));
    const end = digits === 0 ? SECONDS_LENGTH : SECONDS_LENGTH + 1 + digits;
    return () => end;
  }
  return (text) => {
    let end = MICROS_LENGTH;
    while (text[end - 1] === ZERO && end > SECONDS_LENGTH + 1) end--;
    return end === SECONDS_LENGTH + 1 ? SECONDS_LENGTH : end;
  };
}

function daysAndMicros(high: number, low: number): readonly [number, number] {
  if (high >= -0x10_0000 && high < 0x10_0000) {
    const total = high * 0x1_0000_0000 + low;
    const days = Math.floor(total / MICROS_PER_DAY);
    return [days, total - days * MICROS_PER_DAY];
  }
  // Beyond about 142 years from 2000 a double is not exact.
  const total = (BigInt(high) << 32n) | BigInt(low);
  const perDay = BigInt(MICROS_PER_DAY);
  const micros = ((total % perDay) + perDay) % perDay;
  return [Number((total - micros) / perDay), Number(micros)];
}

const DAYS_PER_ERA = 146_097; // 400 years
/** From 0000-03-01 to 2000-01-01. */
const DAYS_TO_2000 = 730_425;

/**
 * Writes month and day and the last four digits of the year; returns the year, 0 for 1 BC. Years are
 * taken to begin in March, so that the leap day is the last one.
 */
function writeDate(text: Buffer, daysSince2000: number): number {
  const days = daysSince2000 + DAYS_TO_2000;
  const era = Math.floor(days / DAYS_PER_ERA);
  const dayOfEra = days - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0);
  const shown = Math.abs(year) % 10_000;
  writeTwo(text, 0, Math.floor(shown / 100));
  writeTwo(text, 2, shown % 100);
  writeTwo(text, 5, month);
  writeTwo(text, 8, day);
  return year;
}

function writeTime(text: Buffer, microsOfDay: number): void {
  const seconds = Math.floor(microsOfDay / 1_000_000);
  const micros = microsOfDay - seconds * 1_000_000;
  writeTwo(text, 11, Math.floor(seconds / 3600));
  writeTwo(text, 14, Math.floor(seconds / 60) % 60);
  writeTwo(text, 17, seconds % 60);
  text[SECONDS_LENGTH] = '.'.charCodeAt(0);
  writeTwo(text, 20, Math.floor(micros / 10_000));
  writeTwo(text, 22, Math.floor(micros / 100) % 100);
  writeTwo(text, 24, micros % 100);
}

function writeTwo(text: Buffer, at: number, value: number): void {
  const tens = Math.floor(value / 10);
  text[at] = ZERO + tens;
  text[at + 1] = ZERO + (value - tens * 10);
}
