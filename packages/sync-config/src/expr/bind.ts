import type { Fix, Reporter, Span } from '../diagnostics.ts';
import type { Grammar } from '../sql/grammar.ts';
import type { BinarySyntax, CallSyntax, ExprSyntax, InSyntax, LikeSyntax } from '../sql/syntax.ts';
import { didYouMean } from '../suggest.ts';
import type { Dialect } from '../values/dialect.ts';
import { timeDependence } from '../values/sqlite/dates/time-dependence.ts';
import { comparisonsOf } from './comparisons.ts';
import { constant, operatorCall, type Expression } from './expression.ts';
import { checkJsonArguments } from './json-arguments.ts';
import {
  refuseExists,
  refuseLike,
  refuseList,
  refuseQuantified,
  refuseScalarSubquery,
  refuseTypedText,
} from './refused-forms.ts';
import { CLOCK_FIX, clockMessage, isClock, unknownFunction } from './unknown-function.ts';

/** What differs between the places where expressions stand. */
export interface BindContext {
  readonly report: Reporter;
  readonly grammar: Grammar;
  readonly dialect: Dialect;
  readonly edition: number;
  /** The SQL text, for messages. */
  readonly sql: string;
  resolveName(name: NameSyntax): Expression;
  /** Whether an expression is a column of a table, and so no value of the request. */
  isRowColumn(expression: Expression): boolean;
  /** Request functions and the like; undefined when the name is not one. */
  resolveCall(call: CallSyntax): Expression | undefined;
  /** Names to offer for a misspelt function, besides the dialect's. */
  readonly specialFunctions: readonly string[];
}

export type NameSyntax = Extract<ExprSyntax, { kind: 'name' }>;

const CAST_TYPES = new Set(['text', 'integer', 'real', 'numeric', 'blob']);

const COMPARISONS = new Set(['=', '!=', '<', '<=', '>', '>=', 'is', 'is not']);
const COLLATIONS = new Set(['binary', 'nocase', 'rtrim']);

/** Types of PostgreSQL, by what their values are here. */
const SAME_TYPES: Readonly<Record<string, string>> = {
  int: 'integer', int2: 'integer', int4: 'integer', int8: 'integer', bigint: 'integer',
  smallint: 'integer', boolean: 'integer', bool: 'integer', varchar: 'text', char: 'text',
  uuid: 'text', date: 'text', timestamp: 'text', timestamptz: 'text', json: 'text', jsonb: 'text',
  float: 'real', float4: 'real', float8: 'real', double: 'real', decimal: 'numeric', bytea: 'blob',
}; // prettier-ignore

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
      return bindCall(syntax, context);
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
      return bindCast(syntax, context);
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
  for (const part of parts) bindExpression(part, context);
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

function bindCast(syntax: Extract<ExprSyntax, { kind: 'cast' }>, context: BindContext): Expression {
  const operand = bindExpression(syntax.operand, context);
  const type = syntax.type.name.toLowerCase();
  if (CAST_TYPES.has(type)) return operatorCall(`cast ${type}`, [operand], syntax);
  const same = SAME_TYPES[type];
  const fix =
    same === undefined
      ? (didYouMean(syntax.type, type, CAST_TYPES) ?? 'Use text, integer, real, numeric or blob')
      : { text: `Use ${same}`, edit: { ...spanOf(syntax.type), text: same } };
  context.report.error('CAST_TYPE', syntax.type, `There is no cast to ${type}`, fix);
  return constant(null, syntax);
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
  const args = parts.map((part) => bindExpression(part, context));
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

/** `now() - interval '7 days'`: one problem, not one for each word of it. */
function isClockExpression(syntax: ExprSyntax, context: BindContext): boolean {
  if (syntax.kind === 'binary' && (syntax.operator === '+' || syntax.operator === '-')) {
    return hasClock(syntax.left, context) || hasClock(syntax.right, context);
  }
  return false;
}

function hasClock(syntax: ExprSyntax, context: BindContext): boolean {
  if (syntax.kind === 'call') {
    const name = callName(syntax);
    return isClock(name) && !context.dialect.functions.has(name);
  }
  if (syntax.kind === 'cast') return hasClock(syntax.operand, context);
  return isClockExpression(syntax, context);
}

function callName(call: CallSyntax): string {
  return call.name.map((part) => part.name.toLowerCase()).join('.');
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
    const items = right.items.map((item) => bindExpression(item, context));
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

function bindCall(syntax: CallSyntax, context: BindContext): Expression {
  const special = context.resolveCall(syntax);
  if (special !== undefined) return special;
  const name = callName(syntax);
  const operator = context.dialect.functions.get(name);
  const nameSpan = { start: syntax.start, end: syntax.name.at(-1)?.end ?? syntax.end };
  const args = syntax.args.map((arg) => bindExpression(arg, context));
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

/** A result that depends on the clock is refused where it is written; data gives NULL. */
function reportTimeDependence(
  syntax: CallSyntax,
  name: string,
  args: readonly Expression[],
  context: BindContext,
): void {
  if (!context.dialect.refusesClock) return;
  const constants = args.map((arg) => (arg.kind === 'constant' ? arg.value : undefined));
  const reason = timeDependence(name, constants);
  if (reason === undefined) return;
  const fix = 'Compare with a column, or a time that the client or the token brings';
  context.report.error('UNSUPPORTED_OPERATOR', syntax, `This is not allowed: ${reason}`, fix);
}

/** `datetime('now')` is refused silently by its result, which is NULL (spec/sync-config.md 5). */
function warnNow({ args: [time] }: CallSyntax, name: string, context: BindContext): void {
  if (context.dialect.refusesClock || time?.kind !== 'literal') return;
  if (name !== 'datetime' && name !== 'unixepoch') return;
  if (typeof time.value !== 'string' || time.value.toLowerCase() !== 'now') return;
  const message = `'now' gives NULL here: ${clockMessage('it')}`;
  context.report.warn('NOW_IS_NULL', time, message, CLOCK_FIX);
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
