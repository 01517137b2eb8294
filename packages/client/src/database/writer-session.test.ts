import { expect, test } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { tableOf } from '../testing/tables.ts';

const TABLES = [
  tableOf('tasks', ['title TEXT', 'n INTEGER', 'b BLOB'], {
    viewName: 'My_Tasks',
    trackPrevious: ['n'],
  }),
  tableOf('logs', ['a TEXT'], { kind: 'insertOnly' }),
  tableOf('Local', ['a TEXT'], { kind: 'local' }),
];
const open = () => testDatabase(TABLES);
const values = (entries: Readonly<Record<string, unknown>>) => new Map(Object.entries(entries));

test('a statement outside a transaction commits and tells what it changed', () => {
  const { session } = open();
  const { committed, ...result } = session.execute(
    `INSERT INTO my_tasks (id, title) VALUES (?, ?)`,
    ['x', 'a'],
  );
  expect(result).toMatchObject({ rowsAffected: 1, rows: [], columns: [] });
  expect(committed).toEqual(
    new Map([
      [
        'my_tasks',
        {
          columns: 'all',
          // What a blob is cannot be told from its entry.
          rows: [{ id: 'x', before: undefined, after: values({ title: 'a', n: null }) }],
        },
      ],
    ]),
  );
});

test('an update tells its columns, and the former values that are tracked', () => {
  const { session } = open();
  session.execute(`INSERT INTO my_tasks VALUES ('x', 'a', 1, x'00'), ('y', 'b', 2, NULL)`);
  const { committed } = session.execute(`UPDATE my_tasks SET n = n + 1`);
  expect(committed?.get('my_tasks')).toEqual({
    columns: new Set(['n']),
    rows: [
      { id: 'x', before: values({ n: 1 }), after: values({ n: 2 }) },
      { id: 'y', before: values({ n: 2 }), after: values({ n: 3 }) },
    ],
  });
});

test('several writes to a row are one change from its first state to its last', () => {
  const { session } = open();
  session.execute(`INSERT INTO my_tasks (id, title, n) VALUES ('old', 'a', 1)`);
  session.begin();
  session.execute(`INSERT INTO my_tasks (id, title) VALUES ('new', 'a')`);
  session.execute(`UPDATE my_tasks SET n = 5, title = 'b'`);
  session.execute(`DELETE FROM my_tasks WHERE id = 'old'`);
  expect(session.commit().get('my_tasks')).toEqual({
    columns: 'all',
    rows: [
      { id: 'new', before: undefined, after: values({ title: 'b', n: 5 }) },
      { id: 'old', before: values({ n: 1 }), after: undefined },
    ],
  });
});

test('after REPLACE it is not known what was there before', () => {
  const { session } = open();
  const { committed } = session.execute(`INSERT OR REPLACE INTO my_tasks (id) VALUES ('x')`);
  expect(committed?.get('my_tasks')?.rows).toEqual([
    { id: 'x', before: new Map(), after: values({ title: null, n: null }) },
  ]);
});

test('of tables that are not captured it is only known that they were written', () => {
  const { session, connection } = open();
  connection.exec('CREATE TABLE own (x)');
  session.begin();
  session.execute(`INSERT INTO local VALUES ('x', 'y')`);
  session.execute(`INSERT INTO own VALUES (1)`);
  session.execute(`INSERT INTO logs VALUES ('x', 'y')`);
  expect(session.commit()).toEqual(
    new Map([
      ['local', { columns: 'all', rows: 'many' }],
      ['own', { columns: 'all', rows: 'many' }],
    ]),
  );
});

test('what a failed statement left in place is told', () => {
  const { session } = open();
  session.begin();
  const insert = () => session.execute(`INSERT OR FAIL INTO local VALUES ('a', 1), ('a', 2)`);
  expect(insert).toThrow(/UNIQUE/);
  expect([...session.commit().keys()]).toEqual(['local']);
});

test('more entries than are told row by row are many', () => {
  const { session } = open();
  const sets = Array.from({ length: 1001 }, (_, index) => [`r${index}`]);
  const { rowsAffected, committed } = session.executeBatch(
    'INSERT INTO my_tasks (id) VALUES (?)',
    sets,
  );
  expect(rowsAffected).toBe(1001);
  expect(committed?.get('my_tasks')).toEqual({ columns: 'all', rows: 'many' });
});

test('a batch that fails leaves nothing, inside a transaction too, which goes on', () => {
  const { session, query } = open();
  const batch = () => session.executeBatch('INSERT INTO my_tasks (id) VALUES (?)', [['a'], ['a']]);
  expect(batch).toThrow(/UNIQUE/);
  session.begin();
  session.execute(`INSERT INTO my_tasks (id) VALUES ('b')`);
  expect(batch).toThrow(/UNIQUE/);
  session.commit();
  expect(query('SELECT id FROM my_tasks')).toEqual([['b']]);
});

test('savepoints nest', () => {
  const { session, query } = open();
  const insert = (id: string) => session.execute('INSERT INTO my_tasks (id) VALUES (?)', [id]);
  session.begin();
  session.savepoint('outer');
  insert('a');
  session.savepoint('in"ner');
  insert('b');
  session.rollbackTo('in"ner');
  insert('c');
  session.release('in"ner');
  session.execute('SAVEPOINT by_sql');
  insert('d');
  session.execute('ROLLBACK TO by_sql');
  session.release('outer');
  session.commit();
  expect(query('SELECT id FROM my_tasks')).toEqual([['a'], ['c']]);
});

test.each([
  'BEGIN',
  ' /* x */ commit',
  '-- x\nEND',
  'ROLLBACK',
  'SAVEPOINT s',
  'RELEASE s',
  'ROLLBACK TO s',
])('%s is refused outside a transaction of the session', (sql) => {
  expect(() => open().session.execute(sql)).toThrow(
    /Transactions are begun and ended by the methods/,
  );
});

test('PRAGMA and VACUUM run outside transactions', () => {
  const { session } = open();
  expect(session.execute('VACUUM').committed).toBeUndefined();
  expect(session.execute('PRAGMA foreign_keys').rows).toEqual([[1]]);
});

test('queries give names and rows as arrays, with columns of the same name apart', () => {
  const result = open().session.execute('SELECT 1 AS a, ? AS a, ? AS b', [2, 9007199254740993n]);
  expect(result).toEqual({
    columns: ['a', 'a', 'b'],
    rows: [[1, 2, 9007199254740993n]],
    rowsAffected: 0,
    insertId: undefined,
    committed: undefined,
  });
});

test('RETURNING counts its rows', () => {
  const { session } = open();
  const { rows, rowsAffected, committed } = session.execute(
    `INSERT INTO my_tasks (id, n) VALUES ('a', 1), ('b', 2) RETURNING id, n`,
  );
  expect([rows, rowsAffected, committed?.size]).toEqual([
    [
      ['a', 1],
      ['b', 2],
    ],
    2,
    1,
  ]);
});

test.each<[value: unknown, type: string, text: unknown]>([
  [5, 'integer', 5],
  [5.5, 'real', 5.5],
  [2 ** 53, 'real', 2 ** 53],
  [9007199254740993n, 'integer', 9007199254740993n],
  [true, 'integer', 1],
  [null, 'null', null],
  ['5', 'text', '5'],
  [new Uint8Array([1]), 'blob', Buffer.from([1])],
  [new Uint8Array([1]).buffer, 'blob', Buffer.from([1])],
])('the parameter %s is of type %s', (value, type, stored) => {
  expect(open().session.execute('SELECT typeof(?), ?', [value, value]).rows).toEqual([
    [type, stored],
  ]);
});

test.each<[value: unknown, problem: RegExp]>([
  [undefined, /Parameter 2 is undefined; pass null/],
  [{}, /Parameter 2 is an object/],
  [2n ** 63n, /Parameter 2 is an integer of more than 64 bits/],
  [Symbol('x'), /Parameter 2 is a symbol/],
])('the parameter %s is refused', (value, problem) => {
  expect(() => open().session.execute('SELECT ?, ?', [1, value])).toThrow(problem);
});

test('methods for transactions are refused without one, and a second one inside it', () => {
  const { session } = open();
  expect(() => session.commit()).toThrow(/No transaction is open/);
  expect(() => session.savepoint('s')).toThrow(/No transaction is open/);
  session.rollback();
  session.begin();
  expect(() => session.begin()).toThrow(/open already/);
  session.rollback();
  session.rollback();
  expect(session.inTransaction).toBe(false);
});

test('a transaction that SQLite rolled back by itself runs nothing more', () => {
  const { session, query } = open();
  session.begin();
  session.execute(`INSERT INTO my_tasks (id) VALUES ('a')`);
  expect(() => session.execute(`INSERT OR ROLLBACK INTO my_tasks (id) VALUES ('a')`)).toThrow(
    /UNIQUE/,
  );
  expect(() => session.execute(`INSERT INTO my_tasks (id) VALUES ('b')`)).toThrow(
    /was rolled back/,
  );
  session.rollback();
  session.execute(`INSERT INTO my_tasks (id) VALUES ('c')`);
  expect(query('SELECT id FROM my_tasks')).toEqual([['c']]);
});

test('a commit that SQLite refuses rolls back', () => {
  const { session, connection, query } = open();
  connection.exec(
    `CREATE TABLE child (t TEXT REFERENCES my_tasks (id) DEFERRABLE INITIALLY DEFERRED)`,
  );
  session.begin();
  session.execute(`INSERT INTO my_tasks (id) VALUES ('a')`);
  session.execute(`INSERT INTO child VALUES ('none')`);
  expect(() => session.commit()).toThrow(/FOREIGN KEY/);
  expect(session.inTransaction).toBe(false);
  expect(query('SELECT id FROM my_tasks')).toEqual([]);
});
