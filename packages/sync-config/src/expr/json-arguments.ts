import type { Reporter, Span } from '../diagnostics.ts';
import { keepsJson } from '../values/sqlite/json/json-subtype.ts';
import type { Expression } from './expression.ts';

const MAKES_JSON = new Set(['json_array', 'json_object', 'json_quote']);

/**
 * Refuses what functions that make JSON cannot write as SQLite does. They take texts marked as JSON
 * as they are and quote all others; of the values of json_each, SQLite marks arrays and objects, and
 * ours do not say what they were.
 */
export function checkJsonArguments(
  name: string,
  args: readonly Expression[],
  span: Span,
  report: Reporter,
): void {
  if (!MAKES_JSON.has(name)) return;
  if (name === 'json_object' && args.length % 2 === 1) {
    const fix = "Write json_object('name', value, ...)";
    report.error('ARG_COUNT', span, 'json_object takes pairs of a name and a value', fix);
  }
  for (const element of args.flatMap(elementsIn)) {
    const message = `${name} would write what is JSON in json_each as it is, and quote what is text`;
    report.error('JSON_ELEMENT', element, message, `Write value || '' for a text`);
  }
}

/** The values of json_each that an expression may give. */
function elementsIn(expression: Expression): readonly Expression[] {
  if (expression.kind === 'column') {
    return expression.isElement === true && expression.column === 'value' ? [expression] : [];
  }
  if (expression.kind !== 'call' || !keepsJson(expression.name)) return [];
  return expression.args.flatMap(elementsIn);
}
