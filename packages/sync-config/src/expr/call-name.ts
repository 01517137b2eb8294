import type { CallSyntax } from '../sql/syntax.ts';

/** `a.b` of `A.b(x)`. */
export function callName(call: CallSyntax): string {
  return call.name.map((part) => part.name.toLowerCase()).join('.');
}
