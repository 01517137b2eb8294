import type { Fix } from '../diagnostics.ts';
import type { Expression } from '../expr/expression.ts';
import { toText } from '../values/conversions.ts';
import type { AdvisedQuery, KnownType } from './advised-query.ts';
import { pathDifference } from './path-difference.ts';
import { valueTypes } from './value-type.ts';

/** How an operator's values differ, whatever is NULL. */
export interface ValueDifference {
  readonly message: string;
  readonly fix: string | Fix;
}

type Call = Extract<Expression, { kind: 'call' }>;

/** Undefined where the values are the same, as far as types and literals tell. */
export function valueDifference(
  expression: Expression,
  query: AdvisedQuery,
): ValueDifference | undefined {
  if (expression.kind !== 'call') return undefined;
  const { name, args } = expression;
  switch (name) {
    case '||':
    case 'cast text':
      return realTextDifference(args, query);
    case 'cast integer':
      return castDifference(args, query);
    case 'upper':
    case 'lower':
      return caseDifference(expression, query) ?? realTextDifference(args, query);
    case 'length':
    case 'substring':
    case 'instr':
      return unitDifference(expression, query) ?? realTextDifference(args.slice(0, 1), query);
    case '->':
    case '->>':
    case 'json_extract':
      return pathDifference(expression, query);
    case '/':
    case 'typeof':
      return elementDifference(expression, query);
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'between':
    case 'in list':
    case 'case of':
      return affinityDifference(expression, query);
    default:
      return undefined;
  }
}

export function sourceText({ start, end }: Expression, { sql }: AdvisedQuery): string {
  return sql.slice(start, end);
}

/** A REAL without fraction is `3` as a text now, and `3.0` in SQLite. */
function realTextDifference(
  args: readonly Expression[],
  query: AdvisedQuery,
): ValueDifference | undefined {
  const real = args.find((arg) =>
    arg.kind === 'constant'
      ? typeof arg.value === 'number' && Number.isInteger(arg.value)
      : valueTypes(arg, query)?.has('real') === true,
  );
  if (real === undefined) return undefined;
  const text = sourceText(real, query);
  const message = `${text} is a REAL: without fraction it becomes the text 3 now, and 3.0 in edition 4`;
  return { message, fix: `Write CAST(${text} AS integer) where whole numbers are meant` };
}

function castDifference(
  [operand]: readonly Expression[],
  query: AdvisedQuery,
): ValueDifference | undefined {
  if (operand === undefined || valueTypes(operand, query)?.has('real') !== true) return undefined;
  if (operand.kind === 'constant' && !isNegativeFraction(operand.value)) return undefined;
  const text = sourceText(operand, query);
  const message = `Where ${text} is negative, CAST rounds down now (-1.2 to -2), and towards 0 in edition 4 (to -1)`;
  return { message, fix: 'Keep the whole number in a column, or cast only what is not negative' };
}

function isNegativeFraction(value: unknown): boolean {
  return typeof value === 'number' && value < 0 && !Number.isInteger(value);
}

/** Whether an operand can hold text; of literals the text itself decides. */
function canBeText(operand: Expression, query: AdvisedQuery): boolean {
  if (operand.kind === 'call' && ASCII_RESULTS.has(operand.name)) return false;
  const types = valueTypes(operand, query);
  return types === undefined || types.has('text');
}

const ASCII_RESULTS = new Set(['hex', 'base64', 'typeof', 'datetime']);

function literalText(operand: Expression): string | undefined {
  return operand.kind === 'constant' && operand.value !== null ? toText(operand.value) : undefined;
}

function caseDifference({ name, args }: Call, query: AdvisedQuery): ValueDifference | undefined {
  const [operand] = args;
  if (operand === undefined || !canBeText(operand, query)) return undefined;
  const text = literalText(operand);
  if (text !== undefined && /^[\0-\x7f]*$/.test(text)) return undefined; // eslint-disable-line no-control-regex
  const message = `${name} changes all letters now, and only a to z in edition 4 (é stays)`;
  return { message, fix: 'Keep the folded text in a column of its own' };
}

function unitDifference({ name, args }: Call, query: AdvisedQuery): ValueDifference | undefined {
  const [operand] = args;
  if (operand === undefined || !canBeText(operand, query)) return undefined;
  const text = literalText(operand);
  if (text !== undefined && !/[\ud800-\udfff]/.test(text)) return undefined;
  const message = `${name} counts characters such as emoji as 2 now, and as 1 in edition 4`;
  return { message, fix: 'Keep the result in a column of its own, or make it on the device' };
}

/** Numbers in JSON arrays are REAL now, and INTEGER in SQLite where they have no fraction. */
function elementDifference({ name, args }: Call, query: AdvisedQuery): ValueDifference | undefined {
  const isElement = (arg: Expression) =>
    arg.kind === 'column' && arg.column === 'value' && query.isElement(arg.source);
  const element = args.find(isElement);
  if (element === undefined) return undefined;
  const text = sourceText(element, query);
  if (name === 'typeof') {
    const message = `Numbers in ${text} are real now, and integer in edition 4 where they have no fraction`;
    return { message, fix: `Write typeof(CAST(${text} AS real)) if it is a number` };
  }
  const isWhole = args.every((arg) => isElement(arg) || isInteger(arg, query));
  if (!isWhole) return undefined;
  const message = `Numbers in ${text} are REAL now (5 / 2 = 2.5), and INTEGER in edition 4 where they have no fraction (2)`;
  const { start, end } = element;
  const cast = `CAST(${text} AS real)`;
  return { message, fix: { text: `Write ${cast}`, edit: { start, end, text: cast } } };
}

function isInteger(arg: Expression, query: AdvisedQuery): boolean {
  const types = valueTypes(arg, query);
  return types?.size === 1 && types.has('integer');
}

/** Values of different types are never equal now; in SQLite a CAST converts the other side. */
function affinityDifference(
  { name, args }: Call,
  query: AdvisedQuery,
): ValueDifference | undefined {
  const [left] = args;
  if (left === undefined) return undefined;
  for (const right of comparedWith(name, args.slice(1))) {
    const found = castComparison(left, right, query) ?? castBack(name, left, right, query);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The items of IN have no affinity in SQLite, whatever they are. */
function castBack(
  name: string,
  left: Expression,
  right: Expression,
  query: AdvisedQuery,
): ValueDifference | undefined {
  return name === 'in list' ? undefined : castComparison(right, left, query);
}

/** What the first operand is compared with; of CASE only what stands behind WHEN. */
function comparedWith(name: string, rest: readonly Expression[]): readonly Expression[] {
  if (name !== 'case of') return rest;
  return rest.filter((_, i) => i % 2 === 0 && i + 1 < rest.length);
}

function castComparison(
  cast: Expression,
  other: Expression,
  query: AdvisedQuery,
): ValueDifference | undefined {
  if (cast.kind !== 'call' || !cast.name.startsWith('cast ')) return undefined;
  const isToText = cast.name === 'cast text';
  // Of two casts the one to a number decides, in SQLite.
  const isOtherCast = other.kind === 'call' && other.name.startsWith('cast ');
  if (cast.name === 'cast blob' || (isToText && isOtherCast)) return undefined;
  const types = valueTypes(other, query);
  const has = (type: KnownType) => types?.has(type) === true;
  const isOther = isToText
    ? has('integer') || has('real') || has('boolean')
    : has('text') && !isPlainWord(other);
  if (!isOther) return undefined;
  const text = sourceText(other, query);
  const [from, to] = isToText ? ['number', 'text'] : ['text', 'number'];
  const message = `A ${from} and a ${to} are never equal now; in edition 4 the CAST turns ${text} into a ${to}`;
  const { start, end } = other;
  const literal = other.kind === 'constant' ? other.value : undefined;
  const written =
    isToText && (typeof literal === 'bigint' || typeof literal === 'number')
      ? `'${toText(literal)}'`
      : typeof literal === 'string' && /^-?\d+(\.\d+)?$/.test(literal)
        ? literal
        : undefined;
  if (written === undefined) return { message, fix: `Write CAST(${text} AS ...) as well` };
  return { message, fix: { text: `Write ${written}`, edit: { start, end, text: written } } };
}

/** A literal that no conversion would make a number of. */
function isPlainWord(other: Expression): boolean {
  const text = literalText(other);
  return text !== undefined && (text.trim() === '' || Number.isNaN(Number(text)));
}
