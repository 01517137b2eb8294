import type { SqliteValue } from '@sluice/model';

/**
 * Why a call of a date function has no fixed result, as far as its arguments are constant;
 * undefined when it has one, or when `name` is no date function.
 *
 * @param constants The arguments, undefined where they differ from row to row.
 */
export function timeDependence(
  name: string,
  constants: readonly (SqliteValue | undefined)[],
): string | undefined {
  if (!DATE_FUNCTIONS.has(name)) return undefined;
  const args = name === 'strftime' ? constants.slice(1) : constants;
  if (args.length === 0) return `${name} without a time value means the time of evaluation`;
  const values = name === 'timediff' ? args : args.slice(0, 1);
  const now = values.find((value) => isOneOf(value, NOW));
  if (now !== undefined) return `${String(now)} means the time of evaluation`;
  const zone = args.slice(values.length).find((modifier) => isOneOf(modifier, ZONES));
  if (zone !== undefined) return `${String(zone)} depends on the time zone of the machine`;
  return undefined;
}

const DATE_FUNCTIONS = new Set([
  'date', 'time', 'datetime', 'julianday', 'unixepoch', 'strftime', 'timediff',
]); // prettier-ignore
/** In place of a time value, all of these mean now. */
const NOW: readonly string[] = ['now', 'subsec', 'subsecond'];
const ZONES: readonly string[] = ['localtime', 'utc'];

function isOneOf(value: SqliteValue | undefined, words: readonly string[]): boolean {
  return typeof value === 'string' && words.includes(value.toLowerCase());
}
