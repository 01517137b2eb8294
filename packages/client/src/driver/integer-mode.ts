import type { SqlValue } from './contract.ts';

/**
 * How integers of SQLite, which have 64 bits, come out (spec/client.md 1.2): `auto` as `number` where that is exact, and as `bigint`
 * beyond 2^53; `number` always so, rounded beyond 2^53; `bigint` always so. Values that are not integers stay as they are.
 */
export type IntegerMode = 'auto' | 'number' | 'bigint';

/** An integer that came out exactly, in the form of the mode. */
export function integerIn(mode: IntegerMode, exact: number | bigint): number | bigint {
  if (mode === 'bigint') return BigInt(exact);
  if (typeof exact === 'number') return exact;
  const number = Number(exact);
  return mode === 'number' || Number.isSafeInteger(number) ? number : exact;
}

/** What a column of integers holds; other programs may have stored other things there, which stay as they are. */
export function integerColumnIn(mode: IntegerMode, stored: SqlValue): SqlValue {
  const isInteger =
    typeof stored === 'bigint' || (typeof stored === 'number' && Number.isInteger(stored));
  return isInteger ? integerIn(mode, stored) : stored;
}
