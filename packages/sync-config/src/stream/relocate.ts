import type { Span } from '../diagnostics.ts';
import type { Expression } from '../expr/expression.ts';
import type { Formula } from './formula.ts';

/**
 * The same expression at another place. What comes out of a CTE stands in another text than the
 * query that mentions it; reports about the query point at the mention.
 */
export function relocate(expression: Expression, { start, end }: Span): Expression {
  if (expression.kind !== 'call') return { ...expression, start, end };
  const args = expression.args.map((arg) => relocate(arg, { start, end }));
  return { ...expression, args, start, end };
}

export function relocateFormula(formula: Formula, span: Span): Formula {
  switch (formula.kind) {
    case 'term':
      return { kind: 'term', expression: relocate(formula.expression, span) };
    case 'join':
      return { ...formula, condition: relocateFormula(formula.condition, span) };
    case 'and':
    case 'or':
      return {
        kind: formula.kind,
        parts: formula.parts.map((part) => relocateFormula(part, span)),
      };
  }
}
