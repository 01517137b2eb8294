import type { Reporter } from '../diagnostics.ts';
import { STREAM_REQUEST_FUNCTIONS } from '../expr/request-functions.ts';
import { childrenOf, containsExpression } from '../sql/expression-children.ts';
import type { ExprSyntax, InSyntax, SelectSyntax } from '../sql/syntax.ts';

const UPGRADE = 'Set config: { edition: 3 }';

/**
 * Refuses what the streams of edition 2 lack in comparison with those of edition 3 and what can be
 * told from the text alone. Source: spec/sync-config.md 3.4, 9.
 */
export function checkAlphaQuery(select: SelectSyntax, report: Reporter): void {
  checkFrom(select, 'A stream of edition 2', report);
  for (const condition of select.conditions) checkCondition(condition, report);
}

function checkFrom(select: SelectSyntax, what: string, report: Reporter): void {
  const [from, second] = select.from;
  if (second !== undefined) {
    report.error('UNSUPPORTED_CLAUSE', second, `${what} reads one table`, UPGRADE);
  } else if (from !== undefined && from.kind !== 'table') {
    report.error('UNSUPPORTED_CLAUSE', from, `${what} reads a table and nothing else`, UPGRADE);
  }
}

function checkCondition(condition: ExprSyntax, report: Reporter): void {
  if (condition.kind === 'in' && condition.right.kind === 'select') {
    checkSubquery(condition.right.select, report);
    checkLeftSide(condition, report);
    return;
  }
  if (condition.kind === 'binary' && condition.operator === '&&') {
    checkOverlap(condition, report);
    return;
  }
  if (isLogical(condition)) {
    for (const part of childrenOf(condition)) checkCondition(part, report);
  }
}

function isLogical(expr: ExprSyntax): boolean {
  return (
    (expr.kind === 'unary' && expr.operator === 'not') ||
    (expr.kind === 'binary' && (expr.operator === 'and' || expr.operator === 'or'))
  );
}

function checkLeftSide(condition: InSyntax, report: Reporter): void {
  const { operand } = condition;
  if (containsExpression(operand, (part) => part.kind === 'name' || isRequestCall(part))) return;
  const message = 'A constant on the left of IN (SELECT ...) needs edition 3';
  report.error('UNSUPPORTED_OPERATOR', operand, message, UPGRADE);
}

/** `row_array && (SELECT ...)` and `row_array && request_array`. */
function checkOverlap(condition: Extract<ExprSyntax, { kind: 'binary' }>, report: Reporter): void {
  const { left, right } = condition;
  if (right.kind === 'select') checkSubquery(right.select, report);
  if (left.kind !== 'select' && !containsExpression(left, isRequestCall)) return;
  report.error('MIXED_EXPR', left, 'The left side of && must be a column', UPGRADE);
}

function checkSubquery(select: SelectSyntax, report: Reporter): void {
  const what = 'A subquery of edition 2';
  checkFrom(select, what, report);
  if (select.distinct !== undefined) {
    const message = 'DISTINCT is not supported';
    report.error('UNSUPPORTED_CLAUSE', select.distinct, message, 'Remove DISTINCT');
  }
  for (const condition of select.conditions) checkSubqueryCondition(condition, report);
  if (select.conditions.some((condition) => containsExpression(condition, isRequestCall))) return;
  const message = `${what} must use the request in its WHERE`;
  report.error(
    'SUBQUERY_NEEDS_PARAM',
    select,
    message,
    'Add a condition on auth, or use edition 3',
  );
}

function checkSubqueryCondition(condition: ExprSyntax, report: Reporter): void {
  if (condition.kind === 'select') {
    const message = 'A subquery inside a subquery needs edition 3';
    report.error('SUBQUERY_NESTED', condition, message, UPGRADE);
    return;
  }
  if (condition.kind === 'binary' && condition.operator === 'or') {
    const message = 'OR inside a subquery needs edition 3';
    report.error('UNSUPPORTED_OPERATOR', condition.operatorSpan, message, UPGRADE);
  }
  for (const part of childrenOf(condition)) checkSubqueryCondition(part, report);
}

function isRequestCall(expr: ExprSyntax): boolean {
  if (expr.kind !== 'call') return false;
  const name = expr.name.map((part) => part.name.toLowerCase()).join('.');
  return STREAM_REQUEST_FUNCTIONS.includes(name);
}
