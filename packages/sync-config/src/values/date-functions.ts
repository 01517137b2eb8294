import type { SqliteValue } from '@sluice/model';
import { toText } from './conversions.ts';
import type { Operator } from './dialect.ts';
import type { Present } from './present.ts';

/** unixepoch and datetime, in UTC. Source: spec/sync-config.md 5. */
export function createDateFunctions(): [string, Operator][] {
  return [
    [
      'unixepoch',
      dateFunction((ms, subsec) => (subsec ? ms / 1000 : BigInt(Math.floor(ms / 1000)))),
    ],
    ['datetime', dateFunction(formatDateTime)],
  ];
}

function dateFunction(format: (ms: number, subsec: boolean) => SqliteValue): Operator {
  return {
    minArgs: 1,
    maxArgs: Infinity,
    build(args) {
      const operands = args.map((arg) => arg.evaluate);
      return (slots) => {
        const [time = null, ...modifiers] = operands.map((operand) => operand(slots));
        const names = modifiers.map((modifier) => (typeof modifier === 'string' ? modifier : ''));
        if (time === null || !names.every((name) => MODIFIERS.has(name))) return null;
        const ms = toMilliseconds(time, names.includes('unixepoch'));
        if (ms === undefined) return null;
        return format(ms, names.includes('subsec') || names.includes('subsecond'));
      };
    },
  };
}

const MODIFIERS = new Set(['unixepoch', 'subsec', 'subsecond']);
const MIN_MS = Date.parse('0000-01-01T00:00:00Z');
const MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** The Julian day of 1970-01-01T00:00Z. */
const JULIAN_EPOCH = 2_440_587.5;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/;
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?\s*(Z|[+-]\d\d:\d\d)?)?$/;

/** Milliseconds since 1970; undefined for what is no date, `now` among it. */
function toMilliseconds(time: Present, isUnixSeconds: boolean): number | undefined {
  const text = toText(time);
  if (!NUMBER.test(text)) return isUnixSeconds ? undefined : parseDateTime(text);
  const number = Number(text);
  const ms = Math.round(isUnixSeconds ? number * 1000 : (number - JULIAN_EPOCH) * 86_400_000);
  return ms >= MIN_MS && ms <= MAX_MS ? ms : undefined;
}

function parseDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((digits: string | undefined) => Number(digits ?? 0));
  const isValid =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 31 &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59;
  if (!isValid) return undefined;
  const date = new Date(0);
  // Unlike Date.UTC, this does not take the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, Math.floor(Number(match[7] ?? 0) * 1000));
  return date.getTime() - offsetMs(match[8]);
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

function formatDateTime(ms: number, subsec: boolean): SqliteValue {
  const iso = new Date(ms).toISOString();
  if (iso.length !== 24) return null;
  return `${iso.slice(0, 10)} ${iso.slice(11, subsec ? 23 : 19)}`;
}
