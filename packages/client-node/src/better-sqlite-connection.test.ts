import { DatabaseClosedError, SqlError, type SqlValue } from '@sluice/client';
import { expect, test } from 'vitest';
import { openConnection } from './open-connection.ts';

test.each<[sql: string, value: SqlValue]>([
  ['SELECT 9007199254740991', 9007199254740991],
  ['SELECT 9007199254740993', 9007199254740993n],
  ['SELECT -9223372036854775808', -9223372036854775808n],
  ['SELECT 1e300', 1e300],
  [`SELECT x'00ff'`, Buffer.from([0, 255])],
  ['SELECT NULL', null],
])('%s is exact', (sql, value) => {
  const db = openConnection(':memory:');
  expect(db.prepare(sql).get()).toEqual([value]);
  expect([...db.prepare(sql).iterate()]).toEqual([[value]]);
  db.close();
});

test('binds booleans as 1 and 0, and integers beyond 2^53', () => {
  const db = openConnection(':memory:');
  const rows = db.prepare('SELECT ?, ?, typeof(?)').all([true, 9007199254740993n, 5n]);
  expect(rows).toEqual([[1, 9007199254740993n, 'integer']]);
  db.close();
});

test('binds whole numbers as integers', () => {
  const db = openConnection(':memory:');
  expect(db.prepare('SELECT typeof(?), CAST(? AS TEXT)').get([5, 5])).toEqual(['integer', '5']);
  expect(db.prepare('SELECT typeof(?), typeof(?)').get([-0, 5.5])).toEqual(['real', 'real']);
  db.close();
});

test('counts the rows that a statement changed itself, not those of triggers', () => {
  const db = openConnection(':memory:');
  db.exec(`CREATE TABLE a (x); CREATE TABLE b (x);
    CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1), (2); END`);
  expect(db.prepare('INSERT INTO a VALUES (1), (2), (3)').run().changes).toBe(3);
  db.close();
});

test('gives SQL functions exact values', () => {
  const db = openConnection(':memory:');
  const options = { deterministic: true, arguments: 1 };
  db.defineFunction('kind', options, (value) => `${typeof value} ${String(value)}`);
  expect(db.prepare('SELECT kind(1), kind(1.5), kind(9007199254740993)').get()).toEqual([
    'number 1',
    'number 1.5',
    'bigint 9007199254740993',
  ]);
  db.close();
});

test('names what SQLite refused, and the statement', () => {
  const db = openConnection(':memory:');
  db.exec('CREATE TABLE a (x UNIQUE); INSERT INTO a VALUES (1)');
  const insert = 'INSERT INTO a VALUES (1)';
  const refused = () => db.prepare(insert).run();
  expect(refused).toThrow(SqlError);
  expect(refused).toThrow(
    expect.objectContaining({ sqliteCode: 'SQLITE_CONSTRAINT_UNIQUE', sql: insert }),
  );
  db.close();
  expect(() => db.prepare('SELECT 1')).toThrow(DatabaseClosedError);
});

test.each(['exec', 'prepare'] as const)(
  'after a change of tables by %s, * stands for other columns',
  (by) => {
    const db = openConnection(':memory:');
    db.exec('CREATE TABLE a (x)');
    expect(db.prepare('SELECT * FROM a').columns).toEqual(['x']);
    const add = 'ALTER TABLE a ADD COLUMN y';
    if (by === 'exec') db.exec(add);
    else db.prepare(add).run();
    expect(db.prepare('SELECT * FROM a').columns).toEqual(['x', 'y']);
    db.close();
  },
);
