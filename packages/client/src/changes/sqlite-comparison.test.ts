import { openConnection } from '@sluice/client-node';
import { expect, test } from 'vitest';
import { normalizeParameters } from '../database/parameters.ts';
import type { SqlValue } from '../driver/contract.ts';
import { affinityOf, comparisonMayHold, type ComparisonOperator } from './sqlite-comparison.ts';

const VALUES: readonly SqlValue[] = [
  [null, 0, 1, 5, -1, 10, 0.5, -0, 1e300, Infinity, -Infinity, 2 ** 53, 9007199254740993n],
  [2n ** 63n - 1n, -(2n ** 63n), '', 'abc', 'ABC', 'abcd', 'open', '5', '05', '5.0', ' 5', '1e1'],
  ['é', '\u{ffff}', '\u{1f600}', '\ud83d', 'a\0b', '2026-11-25', '9007199254740993'],
  [new Uint8Array([1]), new Uint8Array([97, 98, 99]), new Uint8Array([])],
].flat();
const OPERATORS: readonly ComparisonOperator[] = ['=', '!=', '<', '<=', '>', '>='];

/** Whether sync can bring it: neither bytes nor infinite numbers. */
function isJson(value: SqlValue): boolean {
  return !(value instanceof Uint8Array) && asTold(value) === value;
}

/** A value as a `RowChange` has it that comes from a queue entry: blobs in base64, infinite numbers as null. */
function asTold(value: SqlValue): SqlValue {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

test.each(['TEXT', 'INTEGER', 'REAL', 'NUMERIC', ''])(
  'in a column of type "%s", no comparison that holds in SQLite is ruled out',
  (type) => {
    const connection = openConnection(':memory:');
    connection.exec(`CREATE TABLE t (c ${type})`);
    const affinity = affinityOf(type) ?? 'none';
    const select = `SELECT ${OPERATORS.map((operator) => `c ${operator} ?`).join()}, c FROM t`;
    const wrong: string[] = [];
    let failing = 0;
    let ruledOut = 0;
    for (const value of VALUES) {
      connection.exec('DELETE FROM t');
      connection.prepare('INSERT INTO t VALUES (?)').run(normalizeParameters([value]));
      for (const operand of normalizeParameters([...VALUES, NaN, true]) as readonly SqlValue[]) {
        const row = connection.prepare(select).get(OPERATORS.map(() => operand)) ?? [];
        const stored = row.at(-1) ?? null;
        for (const [at, operator] of OPERATORS.entries()) {
          // Before the column's conversion, as sync tells it, and after it, as entries do.
          for (const told of [isJson(value) ? value : stored, stored].map(asTold)) {
            const mayHold = comparisonMayHold(affinity, told, operator, operand);
            if (row[at] !== 1) failing += 1;
            if (!mayHold) ruledOut += 1;
            if (mayHold || row[at] !== 1) continue;
            wrong.push(`${String(value)} told as ${String(told)} ${operator} ${String(operand)}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(ruledOut / failing).toBeGreaterThan(0.3);
  },
);
