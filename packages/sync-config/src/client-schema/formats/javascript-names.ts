import type { NamingStyle } from './identifiers.ts';
import { wordSet } from './identifiers.ts';
import { jsLiteral } from './string-literal.ts';

const RESERVED = `
  arguments as async await break case catch class const continue debugger default delete do else
  enum eval export extends false finally for from function get if implements import in instanceof
  interface let new null of package private protected public return set static super switch this
  throw true try type typeof undefined var void while with yield`;

/** Names that a table constant or a function cannot have in a generated module. */
export function javascriptNames(
  letterCase: NamingStyle['letterCase'],
  fallback: string,
  ...ownNames: readonly string[]
): NamingStyle {
  return { letterCase, fallback, reserved: wordSet(RESERVED, ...ownNames) };
}

/** A name as the key of an object literal or type. */
export function objectKey(name: string): string {
  // Written plainly, __proto__ would set the prototype.
  if (name === '__proto__') return "['__proto__']";
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : jsLiteral(name);
}
