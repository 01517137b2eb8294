import type { CallSyntax, ExprSyntax } from '../sql/syntax.ts';
import { timeDependence } from '../values/sqlite/dates/time-dependence.ts';
import type { BindContext } from './bind-context.ts';
import { callName } from './call-name.ts';
import type { Expression } from './expression.ts';

/**
 * The time that runs: a row is looked at when it is written, so nothing may depend on the clock.
 * What would is refused here, or its author is warned.
 */

const CLOCKS = new Set([
  'now', 'current_timestamp', 'current_date', 'current_time', 'localtime', 'localtimestamp',
  'clock_timestamp', 'statement_timestamp', 'transaction_timestamp', 'timeofday', 'getdate',
  'sysdate', 'age', 'julianday',
]); // prettier-ignore

/** Whether a function or word reads the clock. */
export function isClock(name: string): boolean {
  return CLOCKS.has(name);
}

/** Why a time that runs is no part of a query. */
export function clockMessage(what: string): string {
  return `${what} changes with time, but a row is only looked at when it is written`;
}

export const CLOCK_FIX =
  'Keep a column such as is_recent up to date in the database, or filter on the device';

/** `now() - interval '7 days'`: one problem, not one for each word of it. */
export function isClockExpression(syntax: ExprSyntax, context: BindContext): boolean {
  if (syntax.kind === 'binary' && (syntax.operator === '+' || syntax.operator === '-')) {
    return hasClock(syntax.left, context) || hasClock(syntax.right, context);
  }
  return false;
}

function hasClock(syntax: ExprSyntax, context: BindContext): boolean {
  if (syntax.kind === 'call') {
    const name = callName(syntax);
    return isClock(name) && !context.dialect.functions.has(name);
  }
  if (syntax.kind === 'cast') return hasClock(syntax.operand, context);
  return isClockExpression(syntax, context);
}

/** A result that depends on the clock is refused where it is written; data gives NULL. */
export function reportTimeDependence(
  syntax: CallSyntax,
  name: string,
  args: readonly Expression[],
  context: BindContext,
): void {
  if (!context.dialect.refusesClock) return;
  const constants = args.map((arg) => (arg.kind === 'constant' ? arg.value : undefined));
  const reason = timeDependence(name, constants);
  if (reason === undefined) return;
  const fix = 'Compare with a column, or a time that the client or the token brings';
  context.report.error('UNSUPPORTED_OPERATOR', syntax, `This is not allowed: ${reason}`, fix);
}

/** `datetime('now')` is refused silently by its result, which is NULL (spec/sync-config.md 5). */
export function warnNow({ args: [time] }: CallSyntax, name: string, context: BindContext): void {
  if (context.dialect.refusesClock || time?.kind !== 'literal') return;
  if (name !== 'datetime' && name !== 'unixepoch') return;
  if (typeof time.value !== 'string' || time.value.toLowerCase() !== 'now') return;
  const message = `'now' gives NULL here: ${clockMessage('it')}`;
  context.report.warn('NOW_IS_NULL', time, message, CLOCK_FIX);
}
