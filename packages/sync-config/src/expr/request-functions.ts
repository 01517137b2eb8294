import type { CallSyntax, ExprSyntax } from '../sql/syntax.ts';
import type { BindContext } from './bind-context.ts';
import { bindExpression } from './bind.ts';
import { constant, operatorCall, REQUEST_SOURCE, type Expression } from './expression.ts';

/** The slots of a request, in this order. Each holds JSON text. Source: spec/sync-config.md 7. */
export const REQUEST_COLUMNS = ['auth', 'connection', 'subscription', 'token_parameters'] as const;
export type RequestColumn = (typeof REQUEST_COLUMNS)[number];

/** Whether the value comes from the verified token. */
function isAuthenticated(column: string): boolean {
  return column === 'auth' || column === 'token_parameters';
}

export const STREAM_REQUEST_FUNCTIONS: readonly string[] = [
  'auth.user_id',
  ...['auth', 'connection', 'subscription'].flatMap((on) => [
    `${on}.parameters`,
    `${on}.parameter`,
  ]),
];

export const LEGACY_REQUEST_FUNCTIONS: readonly string[] = [
  'request.user_id',
  'request.jwt',
  'request.parameters',
  'request.parameter',
];

const SOURCES: Readonly<Record<string, readonly [RequestColumn, 'all' | 'user_id' | 'parameter']>> =
  {
    'auth.user_id': ['auth', 'user_id'],
    'auth.parameters': ['auth', 'all'],
    'auth.parameter': ['auth', 'parameter'],
    'connection.parameters': ['connection', 'all'],
    'connection.parameter': ['connection', 'parameter'],
    'subscription.parameters': ['subscription', 'all'],
    'subscription.parameter': ['subscription', 'parameter'],
    'request.user_id': ['auth', 'user_id'],
    'request.jwt': ['auth', 'all'],
    'request.parameters': ['connection', 'all'],
    'request.parameter': ['connection', 'parameter'],
  };

/** Binds a call of a request function; undefined when the name is none of `allowed`. */
export function bindRequestCall(
  call: CallSyntax,
  context: BindContext,
  allowed: readonly string[],
): Expression | undefined {
  const name = call.name.map((part) => part.name.toLowerCase()).join('.');
  const source = SOURCES[name];
  if (source === undefined || !allowed.includes(name)) return undefined;
  const [column, what] = source;
  const wanted = what === 'parameter' ? 1 : 0;
  if (call.args.length !== wanted) {
    const message = `${name} takes ${wanted === 0 ? 'no arguments' : '1 argument'}`;
    const { start, end } = call;
    const text = `${name}()`;
    const fix =
      wanted === 0
        ? { text: `Write ${text}`, edit: { start, end, text } }
        : `Write ${name}('name')`;
    context.report.error('ARG_COUNT', call, message, fix);
    return constant(null, call);
  }
  const all = requestColumn(column, call);
  if (what === 'all') return all;
  if (what === 'user_id') return operatorCall('parameter', [all, constant('$.sub', call)], call);
  const [key] = call.args;
  if (key === undefined) return constant(null, call);
  return operatorCall('parameter', [all, bindKey(key, name, context)], call);
}

/** The name of a parameter, which people tend to forget the quotes of. */
function bindKey(key: ExprSyntax, name: string, context: BindContext): Expression {
  const word = key.kind === 'name' && key.parts.length === 1 ? key.parts[0] : undefined;
  const bound = word?.quoted === true ? undefined : bindExpression(key, context);
  if (word === undefined || (bound !== undefined && !context.isRowColumn(bound))) {
    return bound ?? constant(null, key);
  }
  const { start, end } = key;
  const fix = { text: `Write '${word.raw}'`, edit: { start, end, text: `'${word.raw}'` } };
  const message = `${name} needs a text; ${context.sql.slice(start, end)} is a column`;
  context.report.error('MIXED_EXPR', key, message, fix);
  return constant(word.raw, key);
}

export function requestColumn(
  column: RequestColumn,
  span: { readonly start: number; readonly end: number },
): Expression {
  return { kind: 'column', source: REQUEST_SOURCE, column, start: span.start, end: span.end };
}

export function isAnyAuthenticated(expressions: readonly Expression[]): boolean {
  return expressions.some((expression) => clientValues(expression, isAuthenticated).length > 0);
}

/** The parts of an expression that are values which a client can set as it likes. */
export function unauthenticatedValues(expression: Expression): readonly Expression[] {
  return clientValues(expression, (column) => !isAuthenticated(column));
}

/** The smallest parts that read one value: `subscription.parameter('x')` rather than all of them. */
function clientValues(
  expression: Expression,
  accepts: (column: string) => boolean,
): readonly Expression[] {
  if (expression.kind === 'column') {
    return expression.source === REQUEST_SOURCE && accepts(expression.column) ? [expression] : [];
  }
  if (expression.kind !== 'call') return [];
  const values = expression.args.flatMap((arg) => clientValues(arg, accepts));
  const [of] = expression.args;
  const isMember = expression.name === 'parameter' || expression.name === '->>';
  return isMember && of !== undefined && values.length === 1 && values[0] === of
    ? [expression]
    : values;
}

/** `subscription.parameter('x')`, as streams write it. */
export function requestValueName(value: Expression): string {
  if (value.kind === 'column') return `${value.column}.parameters()`;
  const [of, key] = value.kind === 'call' ? value.args : [];
  const name = of?.kind === 'column' ? of.column : 'request';
  const text = key?.kind === 'constant' ? `'${String(key.value)}'` : '...';
  return `${name}.parameter(${text})`;
}

export function isAnySubscription(expressions: readonly Expression[]): boolean {
  return expressions.some(
    (expression) => clientValues(expression, (c) => c === 'subscription').length > 0,
  );
}
