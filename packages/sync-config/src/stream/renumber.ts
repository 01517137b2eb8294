import type { Expression } from '../expr/expression.ts';

/**
 * Gives sources other numbers. Numbers that depend only on the part of a query itself make equal
 * parts of different queries equal as text, so that they can share lookups and buckets.
 */
export function renumber(expression: Expression, numbers: ReadonlyMap<number, number>): Expression {
  switch (expression.kind) {
    case 'constant':
      return expression;
    case 'column':
    case 'table fact':
      return { ...expression, source: numbers.get(expression.source) ?? expression.source };
    case 'call':
      return { ...expression, args: expression.args.map((arg) => renumber(arg, numbers)) };
  }
}
