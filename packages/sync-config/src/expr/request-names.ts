import type { Fix, Span } from '../diagnostics.ts';
import type { Identifier } from '../sql/syntax.ts';

/** What was probably meant by `auth.user_id`, `bucket.x` and the like, where they are no table. */
export interface MistakenName {
  readonly message: string;
  readonly fix: string | Fix;
}

type Write = (name: string) => string;

const parameter =
  (of: string): Write =>
  (name) =>
    `${of}.parameter('${name}')`;

/** Request data in streams, by the word in front of the dot. */
const STREAM: Readonly<Record<string, Write>> = {
  auth: parameter('auth'),
  connection: parameter('connection'),
  subscription: parameter('subscription'),
  user_parameters: parameter('connection'),
  request: parameter('connection'),
  token_parameters: (name) =>
    name === 'user_id' ? 'auth.user_id()' : `auth.parameters() ->> '$.parameters.${name}'`,
};

const LEGACY: Readonly<Record<string, Write>> = {
  auth: (name) => `request.jwt() ->> '${name}'`,
  connection: parameter('request'),
  request: parameter('request'),
};

/** Functions that lack their brackets. */
const CALLS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  stream: {
    'auth.user_id': 'auth.user_id()', 'auth.uid': 'auth.user_id()',
    'auth.parameters': 'auth.parameters()', 'connection.parameters': 'connection.parameters()',
    'subscription.parameters': 'subscription.parameters()', 'request.user_id': 'auth.user_id()',
    'request.jwt': 'auth.parameters()', 'request.parameters': 'connection.parameters()',
  },
  legacy: {
    'request.user_id': 'request.user_id()', 'request.jwt': 'request.jwt()',
    'request.parameters': 'request.parameters()', 'auth.user_id': 'request.user_id()',
    'auth.uid': 'request.user_id()', 'auth.parameters': 'request.jwt()',
    'connection.parameters': 'request.parameters()',
  },
}; // prettier-ignore

/** Undefined when the qualifier has nothing to do with the request. */
export function mistakenRequestName(
  dialect: 'stream' | 'legacy',
  qualifier: Identifier,
  column: Identifier,
): MistakenName | undefined {
  const span: Span = { start: qualifier.start, end: column.end };
  const written = `${qualifier.raw}.${column.raw}`;
  if (qualifier.name === 'bucket') {
    return dialect === 'stream'
      ? {
          message: `Streams have no bucket parameters such as ${written}`,
          fix: 'Compare with the value itself, such as auth.user_id()',
        }
      : {
          message: `${written} is only known in data queries`,
          fix: 'Compare with request.user_id() or another value of the request',
        };
  }
  const call = CALLS[dialect]?.[`${qualifier.name}.${column.name}`];
  const write = (dialect === 'stream' ? STREAM : LEGACY)[qualifier.name];
  const text = call ?? write?.(column.raw);
  if (text === undefined) return undefined;
  const isCall = call?.startsWith(`${qualifier.name}.${column.name}`) === true;
  const message = isCall ? `${written} is a function` : `There is no value ${written}`;
  return { message, fix: { text: `Write ${text}`, edit: { ...span, text } } };
}
