import type { ExprSyntax } from './syntax.ts';

/** The expressions that an expression is made of; subqueries are not entered. */
export function childrenOf(expr: ExprSyntax): readonly ExprSyntax[] {
  switch (expr.kind) {
    case 'literal':
    case 'name':
    case 'select':
    case 'exists':
    case 'typed text':
    case 'unsupported':
    case 'broken':
      return [];
    case 'quantified':
      return [expr.operand];
    case 'call':
      return expr.args;
    case 'unary':
    case 'is':
    case 'cast':
    case 'collate':
      return [expr.operand];
    case 'binary':
      return [expr.left, expr.right];
    case 'between':
      return [expr.operand, expr.low, expr.high];
    case 'in':
      return [expr.operand, expr.right];
    case 'like':
      return [expr.operand, expr.pattern, expr.escape].filter((part) => part !== undefined);
    case 'case': {
      const parts = expr.whens.flatMap(({ when, result }) => [when, result]);
      return [expr.operand, ...parts, expr.otherwise].filter((part) => part !== undefined);
    }
    case 'array':
      return expr.items;
  }
}

/** Whether the expression or one inside it, subqueries apart, is as wanted. */
export function containsExpression(
  expr: ExprSyntax,
  isWanted: (part: ExprSyntax) => boolean,
): boolean {
  return isWanted(expr) || childrenOf(expr).some((part) => containsExpression(part, isWanted));
}
