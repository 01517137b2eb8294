import type { SqliteValue } from '@sluice/model';
import { REQUEST_SOURCE, type Expression } from './expression.ts';
import { STREAM_WORDS, type RequestWords } from './request-words.ts';

/** How tightly operators bind; what is missing needs no brackets. Source: spec/sync-config.md 3.3. */
const LEVELS: Readonly<Record<string, number>> = {
  or: 1, and: 2, not: 3, '=': 4, '!=': 4, 'is null': 5, 'is not null': 5, 'is true': 5,
  'is not true': 5, 'is false': 5, 'is not false': 5, '<': 6, '<=': 6, '>': 6, '>=': 6, between: 7,
  'in json': 10, 'in each': 10, 'in list': 10, '+': 11, '-': 11, '||': 11, '*': 12, '/': 12,
  '%': 12, '<<': 6, '>>': 6, '&': 8, '|': 8, is: 5, 'is not': 5, '->': 16, '->>': 16,
}; // prettier-ignore

/**
 * A bound expression in the words of SQL; the row's columns stand bare, others behind their source.
 * What the compiler made of a condition (NOT pushed inwards, OR taken apart) shows.
 */
export function formatExpression(
  expression: Expression,
  words: RequestWords = STREAM_WORDS,
): string {
  switch (expression.kind) {
    case 'constant':
      return formatValue(expression.value);
    case 'column':
      return formatColumn(expression.source, expression.column, words);
    case 'table fact':
      return `${expression.fact.replace(' ', '_')}()`;
    case 'call':
      return expression.table === 'function'
        ? `${expression.name}(${list(expression.args, words)})`
        : formatOperator(expression.name, expression.args, words);
  }
}

function formatColumn(source: number, column: string, words: RequestWords): string {
  if (source === REQUEST_SOURCE) return words.all(column);
  const name = /^[a-z_][a-z0-9_]*$/.test(column) ? column : `"${column}"`;
  return source === 0 ? name : `each${source}.${name}`;
}

/** A value as an SQL literal; a REAL always has a point or exponent. */
export function formatValue(value: SqliteValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'object') return `x'${Buffer.from(value).toString('hex')}'`;
  return typeof value === 'number' && Number.isInteger(value) ? `${value}.0` : String(value);
}

function formatOperator(name: string, args: readonly Expression[], words: RequestWords): string {
  const [first, ...rest] = args.map((arg, i) => operand(arg, name, i, words));
  if (name === 'parameter') return formatParameter(args, words);
  if (name === 'not') return `NOT ${first}`;
  if (name.startsWith('is ') && rest.length === 0) return `${first} ${name.toUpperCase()}`;
  if (name === 'between') return `${first} BETWEEN ${rest.join(' AND ')}`;
  if (name === 'in json') return `${first} IN array(${list(args.slice(1), words)})`;
  if (name === 'in each') return `${first} IN json_each(${list(args.slice(1), words)})`;
  if (name === 'in list') return `${first} IN (${list(args.slice(1), words)})`;
  if (name.startsWith('collate ')) return `${first} ${name.toUpperCase()}`;
  if (name.startsWith('unary ')) return `${name.slice(6)}${first}`;
  if (name === '~') return `~${first}`;
  if (name.startsWith('cast ')) return `CAST(${list(args, words)} AS ${name.slice(5)})`;
  if (name === 'case') return formatCase('CASE', args, words);
  if (name === 'case of') return formatCase(`CASE ${first}`, args.slice(1), words);
  if (name === 'coalesce') return `coalesce(${list(args, words)})`;
  return `${first} ${name.toUpperCase()} ${rest.join(' ')}`;
}

function operand(arg: Expression, parent: string, index: number, words: RequestWords): string {
  const text = formatExpression(arg, words);
  const level = arg.kind === 'call' && arg.table === 'operator' ? LEVELS[arg.name] : undefined;
  const outer = LEVELS[parent];
  if (level === undefined || outer === undefined) return text;
  return level < outer || (level === outer && index > 0) ? `(${text})` : text;
}

function formatParameter([source, key]: readonly Expression[], words: RequestWords): string {
  if (source?.kind !== 'column' || key === undefined) return 'parameter()';
  return words.one(source.column, formatExpression(key, words));
}

/** Arguments: when, then, when, then ..., and the ELSE when their number is odd. */
function formatCase(head: string, args: readonly Expression[], words: RequestWords): string {
  const parts = [head];
  args.forEach((arg, i) => {
    const isElse = i === args.length - 1 && i % 2 === 0;
    const word = isElse ? 'ELSE' : i % 2 === 0 ? 'WHEN' : 'THEN';
    parts.push(`${word} ${formatExpression(arg, words)}`);
  });
  return `${parts.join(' ')} END`;
}

function list(args: readonly Expression[], words: RequestWords): string {
  return args.map((arg) => formatExpression(arg, words)).join(', ');
}
