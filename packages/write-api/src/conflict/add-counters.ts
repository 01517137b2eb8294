import type { SqliteValue } from '@sluice/model';
import type { RowValues, RowWrite } from '../pipeline/row-write.ts';
import { Rejection } from '../rejection.ts';
import { addDecimals, formatDecimal, parseDecimal, type Decimal } from './decimal.ts';

const ZERO: Decimal = { digits: 0n, scale: 0 };

/**
 * Adds what the client added, instead of writing the sum that it saw: two who each count one up make
 * two (spec/client.md 6.3). A PUT, and NULL, set the value.
 *
 * @throws Rejection `UPLOAD_BASE_MISSING` without a value from before; `UPLOAD_VALUE_INVALID` for what
 * is no number.
 */
export function addCounters(
  write: RowWrite,
  stored: RowValues,
  columns: readonly string[],
): RowWrite {
  if (write.op !== 'PATCH') return write;
  const values = new Map(write.values);
  for (const column of columns) {
    const value = values.get(column);
    if (value === undefined || value === null) continue;
    const before = write.base?.get(column);
    if (before === undefined) {
      const message = `A change of ${column} of ${write.table} must say what it was before`;
      throw new Rejection('UPLOAD_BASE_MISSING', message);
    }
    values.set(column, sum(stored.get(column) ?? null, value, before, column));
  }
  return { ...write, values };
}

function sum(
  stored: SqliteValue,
  value: SqliteValue,
  before: SqliteValue,
  column: string,
): SqliteValue {
  const [a, b, c] = [stored, value, before].map((part) =>
    part === null ? ZERO : parseDecimal(part),
  );
  if (a === undefined || b === undefined || c === undefined) {
    throw new Rejection('UPLOAD_VALUE_INVALID', `${column} counts, so it must be a number`);
  }
  const total = addDecimals(a, addDecimals(b, c, -1n));
  if (total.scale === 0) return typeof stored === 'string' ? String(total.digits) : total.digits;
  const text = formatDecimal(total);
  return typeof stored === 'number' ? Number(text) : text;
}
