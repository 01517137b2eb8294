import type { SqliteValue } from '@sluice/model';
import type { RowValues, RowWrite, StoredRow } from '../pipeline/row-write.ts';
import { Rejection } from '../rejection.ts';
import { addDecimals, formatDecimal, parseDecimal } from './decimal.ts';
import { isSameValue } from './same-value.ts';

const ONE = { digits: 1n, scale: 0 };

/**
 * Refuses a change of a row that is no longer at the version which the client saw: `old` of the entry,
 * or the value that it sends. The version itself is the server's: 1 at first, and one more with every
 * update. `stored` undefined: an insert.
 *
 * @throws Rejection `UPLOAD_STALE` with the row as it is; `UPLOAD_BASE_MISSING` without a version.
 */
export function rejectStale(write: RowWrite, stored: StoredRow, column: string): RowWrite {
  if (stored === undefined) return withValue(write, column, 1n);
  const now = stored.get(column) ?? null;
  const seen = (write.base?.has(column) === true ? write.base : write.values).get(column);
  if (seen === undefined) {
    const message = `A change of ${write.table} must say which ${column} it saw`;
    throw new Rejection('UPLOAD_BASE_MISSING', message);
  }
  if (!isSameValue(seen, now)) {
    const message = `The row of ${write.table} has changed since: ${column} is no longer what it was`;
    throw new Rejection('UPLOAD_STALE', message, { row: stored });
  }
  if (write.op === 'DELETE') return write;
  const isNothing = [...write.values.keys()].every((name) => name === column);
  return isNothing ? withoutValue(write, column) : withValue(write, column, nextVersion(now));
}

function nextVersion(version: SqliteValue): SqliteValue {
  if (version === null) return 1n;
  const number = parseDecimal(version);
  if (number === undefined) return 1n;
  const next = addDecimals(number, ONE);
  return typeof version === 'string'
    ? formatDecimal(next)
    : next.digits / 10n ** BigInt(next.scale);
}

function withValue(write: RowWrite, column: string, value: SqliteValue): RowWrite {
  return { ...write, values: new Map<string, SqliteValue>([...write.values, [column, value]]) };
}

function withoutValue(write: RowWrite, column: string): RowWrite {
  const values: RowValues = new Map([...write.values].filter(([name]) => name !== column));
  return { ...write, values };
}
