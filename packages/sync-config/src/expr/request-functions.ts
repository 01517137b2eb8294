import type { CallSyntax } from '../sql/syntax.ts';
import { bindExpression, type BindContext } from './bind.ts';
import {
  constant,
  operatorCall,
  REQUEST_SOURCE,
  visitReferences,
  type Expression,
} from './expression.ts';

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
    context.report.error('ARG_COUNT', call, message);
    return constant(null, call);
  }
  const all = requestColumn(column, call);
  if (what === 'all') return all;
  if (what === 'user_id') return operatorCall('parameter', [all, constant('$.sub', call)], call);
  const [key] = call.args;
  if (key === undefined) return constant(null, call);
  return operatorCall('parameter', [all, bindExpression(key, context)], call);
}

export function requestColumn(
  column: RequestColumn,
  span: { readonly start: number; readonly end: number },
): Expression {
  return { kind: 'column', source: REQUEST_SOURCE, column, start: span.start, end: span.end };
}

export function isAnyAuthenticated(expressions: readonly Expression[]): boolean {
  return expressions.some((expression) => readsRequest(expression, isAuthenticated));
}

export function isAnyUnauthenticated(expressions: readonly Expression[]): boolean {
  return expressions.some((expression) => readsRequest(expression, (c) => !isAuthenticated(c)));
}

export function isAnySubscription(expressions: readonly Expression[]): boolean {
  return expressions.some((expression) => readsRequest(expression, (c) => c === 'subscription'));
}

function readsRequest(expression: Expression, accepts: (column: string) => boolean): boolean {
  let found = false;
  visitReferences(expression, (source, column) => {
    if (source === REQUEST_SOURCE && accepts(column)) found = true;
  });
  return found;
}
