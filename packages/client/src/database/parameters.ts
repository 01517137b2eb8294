import type { SqlParameter } from '../driver/contract.ts';
import { ClientError } from '../errors.ts';

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

/**
 * What an app passes as parameters, with the same result on every driver: whole numbers are INTEGER, other numbers
 * REAL, booleans 1 and 0.
 *
 * @throws ClientError `PARAMETER` for anything that SQLite has no value for, `undefined` among it.
 */
export function normalizeParameters(values: readonly unknown[]): readonly SqlParameter[] {
  return values.map(normalize);
}

function normalize(value: unknown, index: number): SqlParameter {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      // Drivers differ in what they make of a number; a bigint is an INTEGER for all of them.
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
    case 'boolean':
      return value ? 1n : 0n;
    case 'bigint':
      if (value >= MIN_INTEGER && value <= MAX_INTEGER) return value;
      throw refusal(index, 'an integer of more than 64 bits');
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return value;
      if (value instanceof ArrayBuffer) return new Uint8Array(value);
      throw refusal(
        index,
        'an object; pass text, e.g. JSON.stringify(value) or date.toISOString()',
      );
    case 'undefined':
      throw refusal(index, 'undefined; pass null for no value');
    case 'function':
    case 'symbol':
      throw refusal(index, `a ${typeof value}`);
  }
}

function refusal(index: number, what: string): ClientError {
  return new ClientError('PARAMETER', `Parameter ${index + 1} is ${what}`);
}
