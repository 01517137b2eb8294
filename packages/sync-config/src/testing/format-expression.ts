import type { SqliteValue } from '@sluice/model';
import { REQUEST_SOURCE, type Expression } from '../expr/expression.ts';

/** How tightly operators bind; what is missing needs no brackets. Source: spec/sync-config.md 3.3. */
const LEVELS: Readonly<Record<string, number>> = {
  or: 1, and: 2, not: 3, '=': 4, '!=': 4, 'is null': 5, 'is not null': 5, 'is true': 5,
  'is not true': 5, 'is false': 5, 'is not false': 5, '<': 6, '<=': 6, '>': 6, '>=': 6, between: 7,
  'in json': 10, 'in each': 10, 'in list': 10, '+': 11, '-': 11, '||': 11, '*': 12, '/': 12,
  '->': 16, '->>': 16,
}; // prettier-ignore

/** A bound expression in the words of SQL; the row's columns stand bare, others behind their source. */
export function formatExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'constant':
      return formatValue(expression.value);
    case 'column':
      return formatColumn(expression.source, expression.column);
    case 'table fact':
      return `${expression.fact.replace(' ', '_')}()`;
    case 'call':
      return expression.table === 'function'
        ? `${expression.name}(${list(expression.args)})`
        : formatOperator(expression.name, expression.args);
  }
}

function formatColumn(source: number, column: string): string {
  if (source === REQUEST_SOURCE) return `${column}.parameters()`;
  const name = /^[a-z_][a-z0-9_]*$/.test(column) ? column : `"${column}"`;
  return source === 0 ? name : `each${source}.${name}`;
}

function formatValue(value: SqliteValue): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'object') return `x'${Buffer.from(value).toString('hex')}'`;
  return typeof value === 'number' && Number.isInteger(value) ? `${value}.0` : String(value);
}

function formatOperator(name: string, args: readonly Expression[]): string {
  const [first, ...rest] = args.map((arg, i) => operand(arg, name, i));
  if (name === 'parameter') return formatParameter(args);
  if (name === 'not') return `NOT ${first}`;
  if (name.startsWith('is ')) return `${first} ${name.toUpperCase()}`;
  if (name === 'between') return `${first} BETWEEN ${rest.join(' AND ')}`;
  if (name === 'in json') return `${first} IN array(${list(args.slice(1))})`;
  if (name === 'in each') return `${first} IN json_each(${list(args.slice(1))})`;
  if (name === 'in list') return `${first} IN (${list(args.slice(1))})`;
  if (name.startsWith('cast ')) return `CAST(${list(args)} AS ${name.slice(5)})`;
  if (name === 'case') return formatCase('CASE', args);
  if (name === 'case of') return formatCase(`CASE ${first}`, args.slice(1));
  if (name === 'coalesce') return `coalesce(${list(args)})`;
  return `${first} ${name.toUpperCase()} ${rest.join(' ')}`;
}

function operand(arg: Expression, parent: string, index: number): string {
  const text = formatExpression(arg);
  const level = arg.kind === 'call' && arg.table === 'operator' ? LEVELS[arg.name] : undefined;
  const outer = LEVELS[parent];
  if (level === undefined || outer === undefined) return text;
  return level < outer || (level === outer && index > 0) ? `(${text})` : text;
}

function formatParameter([source, key]: readonly Expression[]): string {
  if (source?.kind !== 'column' || key === undefined) return 'parameter()';
  const text = formatExpression(key);
  return text === "'$.sub'" ? `${source.column}.user_id()` : `${source.column}.parameter(${text})`;
}

/** Arguments: when, then, when, then ..., and the ELSE when their number is odd. */
function formatCase(head: string, args: readonly Expression[]): string {
  const parts = [head];
  args.forEach((arg, i) => {
    const isElse = i === args.length - 1 && i % 2 === 0;
    const word = isElse ? 'ELSE' : i % 2 === 0 ? 'WHEN' : 'THEN';
    parts.push(`${word} ${formatExpression(arg)}`);
  });
  return `${parts.join(' ')} END`;
}

function list(args: readonly Expression[]): string {
  return args.map(formatExpression).join(', ');
}
