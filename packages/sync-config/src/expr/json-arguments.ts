import type { Reporter, Span } from '../diagnostics.ts';
import { keepsJson } from '../values/sqlite/json-subtype.ts';
import { operatorCall, type Expression } from './expression.ts';

const MAKES_JSON = new Set(['json_array', 'json_object', 'json_quote']);

/**
 * Binds the arguments of functions that take texts marked as JSON as they are and quote all others:
 * the columns of subqueries lose the mark, and those of json_each, which keep it, are refused.
 */
export function bindJsonArguments(
  name: string,
  args: readonly Expression[],
  span: Span,
  report: Reporter,
): readonly Expression[] {
  if (!MAKES_JSON.has(name)) return args;
  if (name === 'json_object' && args.length % 2 === 1) {
    const fix = "Write json_object('name', value, ...)";
    report.error('ARG_COUNT', span, 'json_object takes pairs of a name and a value', fix);
  }
  return args.map((arg) => settleMark(arg, name, report));
}

function settleMark(expression: Expression, name: string, report: Reporter): Expression {
  if (expression.kind === 'column') {
    if (expression.isElement === true && expression.column === 'value') {
      const message = `${name} would write what is JSON in json_each as it is, and quote what is text`;
      report.error('JSON_ELEMENT', expression, message, `Write value || '' for a text`);
    }
    return expression;
  }
  if (expression.kind !== 'call') return expression;
  if (expression.isDerived === true) return operatorCall('unmarked', [expression], expression);
  if (!keepsJson(expression.name)) return expression;
  return { ...expression, args: expression.args.map((arg) => settleMark(arg, name, report)) };
}
