import type { Fix } from '../diagnostics.ts';
import { visitReferences, type Expression } from '../expr/expression.ts';
import type { AdvisedQuery } from './advised-query.ts';
import type { Use } from './outcome.ts';
import { sourceText, type ValueDifference } from './value-difference.ts';
import { valueTypes } from './value-type.ts';

type Call = Extract<Expression, { kind: 'call' }>;

/**
 * What to say of an operator of logic whose result differs because of NULL or of what counts as
 * true. `nullable` are the operands that may be NULL.
 */
export function logicDifference(
  expression: Call,
  nullable: readonly Expression[],
  use: Use,
  query: AdvisedQuery,
): ValueDifference {
  const text = sourceText(expression, query);
  const names = nullable.map((operand) => sourceText(operand, query));
  const where = names.length === 0 ? 'where a value is NULL' : `where ${orList(names)} is NULL`;
  const effect = use === 'truth' ? ', so that the condition fails' : '';
  switch (expression.name) {
    case '!=':
    case 'not':
      return {
        message: `${text} is true now ${where}, and NULL in edition 4${effect}`,
        fix: keepTrue(expression, names, text, query),
      };
    case 'and':
    case 'or':
      return {
        message: `${text} is 0 now ${where}, and NULL in edition 4`,
        fix: replacement(expression, `ifnull(${text}, 0)`),
      };
    case 'between':
      return {
        message: `${text} is NULL now ${where}, and in edition 4 0 if the other bound excludes it`,
        fix: replacement(expression, `ifnull(${text}, 0)`),
      };
    case 'in list':
      return {
        message: `${text} is 0 now if nothing matches and an item is NULL, and NULL in edition 4`,
        fix: replacement(expression, `ifnull(${text}, 0)`),
      };
    default:
      return isDifference(expression, query);
  }
}

/** The same as now in both: a missing value passes. */
function keepTrue(
  expression: Call,
  names: readonly string[],
  text: string,
  query: AdvisedQuery,
): string | Fix {
  const [operand] = expression.args;
  const isNot = expression.name === 'not' && /^not\b/i.test(text) && operand !== undefined;
  if (isNot) return replacement(expression, `NOT ifnull(${unbracketed(operand, query)}, 0)`);
  if (names.length === 0) return replacement(expression, `ifnull(${text}, 1)`);
  const kept = `(${[...names.map((name) => `${name} IS NULL`), text].join(' OR ')})`;
  const fix = replacement(expression, kept);
  const left = names.map((name) => `${name} IS NOT NULL`).join(' AND ');
  return { ...fix, text: `${fix.text} to keep such rows, or add AND ${left} to leave them out` };
}

function unbracketed(operand: Expression, query: AdvisedQuery): string {
  const text = sourceText(operand, query);
  const [first] = operand.kind === 'call' ? operand.args : [];
  const isBracketed = text.startsWith('(') && first !== undefined && operand.start < first.start;
  return isBracketed ? text.slice(1, -1).trim() : text;
}

function isDifference(expression: Call, query: AdvisedQuery): ValueDifference {
  const { name, args } = expression;
  const [operand] = args;
  const value = name.endsWith('true') ? 1 : 0;
  const text = operand === undefined ? 'x' : sourceText(operand, query);
  const type = [...((operand && valueTypes(operand, query)) ?? [])].join(' or ');
  const wanted = value === 1 ? 'TRUE' : 'FALSE';
  const test = `ifnull(${text} = ${value}, 0)`;
  return {
    message: `${text} is of type ${type}: only ${value} is ${wanted} now, and in edition 4 whatever counts as ${wanted.toLowerCase()}`,
    fix: replacement(expression, name.includes('not') ? `NOT ${test}` : test),
  };
}

/** A text is taken for true or false. */
export function textTruthDifference(expression: Expression, query: AdvisedQuery): ValueDifference {
  const text = sourceText(expression, query);
  return {
    message: `${text} is a text: whether it is true depends on the integer that it begins with now, and on the number in edition 4 ('0.7' becomes true)`,
    fix: replacement(expression, `CAST(${text} AS integer) != 0`),
  };
}

function replacement({ start, end }: Expression, text: string): Fix {
  return { text: `Write ${text}`, edit: { start, end, text } };
}

function orList(names: readonly string[]): string {
  return names.join(' or ');
}

/** The columns and request values below an expression. */
export function leavesOf(expression: Expression): readonly Expression[] {
  if (expression.kind !== 'call') return expression.kind === 'constant' ? [] : [expression];
  if (expression.name === 'parameter' || expression.name === '->>') return [expression];
  let isLeaf = true;
  visitReferences(expression, () => (isLeaf = false));
  return isLeaf ? [] : expression.args.flatMap(leavesOf);
}
