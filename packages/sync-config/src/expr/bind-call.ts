import type { CallSyntax } from '../sql/syntax.ts';
import type { BindContext } from './bind-context.ts';
import { callName } from './call-name.ts';
import { reportTimeDependence, warnNow } from './clock.ts';
import { comparisonsOf } from './comparisons.ts';
import { constant, type Expression } from './expression.ts';
import { checkJsonArguments } from './json-arguments.ts';
import { unknownFunction } from './unknown-function.ts';

/** A call of a function of the dialect, whose arguments are bound already. */
export function bindCall(
  syntax: CallSyntax,
  args: readonly Expression[],
  context: BindContext,
): Expression {
  const name = callName(syntax);
  const operator = context.dialect.functions.get(name);
  const nameSpan = { start: syntax.start, end: syntax.name.at(-1)?.end ?? syntax.end };
  if (operator === undefined) {
    const reason = context.dialect.refusedFunctions.get(name);
    if (reason !== undefined) {
      context.report.error('UNKNOWN_FUNCTION', nameSpan, `${name}() is not allowed: ${reason}`);
      return constant(null, syntax);
    }
    const known = [...context.dialect.functions.keys(), ...context.specialFunctions];
    const { message, fix } = unknownFunction(name, nameSpan, syntax, known);
    context.report.error('UNKNOWN_FUNCTION', nameSpan, message, fix);
    return constant(null, syntax);
  }
  if (syntax.decoration !== undefined) {
    const message = 'DISTINCT, ORDER BY, FILTER and OVER are not supported in calls';
    context.report.error('UNSUPPORTED_CLAUSE', syntax.decoration, message, 'Remove it');
  }
  warnNow(syntax, name, context);
  if (!checkArgCount(syntax, name, operator, context)) return constant(null, syntax);
  reportTimeDependence(syntax, name, args, context);
  checkJsonArguments(name, args, syntax, context.report);
  return comparisonsOf(context.dialect).call(name, args, syntax);
}

const USAGE: Readonly<Record<string, string>> = {
  substring: 'substring(text, start, length)', instr: 'instr(text, part)',
  json_extract: "json_extract(json, '$.key')", iif: 'iif(condition, then, else)',
  ifnull: 'ifnull(a, b)', unixepoch: 'unixepoch(time)', datetime: 'datetime(time)',
}; // prettier-ignore

function checkArgCount(
  syntax: CallSyntax,
  name: string,
  { minArgs, maxArgs }: { minArgs: number; maxArgs: number },
  context: BindContext,
): boolean {
  const count = syntax.args.length;
  if (count >= minArgs && count <= maxArgs) return true;
  const wanted =
    minArgs === maxArgs
      ? `${minArgs}`
      : maxArgs === Infinity
        ? `at least ${minArgs}`
        : `${minArgs} to ${maxArgs}`;
  const message = `${name} takes ${wanted} argument${wanted === '1' ? '' : 's'}, not ${count}`;
  context.report.error('ARG_COUNT', syntax, message, USAGE[name] && `Write ${USAGE[name]}`);
  return false;
}
