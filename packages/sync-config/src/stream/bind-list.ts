import { affinityOf, hasCollate } from '../expr/affinity.ts';
import type { BindContext } from '../expr/bind-context.ts';
import { bindExpression } from '../expr/bind.ts';
import { comparisonsOf } from '../expr/comparisons.ts';
import { operatorCall, type Expression } from '../expr/expression.ts';
import { STREAM_REQUEST_FUNCTIONS } from '../expr/request-functions.ts';
import type { ExprSyntax, InSyntax } from '../sql/syntax.ts';
import type { Formula } from './formula.ts';
import type { SourceList } from './source.ts';

/**
 * `x IN (a, b)` as a condition. Over several sources it becomes `x = a OR x = b`, whose equalities
 * may connect them.
 */
export function bindList(
  syntax: InSyntax,
  list: readonly ExprSyntax[],
  sources: SourceList,
  context: BindContext,
): Formula {
  const comparisons = comparisonsOf(context.dialect);
  const left = bindExpression(syntax.operand, context);
  const items = list.map((item) => bindExpression(item, context));
  const all = [left, ...items];
  const roots = new Set(all.flatMap((part) => [...sources.rootsOf(part)]));
  if (roots.size <= 1 || all.some(hasCollate)) {
    return { kind: 'term', expression: comparisons.inList(left, items, syntax) };
  }
  const parts = items.map((item): Formula => {
    const right = withoutAffinity(item, left);
    return { kind: 'term', expression: comparisons.compare('=', left, right, syntax) };
  });
  return { kind: 'or', parts };
}

/** The items of a list have no affinity, and neither has an operand with a plus. */
function withoutAffinity(item: Expression, left: Expression): Expression {
  const affinity = affinityOf(item);
  const isSame = affinity === undefined || (affinity === 'blob' && affinityOf(left) !== 'text');
  return isSame ? item : operatorCall('unary +', [item], item);
}

/** In SQLite, unlike in edition 3, `x IN (y)` is `x = y`, whatever y is. */
export function checkListOfOne(
  list: Extract<ExprSyntax, { kind: 'array' }>,
  isCte: (item: ExprSyntax) => boolean,
  { report, sql }: BindContext,
): void {
  const [only, second] = list.items;
  if (only === undefined || second !== undefined) return;
  const written = sql.slice(only.start, only.end);
  const fix = `Write IN ${written} without the parentheses`;
  if (isCte(only)) {
    const message = `(${written}) is a list of one value, not the rows of ${written}`;
    report.error('SCALAR_SUBQUERY', list, message, fix);
  } else if (isJsonParameter(only)) {
    const message = `(${written}) is a list of one value, not the elements of a JSON array`;
    report.warn('LIST_OF_ONE', list, message, fix);
  }
}

function isJsonParameter(item: ExprSyntax): boolean {
  if (item.kind === 'literal') return /^\s*\[/.test(String(item.value));
  const name = item.kind === 'call' ? item.name.map((part) => part.name).join('.') : '';
  return STREAM_REQUEST_FUNCTIONS.includes(name) && name.endsWith('.parameter');
}
