import { expect, test } from 'vitest';
import type { SqlParameter, SqlValue } from '../driver/contract.ts';
import type { IntegerMode } from '../driver/integer-mode.ts';
import { SqlError } from '../errors.ts';
import type { ConnectionTarget } from './index.ts';

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
const MAX_SAFE_BIGINT = BigInt(MAX_SAFE);
const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** Values come out of SQLite as they went in. */
export function describeValues({ open }: ConnectionTarget): void {
  test.each<[sql: string, value: SqlValue]>([
    ['SELECT 9007199254740991', 9007199254740991],
    ['SELECT -9007199254740991', -9007199254740991],
    ['SELECT 9007199254740992', 9007199254740992n],
    ['SELECT 9007199254740993', 9007199254740993n],
    ['SELECT -9223372036854775808', -9223372036854775808n],
    ['SELECT 1e300', 1e300],
    ['SELECT 5e-324', 5e-324],
    [`SELECT x'00ff'`, new Uint8Array([0, 255])],
    [`SELECT x''`, new Uint8Array()],
    [`SELECT ''`, ''],
    [`SELECT 'žluťoučký 🐎'`, 'žluťoučký 🐎'],
    ['SELECT NULL', null],
  ])('%s is exact', async (sql, value) => {
    const db = await open();
    expect(plain(db.prepare(sql).get())).toEqual([value]);
    expect([...db.prepare(sql).iterate()].map(plain)).toEqual([[value]]);
    expect(db.prepare(sql).all().map(plain)).toEqual([[value]]);
    db.close();
  });

  test.each<[mode: IntegerMode, values: readonly SqlValue[]]>([
    ['auto', [5, MAX_SAFE, MAX_SAFE_BIGINT + 1n, -MAX_SAFE_BIGINT - 1n, MAX, MIN, 5, 'x', null]],
    ['number', [5, MAX_SAFE, MAX_SAFE + 1, -MAX_SAFE - 1, 2 ** 63, -(2 ** 63), 5, 'x', null]],
    [
      'bigint',
      [5n, MAX_SAFE_BIGINT, MAX_SAFE_BIGINT + 1n, -MAX_SAFE_BIGINT - 1n, MAX, MIN, 5, 'x', null],
    ],
  ])('gives integers, and nothing else, in the mode %s', async (mode, values) => {
    const db = await open();
    const sql = `SELECT 5, ${MAX_SAFE}, ${MAX_SAFE + 1}, -${MAX_SAFE + 1}, ${MAX}, ${MIN}, 5.0, 'x', NULL`;
    expect(db.prepare(sql).all([], mode)).toEqual([values]);
    expect(db.prepare(sql).all()).toHaveLength(1);
    db.close();
  });

  test.each([1n, MAX_SAFE_BIGINT, MAX_SAFE_BIGINT + 1n, MAX, -MAX_SAFE_BIGINT - 2n])(
    'tells the exact row id of an insertion: %s',
    async (id) => {
      const db = await open();
      db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)');
      const { lastInsertRowid } = db.prepare('INSERT INTO t VALUES (?)').run([id]);
      expect(BigInt(lastInsertRowid)).toBe(id);
      expect(typeof lastInsertRowid).toBe(id > MAX_SAFE || id < -MAX_SAFE ? 'bigint' : 'number');
      db.close();
    },
  );

  test.each<[value: SqlParameter, type: string, text: string]>([
    [5, 'integer', '5'],
    [2 ** 31, 'integer', '2147483648'],
    [-(2 ** 40), 'integer', '-1099511627776'],
    [9007199254740993n, 'integer', '9007199254740993'],
    [-9223372036854775808n, 'integer', '-9223372036854775808'],
    [5.5, 'real', '5.5'],
    [1e300, 'real', '1.0e+300'],
    [true, 'integer', '1'],
    [false, 'integer', '0'],
    ['a\0b', 'text', 'a\0b'],
    ['\uFEFFmark', 'text', '\uFEFFmark'],
    ['x'.repeat(200_000), 'text', 'x'.repeat(200_000)],
    [new Uint8Array([104, 105]), 'blob', 'hi'],
    [new Uint8Array(), 'blob', ''],
  ])('binds %s as %s', async (value, type, text) => {
    const db = await open();
    const [row] = db.prepare('SELECT typeof(?), CAST(? AS TEXT)').all([value, value]);
    expect(row).toEqual([type, text]);
    db.close();
  });

  test('binds NULL, and -0 as a real', async () => {
    const db = await open();
    expect(db.prepare('SELECT ?, typeof(?)').get([null, null])).toEqual([null, 'null']);
    expect(db.prepare('SELECT ?, typeof(?)').get([-0, -0])).toEqual([-0, 'real']);
    db.close();
  });

  test('refuses an integer of more than 64 bits', async () => {
    const db = await open();
    expect(() => db.prepare('SELECT ?').get([2n ** 63n])).toThrow(SqlError);
    expect(db.prepare('SELECT ?').get([2n ** 63n - 1n])).toEqual([2n ** 63n - 1n]);
    db.close();
  });

  test('gives SQL functions exact values, and takes theirs', async () => {
    const db = await open();
    const options = { deterministic: true, arguments: 1 };
    db.defineFunction('kind', options, (value) => `${typeof value} ${String(value)}`);
    db.defineFunction('same', options, (value) => value);
    expect(db.prepare('SELECT kind(1), kind(1.5), kind(9007199254740993)').get()).toEqual([
      'number 1',
      'number 1.5',
      'bigint 9007199254740993',
    ]);
    expect(plain(db.prepare(`SELECT same(1.5), same('ž'), same(x'01'), same(NULL)`).get())).toEqual(
      [1.5, 'ž', new Uint8Array([1]), null],
    );
    db.close();
  });
}

/** Drivers may give a subclass of Uint8Array. */
function plain(row: readonly SqlValue[] | undefined): SqlValue[] | undefined {
  return row?.map((value) => (value instanceof Uint8Array ? new Uint8Array(value) : value));
}
