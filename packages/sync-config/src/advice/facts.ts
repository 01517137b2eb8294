import { canonicalText, type Expression } from '../expr/expression.ts';

/** Expressions, by canonical text, that are not NULL where the question arises. */
export type Facts = ReadonlySet<string>;

export const NO_FACTS: Facts = new Set();

const STRICT = new Set([
  '=',
  '<',
  '<=',
  '>',
  '>=',
  'between',
  'in list',
  'in json',
  'in each',
  'opaque',
]);

/**
 * What is not NULL where a condition holds. `isPositive`: only whether the whole is true matters, so
 * that a comparison which is NULL counts as well as `IS NOT NULL` does.
 */
export function factsWhenTrue(condition: Expression, isPositive: boolean): readonly string[] {
  if (condition.kind !== 'call') return isPositive ? [canonicalText(condition)] : [];
  const { name, args } = condition;
  if (name === 'and') return args.flatMap((arg) => factsWhenTrue(arg, isPositive));
  if (name === 'is not null') return args.map((arg) => canonicalText(arg));
  if (!isPositive || !STRICT.has(name)) return [];
  const operands = name.startsWith('in ') || name === 'opaque' ? args.slice(0, 1) : args;
  return operands.map((arg) => canonicalText(arg));
}

/** What is not NULL where a condition does not hold: `x` after `x IS NULL OR`. */
export function factsWhenFalse(condition: Expression): readonly string[] {
  if (condition.kind !== 'call') return [];
  if (condition.name === 'or') return condition.args.flatMap(factsWhenFalse);
  return condition.name === 'is null' ? condition.args.map((arg) => canonicalText(arg)) : [];
}

export function withFacts(facts: Facts, more: readonly string[]): Facts {
  return more.length === 0 ? facts : new Set([...facts, ...more]);
}
