import type { Reporter } from '../diagnostics.ts';
import type { BinarySyntax, CallSyntax, ExprSyntax, InSyntax, LikeSyntax } from '../sql/syntax.ts';
import type { Grammar } from '../sql/grammar.ts';
import { suggest } from '../suggest.ts';
import type { Dialect } from '../values/dialect.ts';
import { timeDependence } from '../values/sqlite/time-dependence.ts';
import { comparisonsOf } from './comparisons.ts';
import { constant, operatorCall, type Expression } from './expression.ts';
import { checkJsonArguments } from './json-arguments.ts';

/** What differs between the places where expressions stand. */
export interface BindContext {
  readonly report: Reporter;
  readonly grammar: Grammar;
  readonly dialect: Dialect;
  readonly edition: number;
  /** The SQL text, for messages. */
  readonly sql: string;
  resolveName(name: NameSyntax): Expression;
  /** Request functions and the like; undefined when the name is not one. */
  resolveCall(call: CallSyntax): Expression | undefined;
  /** Names to offer for a misspelt function, besides the dialect's. */
  readonly specialFunctions: readonly string[];
}

export type NameSyntax = Extract<ExprSyntax, { kind: 'name' }>;

const CAST_TYPES = new Set(['text', 'integer', 'real', 'numeric', 'blob']);

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
      return bindCall(syntax, context);
    case 'unary':
      return bindUnary(syntax, context);
    case 'binary':
      return bindBinary(syntax, context);
    case 'is': {
      if (syntax.what !== 'null' && context.edition < 3) {
        return refuse(
          syntax,
          context,
          'UNSUPPORTED_OPERATOR',
          'IS TRUE and IS FALSE need edition 3',
        );
      }
      const name = `is ${syntax.negated ? 'not ' : ''}${syntax.what}`;
      return operatorCall(name, [bindExpression(syntax.operand, context)], syntax);
    }
    case 'between': {
      if (context.edition < 3) {
        const fix = 'Write x >= a AND x <= b';
        return refuse(syntax, context, 'UNSUPPORTED_OPERATOR', 'BETWEEN needs edition 3', fix);
      }
      const operand = bindExpression(syntax.operand, context);
      const low = bindExpression(syntax.low, context);
      const high = bindExpression(syntax.high, context);
      const between = comparisonsOf(context.dialect).between(operand, low, high, syntax);
      return syntax.negated ? operatorCall('not', [between], syntax) : between;
    }
    case 'in':
      return bindScalarIn(syntax, context);
    case 'like':
      return bindLike(syntax, context);
    case 'collate': {
      const operand = bindExpression(syntax.operand, context);
      const collation = syntax.collation.name.toLowerCase();
      if (COLLATIONS.has(collation)) return operatorCall(`collate ${collation}`, [operand], syntax);
      const message = `There is no collation ${collation}`;
      const fix = suggest(collation, COLLATIONS) ?? 'Use BINARY, NOCASE or RTRIM';
      context.report.error('UNSUPPORTED_OPERATOR', syntax.collation, message, fix);
      return operand;
    }
    case 'case':
      return bindCase(syntax, context);
    case 'cast': {
      const operand = bindExpression(syntax.operand, context);
      const type = syntax.type.name.toLowerCase();
      if (CAST_TYPES.has(type)) return operatorCall(`cast ${type}`, [operand], syntax);
      const fix = suggest(type, CAST_TYPES) ?? 'Use text, integer, real, numeric or blob';
      context.report.error('CAST_TYPE', syntax.type, `There is no cast to ${type}`, fix);
      return constant(null, syntax);
    }
    case 'array': {
      const message = 'ARRAY and ROW are only allowed on the right of IN';
      return refuse(syntax, context, 'UNSUPPORTED_OPERATOR', message);
    }
    case 'select':
      return refuse(
        syntax,
        context,
        'SCALAR_SUBQUERY',
        'A subquery is only allowed on the right of IN in a condition',
        'Use x IN (SELECT ...)',
      );
    case 'unsupported':
      return refuse(syntax, context, 'UNSUPPORTED_OPERATOR', `${syntax.what} is not supported`);
  }
}

function refuse(
  syntax: ExprSyntax,
  context: BindContext,
  code: string,
  message: string,
  fix?: string,
): Expression {
  context.report.error(code, syntax, message, fix);
  return constant(null, syntax);
}

function bindUnary(
  syntax: Extract<ExprSyntax, { kind: 'unary' }>,
  context: BindContext,
): Expression {
  const operand = bindExpression(syntax.operand, context);
  if (syntax.operator === 'not') return operatorCall('not', [operand], syntax);
  const name = context.grammar.signs[syntax.operator];
  if (name !== undefined) return operatorCall(name, [operand], syntax);
  const message = `The sign ${syntax.operator} is only allowed in front of a number`;
  const fix = syntax.operator === '-' ? 'Write 0 - x' : 'Remove it';
  context.report.error('UNSUPPORTED_OPERATOR', syntax, message, fix);
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

function bindBinary(syntax: BinarySyntax, context: BindContext): Expression {
  const left = bindExpression(syntax.left, context);
  if (syntax.operator === '->' || syntax.operator === '->>') {
    return bindMember(syntax, left, context);
  }
  const right = bindExpression(syntax.right, context);
  const name = context.grammar.operators[syntax.operator];
  if (name !== undefined) {
    return COMPARISONS.has(name)
      ? comparisonsOf(context.dialect).compare(name, left, right, syntax)
      : operatorCall(name, [left, right], syntax);
  }
  const written = syntax.operator.toUpperCase();
  const message =
    written === '&&'
      ? '&& is only allowed as a condition in streams'
      : `The operator ${written} is not supported`;
  context.report.error('UNSUPPORTED_OPERATOR', syntax.operatorSpan, message);
  return constant(null, syntax);
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
    context.report.error('UNSUPPORTED_OPERATOR', step, message, "Use a text such as 'name'");
    return constant(null, syntax);
  }
  return operatorCall(syntax.operator, [left, constant(step.value, step)], syntax);
}

/** IN as a value: on JSON array text, ARRAY or ROW. */
export function bindScalarIn(syntax: InSyntax, context: BindContext): Expression {
  const operand = bindExpression(syntax.operand, context);
  const { right } = syntax;
  let result: Expression;
  if (right.kind === 'select') {
    const message = 'IN (SELECT ...) is only allowed as a condition that is not negated';
    const code = syntax.negated ? 'NEGATED_MATCH' : 'SCALAR_SUBQUERY';
    return refuse(syntax, context, code, message);
  } else if (right.kind === 'array') {
    if (context.edition < 3) {
      const fix = `Use a JSON array literal such as '["a","b"]'`;
      return refuse(right, context, 'UNSUPPORTED_OPERATOR', 'ARRAY needs edition 3', fix);
    }
    const items = right.items.map((item) => bindExpression(item, context));
    result = comparisonsOf(context.dialect).inList(operand, items, syntax);
  } else {
    if (syntax.negated && context.edition < 3) {
      return refuse(syntax, context, 'UNSUPPORTED_OPERATOR', 'NOT IN needs edition 3');
    }
    const json = bindExpression(right, context);
    result = comparisonsOf(context.dialect).inElements('in json', operand, json, syntax);
  }
  return syntax.negated ? operatorCall('not', [result], syntax) : result;
}

function bindCase(syntax: Extract<ExprSyntax, { kind: 'case' }>, context: BindContext): Expression {
  if (context.edition < 3) {
    const fix = 'Use iif(condition, then, else)';
    return refuse(syntax, context, 'UNSUPPORTED_OPERATOR', 'CASE needs edition 3', fix);
  }
  const bind = (part: ExprSyntax) => bindExpression(part, context);
  const operand = syntax.operand && bind(syntax.operand);
  const branches = syntax.whens.map(({ when, result }) => [bind(when), bind(result)] as const);
  const otherwise = syntax.otherwise && bind(syntax.otherwise);
  if (operand !== undefined) {
    return comparisonsOf(context.dialect).caseOf(operand, branches, otherwise, syntax);
  }
  const args = branches.flat();
  return operatorCall('case', otherwise === undefined ? args : [...args, otherwise], syntax);
}

function bindCall(syntax: CallSyntax, context: BindContext): Expression {
  const special = context.resolveCall(syntax);
  if (special !== undefined) return special;
  const name = syntax.name.map((part) => part.name.toLowerCase()).join('.');
  const operator = context.dialect.functions.get(name);
  const nameSpan = { start: syntax.start, end: syntax.name.at(-1)?.end ?? syntax.end };
  const args = syntax.args.map((arg) => bindExpression(arg, context));
  if (operator === undefined) {
    reportUnknownFunction(name, nameSpan, context);
    return constant(null, syntax);
  }
  if (syntax.decoration !== undefined) {
    const message = 'DISTINCT, ORDER BY, FILTER and OVER are not supported in calls';
    context.report.error('UNSUPPORTED_CLAUSE', syntax.decoration, message);
  }
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

function reportUnknownFunction(
  name: string,
  span: { start: number; end: number },
  context: BindContext,
): void {
  const reason = context.dialect.refusedFunctions.get(name);
  if (reason !== undefined) {
    context.report.error('UNKNOWN_FUNCTION', span, `${name}() is not allowed: ${reason}`);
    return;
  }
  if (name === 'random' || name === 'randomblob') {
    const message = `${name}() is not allowed: the same row must always give the same result`;
    context.report.error('UNKNOWN_FUNCTION', span, message);
    return;
  }
  const known = [...context.dialect.functions.keys(), ...context.specialFunctions];
  const fix = name === 'substr' ? 'Did you mean substring?' : suggest(name, known);
  context.report.error('UNKNOWN_FUNCTION', span, `There is no function ${name}`, fix);
}

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
  context.report.error('ARG_COUNT', syntax, message);
  return false;
}
