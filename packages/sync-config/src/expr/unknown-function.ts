import type { Fix, Span } from '../diagnostics.ts';
import { didYouMean } from '../suggest.ts';
import { CLOCK_FIX, clockMessage, isClock } from './clock.ts';

const AGGREGATES = new Set([
  'count', 'sum', 'avg', 'min', 'max', 'total', 'group_concat', 'string_agg', 'array_agg',
  'json_agg', 'jsonb_agg', 'json_group_array', 'json_object_agg', 'bool_and', 'bool_or', 'every',
  'row_number', 'rank', 'dense_rank', 'lag', 'lead', 'first_value', 'last_value', 'ntile',
]); // prettier-ignore

/** Functions of the same meaning and the same arguments under another name. */
const SAME: Readonly<Record<string, string>> = {
  coalesce: 'ifnull', nvl: 'ifnull', substr: 'substring', char_length: 'length',
  character_length: 'length', len: 'length', strpos: 'instr', lcase: 'lower', ucase: 'upper',
  if: 'iif', pg_typeof: 'typeof', jsonb_array_length: 'json_array_length',
  json_object_keys: 'json_keys', jsonb_object_keys: 'json_keys', jsonb_array_elements: 'json_each',
  json_array_elements: 'json_each', unnest: 'json_each', jsonb_each: 'json_each',
}; // prettier-ignore

const ADVICE: Readonly<Record<string, string>> = {
  concat: 'Write a || b',
  nullif: 'Write iif(a = b, NULL, a)',
  replace: 'Compute it in a generated column of the table',
  trim: 'Compute it in a generated column of the table',
  ltrim: 'Compute it in a generated column of the table',
  rtrim: 'Compute it in a generated column of the table',
  round: 'Compute it in a generated column of the table, or on the device',
  abs: 'Write CASE WHEN x < 0 THEN 0 - x ELSE x END (edition 3)',
  date: 'Write substring(datetime(x), 1, 10)',
  time: 'Write substring(datetime(x), 12)',
  strftime: 'Use datetime(x) or unixepoch(x)',
  to_char: 'Use datetime(x), or format it on the device',
  date_trunc: 'Use substring(datetime(x), 1, 10) for the day',
  date_part: 'Use unixepoch(x), or compute it on the device',
  extract: 'Use unixepoch(x), or compute it on the device',
  encode: "Use hex(x) for encode(x, 'hex'), base64(x) for encode(x, 'base64')",
  array_length: 'Use json_array_length(x): arrays arrive as JSON text',
  cardinality: 'Use json_array_length(x): arrays arrive as JSON text',
  array_position: 'Use x IN array: arrays arrive as JSON text',
  regexp_match: 'Compute it in a generated column of the table',
  regexp_replace: 'Compute it in a generated column of the table',
  current_setting: 'Use a claim of the token',
  nextval: 'Values must come from the row',
  gen_random_uuid: 'The same row must always give the same result',
  uuid_generate_v4: 'The same row must always give the same result',
};

/** How streams and bucket definitions write what other systems call so. */
const USER_NAMES: Readonly<Record<string, readonly [stream: string, legacy: string]>> = {
  'auth.uid': ['auth.user_id', 'request.user_id'],
  'auth.email': ["auth.parameter('email')", "request.jwt() ->> 'email'"],
  'auth.role': ["auth.parameter('role')", "request.jwt() ->> 'role'"],
  'auth.jwt': ['auth.parameters', 'request.jwt'],
  current_user: ['auth.user_id()', 'request.user_id()'],
  session_user: ['auth.user_id()', 'request.user_id()'],
  current_role: ["auth.parameter('role')", "request.jwt() ->> 'role'"],
};

/** Request functions of the other dialect. */
const TO_STREAM: Readonly<Record<string, string>> = {
  'request.user_id': 'auth.user_id', 'request.jwt': 'auth.parameters',
  'request.parameters': 'connection.parameters', 'request.parameter': 'connection.parameter',
}; // prettier-ignore
const TO_LEGACY: Readonly<Record<string, string>> = {
  'auth.user_id': 'request.user_id', 'auth.parameters': 'request.jwt',
  'connection.parameters': 'request.parameters', 'connection.parameter': 'request.parameter',
}; // prettier-ignore

/** What is known of a function that there is not. */
export interface UnknownFunction {
  readonly message: string;
  readonly fix: string | Fix | undefined;
}

/** Says what to write instead of a function. `nameSpan` is its name, `call` the whole of it. */
export function unknownFunction(
  name: string,
  nameSpan: Span,
  call: Span,
  known: readonly string[],
): UnknownFunction {
  const isStream = known.includes('auth.user_id');
  const message = `There is no function ${name}`;
  if (name === 'random' || name === 'randomblob') {
    return {
      message: `${name}() is not allowed: the same row must always give the same result`,
      fix: 'Store the value in a column',
    };
  }
  if (AGGREGATES.has(name)) {
    const fix = 'Sync the rows, and aggregate them in a query on the device';
    return { message: `${name} needs many rows, and each row is synced for itself`, fix };
  }
  if (isClock(name)) return { message: clockMessage(name), fix: CLOCK_FIX };
  const other = (isStream ? TO_STREAM : TO_LEGACY)[name];
  if (other !== undefined) {
    const dialect = isStream ? 'bucket definitions' : 'streams';
    const isAllowed = isStream || known.includes(other);
    const fix = isAllowed
      ? replaceName(nameSpan, other, call)
      : `Output ${other}() in a parameter query, and use bucket.<name> here`;
    return { message: `${name} belongs to ${dialect}`, fix };
  }
  const user = USER_NAMES[name]?.[isStream ? 0 : 1];
  if (user !== undefined) {
    const isWhole = user.includes('(') || user.includes(' ');
    return { message, fix: replaceName(isWhole ? call : nameSpan, user, call) };
  }
  if (name === 'auth.parameter' && !isStream) {
    return { message: `${name} belongs to streams`, fix: "Use request.jwt() ->> 'name'" };
  }
  if (name.startsWith('subscription.') && !isStream) {
    return { message: `${name} belongs to streams`, fix: 'Clients subscribe to streams only' };
  }
  const same = SAME[name];
  if (same !== undefined && (known.includes(same) || same === 'json_each')) {
    const fix =
      same === 'json_each' ? 'Use json_each(x) in FROM' : replaceName(nameSpan, same, call);
    return { message, fix };
  }
  const advice = ADVICE[name] ?? didYouMean(nameSpan, name, known);
  return { message, fix: advice ?? 'See docs/sync-config.md for the functions that there are' };
}

/** `call` adds the brackets of a call without arguments to what people read. */
function replaceName({ start, end }: Span, text: string, call: Span): Fix {
  const brackets = call.end - end === 2 ? '()' : '';
  return { text: `Use ${text}${brackets}`, edit: { start, end, text } };
}
