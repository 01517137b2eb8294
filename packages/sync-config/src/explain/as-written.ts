import type { Expression } from '../expr/expression.ts';
import { formatExpression } from '../expr/format-expression.ts';
import type { RequestWords } from '../expr/request-words.ts';
import type { Dialect } from '../values/dialect.ts';

/**
 * SQL text of an expression for people: without what the binder added so that comparisons obey
 * affinities and collations (edition 4, expr/comparisons.ts).
 */
export function writtenSql(expression: Expression, dialect: Dialect, words?: RequestWords): string {
  return formatExpression(dialect.hasAffinity ? asWritten(expression) : expression, words);
}

function asWritten(expression: Expression): Expression {
  if (expression.kind !== 'call') return expression;
  const args = expression.args.map(asWritten);
  const [first, second] = args;
  if (expression.table === 'function' || first === undefined) return { ...expression, args };
  const { name } = expression;
  if (name === 'column' || name.startsWith('affinity ')) return first;
  // How operands compare stands as a constant behind the operand that it is for.
  if (name === 'between') return { ...expression, args: args.filter((_, i) => i % 2 === 0) };
  if (name.startsWith('in ') && args.length > 2) {
    return { ...expression, args: [first, ...args.slice(2)] };
  }
  if (name === 'case by') return { ...expression, name: 'case of', args: withoutHow(args) };
  const collated = /^(.+) (nocase|rtrim)$/.exec(name);
  if (collated === null || name.startsWith('collate ')) return { ...expression, args };
  const [, plain = name, collation = ''] = collated;
  const hasOwn = [first, second].some(
    (arg) => arg?.kind === 'call' && arg.name.startsWith('collate '),
  );
  const named = hasOwn ? args : [collate(first, collation), ...args.slice(1)];
  return { ...expression, name: plain, args: named };
}

/** Operand, then (how, when, then) for each branch, then perhaps ELSE. */
function withoutHow([operand, ...rest]: readonly Expression[]): Expression[] {
  const isElse = (i: number) => i === rest.length - 1 && rest.length % 3 === 1;
  const kept = rest.filter((_, i) => isElse(i) || i % 3 !== 0);
  return operand === undefined ? kept : [operand, ...kept];
}

function collate(operand: Expression, collation: string): Expression {
  const { start, end } = operand;
  const name = `collate ${collation}`;
  return { kind: 'call', table: 'operator', name, args: [operand], start, end };
}
