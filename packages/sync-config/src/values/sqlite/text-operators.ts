import type { Operator } from '../dialect.ts';
import { strictBinary, strictUnary } from '../shapes.ts';
import { toBytes, toInteger, toNumeric, toReal, toText } from './conversions.ts';
import { createLikeOperators } from './like.ts';

/** `||`, the casts, and LIKE with its kin. */
export function createTextOperators(): Map<string, Operator> {
  return new Map<string, Operator>([
    ['||', strictBinary((a, b) => toText(a) + toText(b))],
    ['cast text', strictUnary(toText)],
    ['cast integer', strictUnary(toInteger)],
    ['cast real', strictUnary(toReal)],
    ['cast numeric', strictUnary(toNumeric)],
    ['cast blob', strictUnary(toBytes)],
    ...createLikeOperators(),
  ]);
}
