import type { SqliteValue } from '@sluice/model';
import type { RowValues } from '../../pipeline/row-write.ts';
import type { ColumnValue, GivenValue, GivenValues } from '../define.ts';

/** Column values as a function sees them: whole numbers as `number` where that is exact. */
export function shownValues(values: RowValues): Record<string, ColumnValue> {
  const shown: Record<string, ColumnValue> = {};
  for (const [column, value] of values) define(shown, column, shownValue(value));
  return shown;
}

/**
 * What a function gave, as values of columns. A value it left alone keeps its type: the REAL 1.0
 * that it saw as 1 does not become an INTEGER.
 *
 * @throws TypeError for what no column can hold.
 */
export function givenToValues(given: GivenValues, before: RowValues): RowValues {
  const values = new Map<string, SqliteValue>();
  for (const [column, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const known = before.get(column);
    const isSame = known !== undefined && Object.is(shownValue(known), value);
    values.set(column, isSame ? known : sqliteValue(column, value));
  }
  return values;
}

function shownValue(value: SqliteValue): ColumnValue {
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function sqliteValue(column: string, value: Exclude<GivenValue, undefined>): SqliteValue {
  if (value === null || value instanceof Uint8Array) return value;
  if (typeof value === 'string' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') {
    if (Number.isNaN(value)) throw new TypeError(`The value for ${column} is NaN`);
    return Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (value instanceof Date) return value.toISOString();
  // What the types do not permit, JavaScript may give all the same.
  if (typeof value === 'object') return JSON.stringify(value);
  throw new TypeError(`The value for ${column} is a ${typeof value}`);
}

/** Also for a column that is called `__proto__`. */
function define(target: Record<string, ColumnValue>, column: string, value: ColumnValue): void {
  Object.defineProperty(target, column, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
