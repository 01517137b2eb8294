import type { SqliteValue } from '@sluice/model';
import type { Expression } from '../expr/expression.ts';
import { formatExpression, formatValue } from '../expr/format-expression.ts';
import { linkExpression, type SlotLayout } from '../expr/link.ts';
import type { RequestWords } from '../expr/request-words.ts';
import type { Dialect } from '../values/dialect.ts';
import { EvaluationFailure } from '../values/failure.ts';
import { writtenSql } from './as-written.ts';
import type { FailedCondition, NamedValue } from './explanation.ts';

/** Where the values of an expression are, and how it is written. */
export interface ExpressionScope {
  readonly dialect: Dialect;
  readonly layout: SlotLayout;
  readonly words: RequestWords;
}

type Slots = readonly SqliteValue[];

/** The terms of a condition that are not true; one that fails counts as such. */
export function failedConditions(
  condition: Expression | undefined,
  slots: Slots,
  scope: ExpressionScope,
): FailedCondition[] {
  if (condition === undefined) return [];
  return termsOf(condition)
    .filter((term) => !holds(term, slots, scope))
    .map((term) => ({
      sql: sqlText(term, scope),
      reads: readsOf(term).map((read) => nameValue(read, slots, scope)),
    }));
}

export function sqlText(expression: Expression, { dialect, words }: ExpressionScope): string {
  return writtenSql(expression, dialect, words);
}

/** An expression with its value; `(fails)` stands for the value where there is none. */
export function nameValue(
  expression: Expression,
  slots: Slots,
  scope: ExpressionScope,
): NamedValue {
  const sql = sqlText(expression, scope);
  return { sql, value: valueText(expression, slots, scope) };
}

function valueText(expression: Expression, slots: Slots, { dialect, layout }: ExpressionScope) {
  try {
    return formatValue(linkExpression(expression, dialect, layout)(slots));
  } catch (error) {
    if (error instanceof EvaluationFailure) return '(fails)';
    throw error;
  }
}

/** A AND B AND C as a list. */
function termsOf(condition: Expression): readonly Expression[] {
  const isAnd =
    condition.kind === 'call' && condition.table === 'operator' && condition.name === 'and';
  return isAnd ? condition.args.flatMap(termsOf) : [condition];
}

function holds(term: Expression, slots: Slots, { dialect, layout }: ExpressionScope): boolean {
  try {
    return dialect.isTrue(linkExpression(term, dialect, layout)(slots));
  } catch (error) {
    if (error instanceof EvaluationFailure) return false;
    throw error;
  }
}

/** What an expression reads, in the order of the text, each once. */
function readsOf(expression: Expression): readonly Expression[] {
  const found = new Map<string, Expression>();
  const visit = (at: Expression): void => {
    if (at.kind === 'constant') return;
    if (at.kind === 'call' && !isMember(at)) at.args.forEach(visit);
    else found.set(formatExpression(at), at);
  };
  visit(expression);
  return [...found.values()];
}

const MEMBER_OPERATORS = new Set(['parameter', '->', '->>']);

/** A member of a document says more than the whole of it. */
function isMember({ table, name, args }: Extract<Expression, { kind: 'call' }>): boolean {
  const [document, key] = args;
  return (
    table === 'operator' &&
    MEMBER_OPERATORS.has(name) &&
    document?.kind === 'column' &&
    key?.kind === 'constant'
  );
}
