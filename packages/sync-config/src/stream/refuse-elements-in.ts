import type { Reporter } from '../diagnostics.ts';
import { containsExpression } from '../sql/expression-children.ts';
import type { ExprSyntax } from '../sql/syntax.ts';

/**
 * Refuses IN on JSON in an output column: it is a join with the elements, and joins only exist in
 * conditions. Source: spec/sync-config.md 10.3.
 */
export function refuseElementsIn(column: ExprSyntax, report: Reporter): void {
  const isJoin = (part: ExprSyntax) =>
    part.kind === 'in' &&
    !part.negated &&
    part.right.kind !== 'array' &&
    part.right.kind !== 'select';
  if (!containsExpression(column, isJoin)) return;
  const message = 'IN on a JSON array is only allowed in conditions';
  report.error('UNSUPPORTED_OPERATOR', column, message, 'Use IN ARRAY[...] or NOT IN');
}
