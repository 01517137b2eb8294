import type { SqliteValue } from '@sluice/model';
import type { Grammar } from './grammar.ts';
import { SqlSyntaxError } from './sql-syntax-error.ts';
import type { Token } from './token.ts';
import { MAX_INTEGER, MIN_INTEGER, readReal } from '../values/sqlite/number-text.ts';

/** The value of a number, with its sign, or BLOB. In SQLite, integers beyond 64 bits are REAL. */
export function literalValue(token: Token, grammar: Grammar): SqliteValue {
  if (token.kind === 'blob') return new Uint8Array(Buffer.from(token.value, 'hex'));
  if (grammar.isSqlite && /^-?0[xX]/.test(token.value)) return hexInteger(token);
  const value = token.kind === 'integer' ? BigInt(token.value) : undefined;
  if (value === undefined) return readReal(token.value).value;
  if (value <= MAX_INTEGER && value >= MIN_INTEGER) return value;
  if (grammar.isSqlite) return readReal(token.value).value;
  const message = 'This integer does not fit into 64 bits';
  throw new SqlSyntaxError('SQL_SYNTAX', token, message, `Write ${token.value}.0 for a REAL`);
}

/** Sixteen hex digits are the bits of a signed integer. */
function hexInteger(token: Token): SqliteValue {
  const bits = BigInt(token.value.replace('-', ''));
  const value = BigInt.asIntN(64, bits);
  const isNegative = token.value.startsWith('-');
  if (bits >> 64n === 0n && !(isNegative && value === MIN_INTEGER)) {
    return isNegative ? -value : value;
  }
  throw new SqlSyntaxError('SQL_SYNTAX', token, 'This hex number does not fit into 64 bits');
}
