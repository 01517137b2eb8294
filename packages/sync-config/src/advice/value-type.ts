import type { Expression } from '../expr/expression.ts';
import type { AdvisedQuery, KnownType } from './advised-query.ts';

const BOOLEAN = new Set([
  '=', '!=', '<', '<=', '>', '>=', 'and', 'or', 'not', 'is null', 'is not null', 'is true',
  'is not true', 'is false', 'is not false', 'between', 'in json', 'in each', 'in list', 'opaque',
  'json_valid',
]); // prettier-ignore
const INTEGER = new Set(['length', 'instr', 'cast integer', 'json_array_length']);
const TEXT = new Set([
  '||', 'upper', 'lower', 'substring', 'hex', 'base64', 'typeof', 'cast text', 'json_keys', '->',
  'datetime',
]); // prettier-ignore

/** The types that an expression's values besides NULL may have; undefined where nothing is known. */
export type ValueTypes = ReadonlySet<KnownType> | undefined;

export function valueTypes(
  expression: Expression,
  query: Pick<AdvisedQuery, 'columnType'>,
): ValueTypes {
  switch (expression.kind) {
    case 'constant':
      return constantType(expression.value);
    case 'column': {
      const type = query.columnType(expression.source, expression.column);
      return type && new Set([type]);
    }
    case 'table fact':
      return new Set(['text']);
    case 'call':
      return callTypes(expression, query);
  }
}

function constantType(value: Extract<Expression, { kind: 'constant' }>['value']): ValueTypes {
  if (value === null) return new Set();
  if (typeof value === 'bigint') return new Set(['integer']);
  if (typeof value === 'number') return new Set(['real']);
  return new Set([typeof value === 'string' ? 'text' : 'blob']);
}

function callTypes(
  { name, args }: Extract<Expression, { kind: 'call' }>,
  query: Pick<AdvisedQuery, 'columnType'>,
): ValueTypes {
  if (BOOLEAN.has(name)) return new Set(['boolean']);
  if (INTEGER.has(name)) return new Set(['integer']);
  if (TEXT.has(name)) return new Set(['text']);
  if (name === 'cast real') return new Set(['real']);
  if (name === 'cast blob' || name === 'uuid_blob') return new Set(['blob']);
  const of = (arg: Expression) => valueTypes(arg, query);
  switch (name) {
    case '+':
    case '-':
    case '*':
    case '/':
      return numberTypes(args.map(of));
    case 'ifnull':
    case 'coalesce':
      return union(args.map(of));
    case 'iif':
      return union(args.slice(1).map(of));
    case 'case':
      return union(args.filter((_, i) => i % 2 === 1 || i === args.length - 1).map(of));
    case 'case of':
      return union(args.filter((_, i) => i > 0 && (i % 2 === 0 || i === args.length - 1)).map(of));
    default:
      return undefined;
  }
}

/** Texts count as the numbers that they begin with, of either type. */
function numberTypes(operands: readonly ValueTypes[]): ValueTypes {
  const areWhole = operands.every(
    (types) => types !== undefined && [...types].every((t) => t === 'integer' || t === 'boolean'),
  );
  if (areWhole) return new Set(['integer']);
  const isReal = operands.some((types) => types?.size === 1 && types.has('real'));
  if (isReal) return new Set(['real']);
  return union(operands) && new Set(['integer', 'real']);
}

function union(operands: readonly ValueTypes[]): ValueTypes {
  const all = new Set<KnownType>();
  for (const types of operands) {
    if (types === undefined) return undefined;
    for (const type of types) all.add(type);
  }
  return all;
}
