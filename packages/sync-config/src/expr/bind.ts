import type { Fix, Span } from '../diagnostics.ts';
import type { BinarySyntax, ExprSyntax, InSyntax, LikeSyntax } from '../sql/syntax.ts';
import { didYouMean } from '../suggest.ts';
import { bindCall } from './bind-call.ts';
import { bindCast } from './bind-cast.ts';
import type { BindContext } from './bind-context.ts';
import { CLOCK_FIX, clockMessage, isClockExpression } from './clock.ts';
import { comparisonsOf } from './comparisons.ts';
import { constant, operatorCall, type Expression } from './expression.ts';
import {
  refuseExists,
  refuseLike,
  refuseList,
  refuseQuantified,
  refuseScalarSubquery,
  refuseTypedText,
} from './refused-forms.ts';

const COMPARISONS = new Set(['=', '!=', '<', '<=', '>', '>=', 'is', 'is not']);
const COLLATIONS = new Set(['binary', 'nocase', 'rtrim']);

/**
 * Resolves the names and operators of an expression. Problems are reported and stand in the result
 * as NULL, so that the rest is checked as well.
 */
export function bindExpression(syntax: ExprSyntax, context: BindContext): Expression {
  switch (syntax.kind) {
    case 'literal':
      return constant(syntax.value, syntax);
    case 'name':
      return context.resolveName(syntax);
    case 'call':
      return (
        context.resolveCall(syntax) ?? bindCall(syntax, bindAll(syntax.args, context), context)
      );
    case 'unary':
      return bindUnary(syntax, context);
    case 'binary':
      return bindBinary(syntax, context);
    case 'is':
      return bindIs(syntax, context);
    case 'between':
      return bindBetween(syntax, context);
    case 'in':
      return bindScalarIn(syntax, context);
    case 'like': {
      const isSupported = context.grammar.isSqlite && syntax.operator !== 'ilike';
      return isSupported ? bindLike(syntax, context) : bindRefused(syntax, context);
    }
    case 'collate':
      return bindCollate(syntax, context);
    case 'case':
      return bindCase(syntax, context);
    case 'cast':
      return bindCast(syntax, bindExpression(syntax.operand, context), context);
    case 'array':
    case 'select':
    case 'exists':
    case 'quantified':
    case 'typed text':
    case 'unsupported':
    case 'broken':
      return bindRefused(syntax, context);
  }
}

function bindAll(parts: readonly ExprSyntax[], context: BindContext): Expression[] {
  return parts.map((part) => bindExpression(part, context));
}

/** The forms that no edition has as values. */
function bindRefused(
  syntax: Exclude<
    ExprSyntax,
    {
      kind:
        | 'literal'
        | 'name'
        | 'call'
        | 'unary'
        | 'binary'
        | 'is'
        | 'between'
        | 'in'
        | 'collate'
        | 'case'
        | 'cast';
    }
  >,
  context: BindContext,
): Expression {
  switch (syntax.kind) {
    case 'array':
      if (syntax.form === 'parentheses') refuseList(syntax, false, context);
      else {
        const message = 'ARRAY and ROW are only allowed on the right of IN';
        refuse(syntax, context, message, `Write a JSON text such as '["a","b"]'`);
      }
      return checkParts(syntax.items, syntax, context);
    case 'select':
      refuseScalarSubquery(undefined, syntax, context);
      break;
    case 'like':
      refuseLike(syntax, context);
      return checkParts([syntax.operand, syntax.pattern], syntax, context);
    case 'exists':
      refuseExists(syntax, false, context);
      break;
    case 'quantified':
      refuseQuantified(undefined, syntax, context);
      break;
    case 'typed text':
      refuseTypedText(syntax, context);
      break;
    case 'unsupported':
      refuse(syntax, context, `${syntax.what} is not supported`, syntax.hint);
      break;
    case 'broken':
      break;
  }
  return constant(null, syntax);
}

function refuse(span: Span, context: BindContext, message: string, fix?: string | Fix): void {
  context.report.error('UNSUPPORTED_OPERATOR', span, message, fix);
}

/** Looks for further problems in the parts of what has been refused. */
function checkParts(parts: readonly ExprSyntax[], whole: Span, context: BindContext): Expression {
  bindAll(parts, context);
  return constant(null, whole);
}

function bindIs(syntax: Extract<ExprSyntax, { kind: 'is' }>, context: BindContext): Expression {
  const operand = bindExpression(syntax.operand, context);
  if (syntax.what !== 'null' && context.edition < 3) {
    const value = syntax.what === 'true' ? 1 : 0;
    const fix = `Write ${syntax.negated ? 'ifnull(x, -1) !=' : 'x ='} ${value}`;
    refuse(syntax, context, 'IS TRUE and IS FALSE need edition 3', fix);
    return constant(null, syntax);
  }
  const name = `is ${syntax.negated ? 'not ' : ''}${syntax.what}`;
  return operatorCall(name, [operand], syntax);
}

function bindBetween(
  syntax: Extract<ExprSyntax, { kind: 'between' }>,
  context: BindContext,
): Expression {
  const parts = [syntax.operand, syntax.low, syntax.high];
  const operand = bindExpression(syntax.operand, context);
  const low = bindExpression(syntax.low, context);
  const high = bindExpression(syntax.high, context);
  if (context.edition < 3) {
    const [x = '', from = '', to = ''] = parts.map((p) => context.sql.slice(p.start, p.end));
    const text = syntax.negated
      ? `(${x} < ${from} OR ${x} > ${to})`
      : `(${x} >= ${from} AND ${x} <= ${to})`;
    const { start, end } = syntax;
    const fix = { text: `Write ${text}`, edit: { start, end, text } };
    refuse(syntax, context, 'BETWEEN needs edition 3', fix);
    return constant(null, syntax);
  }
  const between = comparisonsOf(context.dialect).between(operand, low, high, syntax);
  return syntax.negated ? operatorCall('not', [between], syntax) : between;
}

function spanOf({ start, end }: Span): Span {
  return { start, end };
}

function bindUnary(
  syntax: Extract<ExprSyntax, { kind: 'unary' }>,
  context: BindContext,
): Expression {
  if (syntax.operator === 'not' && syntax.operand.kind === 'exists') {
    refuseExists(syntax.operand, true, context);
    return constant(null, syntax);
  }
  const operand = bindExpression(syntax.operand, context);
  if (syntax.operator === 'not') return operatorCall('not', [operand], syntax);
  const name = context.grammar.signs[syntax.operator];
  if (name !== undefined) return operatorCall(name, [operand], syntax);
  const message = `The sign ${syntax.operator} is only allowed in front of a number`;
  const text = syntax.operator === '-' ? `0 - ` : '';
  const edit = { start: syntax.start, end: syntax.operand.start, text };
  const operandText = context.sql.slice(syntax.operand.start, syntax.operand.end);
  refuse(syntax, context, message, { text: `Write ${text}${operandText}`, edit });
  return operand;
}

function bindLike(syntax: LikeSyntax, context: BindContext): Expression {
  // The order of SQLite's functions of these names, which decides whose COLLATE comes first.
  const parts = [syntax.pattern, syntax.operand];
  if (syntax.escape !== undefined) parts.push(syntax.escape);
  if (syntax.operator === 'glob' && syntax.escape !== undefined) {
    context.report.error('SQL_SYNTAX', syntax.escape, 'GLOB has no ESCAPE', 'Use LIKE');
    return constant(null, syntax);
  }
  const args = bindAll(parts, context);
  const result = operatorCall(syntax.operator, args, syntax);
  return syntax.negated ? operatorCall('not', [result], syntax) : result;
}

function bindCollate(
  syntax: Extract<ExprSyntax, { kind: 'collate' }>,
  context: BindContext,
): Expression {
  const operand = bindExpression(syntax.operand, context);
  const collation = syntax.collation.name.toLowerCase();
  if (COLLATIONS.has(collation)) return operatorCall(`collate ${collation}`, [operand], syntax);
  const message = `There is no collation ${collation}`;
  const fix = didYouMean(syntax.collation, collation, COLLATIONS) ?? 'Use BINARY, NOCASE or RTRIM';
  context.report.error('UNSUPPORTED_OPERATOR', syntax.collation, message, fix);
  return operand;
}

function bindBinary(syntax: BinarySyntax, context: BindContext): Expression {
  if (isClockExpression(syntax, context)) {
    const text = context.sql.slice(syntax.start, syntax.end);
    context.report.error('UNKNOWN_FUNCTION', syntax, clockMessage(text), CLOCK_FIX);
    return constant(null, syntax);
  }
  const left = bindSide(syntax, syntax.left, context);
  if (syntax.operator === '->' || syntax.operator === '->>') {
    return bindMember(syntax, left, context);
  }
  const right = bindSide(syntax, syntax.right, context);
  const name = context.grammar.operators[syntax.operator];
  if (name === undefined) {
    refuseOperator(syntax, context);
    return constant(null, syntax);
  }
  return COMPARISONS.has(name)
    ? comparisonsOf(context.dialect).compare(name, left, right, syntax)
    : operatorCall(name, [left, right], syntax);
}

/** A side of an operator; what is refused there is refused with the whole in view. */
function bindSide(whole: BinarySyntax, side: ExprSyntax, context: BindContext): Expression {
  if (side.kind === 'select') refuseScalarSubquery(whole, side, context);
  else if (side.kind === 'quantified') refuseQuantified(whole, side, context);
  else return bindExpression(side, context);
  return constant(null, side);
}

function refuseOperator({ operator, operatorSpan }: BinarySyntax, context: BindContext): void {
  const edit = { ...spanOf(operatorSpan), text: 'AND' };
  if (operator === '&&') {
    const message = '&& compares arrays, and is only allowed as a condition in streams';
    refuse(operatorSpan, context, message, { text: 'Write AND to join conditions', edit });
    return;
  }
  const advice: Readonly<Record<string, string>> = {
    '%': 'Keep a column that says the same, and compare that',
    '^': 'Write x * x',
    '~': 'Keep a column that says the same, and compare that',
  };
  const message = `The operator ${operator.toUpperCase()} is not supported`;
  refuse(operatorSpan, context, message, advice[operator] ?? 'Keep the value in a column');
}

function bindMember(syntax: BinarySyntax, left: Expression, context: BindContext): Expression {
  const step = syntax.right;
  if (context.grammar.isSqlite) {
    return operatorCall(syntax.operator, [left, bindExpression(step, context)], syntax);
  }
  const isKey = step.kind === 'literal' && typeof step.value === 'string';
  const isIndex = step.kind === 'literal' && typeof step.value === 'bigint';
  if (!isKey && !(isIndex && context.edition >= 3)) {
    const message = isIndex
      ? `An array index after ${syntax.operator} needs edition 3`
      : `The right side of ${syntax.operator} must be a literal`;
    refuse(step, context, message, memberFix(step, context));
    return constant(null, syntax);
  }
  return operatorCall(syntax.operator, [left, constant(step.value, step)], syntax);
}

/** A key in double quotes, or in none, is a name and no text. */
function memberFix(step: ExprSyntax, context: BindContext): string | Fix {
  const isIndex = step.kind === 'literal' && typeof step.value === 'bigint';
  if (isIndex) return `Write '${context.sql.slice(step.start, step.end)}'`;
  const name = step.kind === 'name' && step.parts.length === 1 ? step.parts[0] : undefined;
  if (name === undefined) return "Use a text such as 'name'";
  return { text: `Write '${name.raw}'`, edit: { ...spanOf(step), text: `'${name.raw}'` } };
}

/** IN as a value: on JSON array text, ARRAY or ROW. */
export function bindScalarIn(syntax: InSyntax, context: BindContext): Expression {
  const operand = bindExpression(syntax.operand, context);
  const { right } = syntax;
  let result: Expression;
  if (right.kind === 'select') {
    refuseInSelect(syntax, context);
    return constant(null, syntax);
  } else if (right.kind === 'array') {
    const items = bindAll(right.items, context);
    const isSqliteList = right.form === 'parentheses' && context.grammar.isSqlite;
    if (right.form === 'parentheses' && !isSqliteList) refuseList(right, true, context);
    else if (context.edition < 3) {
      const fix = `Use a JSON array literal such as '["a","b"]'`;
      refuse(right, context, `${right.form.toUpperCase()} needs edition 3`, fix);
    }
    result = comparisonsOf(context.dialect).inList(operand, items, syntax);
  } else {
    const array = bindExpression(right, context);
    if (syntax.negated && context.edition < 3) {
      refuse(syntax, context, 'NOT IN needs edition 3', 'Write NOT x IN array');
      return constant(null, syntax);
    }
    result = comparisonsOf(context.dialect).inElements('in json', operand, array, syntax);
  }
  return syntax.negated ? operatorCall('not', [result], syntax) : result;
}

function refuseInSelect(syntax: InSyntax, context: BindContext): void {
  const isLegacy = context.edition < 3;
  const message = isLegacy
    ? 'IN (SELECT ...) needs streams (edition 3)'
    : 'IN (SELECT ...) is only allowed as a condition that is not negated';
  const code = syntax.negated ? 'NEGATED_MATCH' : 'SCALAR_SUBQUERY';
  const fix = isLegacy
    ? 'Select the values in a parameter query, and compare with bucket.<name>'
    : 'Keep a column that says the same, and compare that';
  context.report.error(code, syntax, message, fix);
}

function bindCase(syntax: Extract<ExprSyntax, { kind: 'case' }>, context: BindContext): Expression {
  const bind = (part: ExprSyntax) => bindExpression(part, context);
  const operand = syntax.operand && bind(syntax.operand);
  const branches = syntax.whens.map(({ when, result }) => [bind(when), bind(result)] as const);
  const otherwise = syntax.otherwise && bind(syntax.otherwise);
  if (context.edition < 3) {
    refuse(syntax, context, 'CASE needs edition 3', 'Use iif(condition, then, else)');
    return constant(null, syntax);
  }
  if (operand !== undefined) {
    return comparisonsOf(context.dialect).caseOf(operand, branches, otherwise, syntax);
  }
  const args = branches.flat();
  return operatorCall('case', otherwise === undefined ? args : [...args, otherwise], syntax);
}
