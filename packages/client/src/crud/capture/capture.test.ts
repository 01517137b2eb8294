import { expect, test } from 'vitest';
import { tableOf } from '../../testing/tables.ts';
import { testDatabase, type TestDatabase } from '../../testing/database.ts';

const TASKS = tableOf('tasks', ['title TEXT', 'code TEXT', 'n INTEGER'], {
  indexes: [
    { name: 'code', columns: [{ name: 'code', ascending: true }], unique: true, where: '' },
  ],
});

function withRows(...ids: readonly string[]): TestDatabase {
  const db = testDatabase([TASKS]);
  db.connection.exec('UPDATE sluice_guard SET applying = 1');
  for (const id of ids) db.connection.exec(`INSERT INTO tasks VALUES ('${id}', 'old', '${id}', 1)`);
  db.connection.exec('UPDATE sluice_guard SET applying = 0');
  return db;
}

const put = (id: string, data: string) => `{"op":"PUT","id":"${id}","type":"tasks","data":${data}}`;
const patch = (id: string, data: string) =>
  `{"op":"PATCH","id":"${id}","type":"tasks","data":${data}}`;
const remove = (id: string) => `{"op":"DELETE","id":"${id}","type":"tasks"}`;

test('downloaded rows are not captured', () => {
  const db = withRows('a');
  expect(db.entries()).toEqual([]);
  expect(db.query('SELECT * FROM sluice_shadow')).toEqual([]);
});

// spec/client.md 1.2, 7.3 (6, 7)
test.each<[sql: string, rows: number, entries: readonly string[]]>([
  [`INSERT OR IGNORE INTO tasks VALUES ('a', 'x', 'x', 2)`, 0, []],
  [
    `INSERT OR IGNORE INTO tasks VALUES ('a', 'x', 'x', 2), ('c', 'x', 'c', 2)`,
    1,
    [put('c', '{"code":"c","n":2,"title":"x"}')],
  ],
  [`INSERT INTO tasks (id) VALUES ('a') ON CONFLICT DO NOTHING`, 0, []],
  [
    `INSERT INTO tasks VALUES ('a', 'x', 'a', 2) ON CONFLICT (id) DO UPDATE SET title = excluded.title`,
    1,
    [patch('a', '{"title":"x"}')],
  ],
  [
    `INSERT INTO tasks VALUES ('c', 'x', 'a', 2) ON CONFLICT (code) DO UPDATE SET n = n + 1`,
    1,
    [patch('a', '{"n":2}')],
  ],
  [
    `INSERT OR REPLACE INTO tasks VALUES ('a', 'x', 'a', NULL)`,
    1,
    [put('a', '{"code":"a","title":"x"}')],
  ],
  [
    `INSERT OR REPLACE INTO tasks VALUES ('c', 'x', 'a', 2)`,
    1,
    [remove('a'), put('c', '{"code":"a","n":2,"title":"x"}')],
  ],
  [
    `UPDATE OR REPLACE tasks SET code = 'b' WHERE id = 'a'`,
    1,
    [remove('b'), patch('a', '{"code":"b"}')],
  ],
  [`UPDATE OR IGNORE tasks SET code = 'b' WHERE id = 'a'`, 0, []],
  [`UPDATE tasks SET n = n + 1`, 2, [patch('a', '{"n":2}'), patch('b', '{"n":2}')]],
  [`DELETE FROM tasks WHERE id IN ('a', 'z')`, 1, [remove('a')]],
  [`DELETE FROM tasks`, 2, [remove('a'), remove('b')]],
  [`UPDATE tasks SET n = 5 WHERE id = 'a' RETURNING n`, 1, [patch('a', '{"n":5}')]],
  [`UPDATE tasks SET id = id`, 2, [patch('a', '{}'), patch('b', '{}')]],
])('%s counts %i rows and queues %j', (sql, rows, entries) => {
  const db = withRows('a', 'b');
  expect(db.session.execute(sql).rowsAffected).toBe(rows);
  expect(db.entries()).toEqual(entries);
});

test.each<[sql: string, error: RegExp]>([
  [
    `INSERT INTO tasks VALUES ('c', 'x', 'c', 1), ('a', 'x', 'd', 1)`,
    /UNIQUE constraint failed: tasks.id/,
  ],
  [
    `INSERT INTO tasks VALUES ('c', 'x', 'c', 1), ('d', 'x', 'c', 1)`,
    /UNIQUE constraint failed: tasks.code/,
  ],
  [`INSERT INTO tasks (id, n) VALUES ('c', 1), (NULL, 2)`, /NOT NULL constraint failed: tasks.id/],
  [`INSERT INTO tasks (id) VALUES (x'61')`, /CHECK constraint failed/],
  [`UPDATE tasks SET id = 'z' WHERE id = 'a'`, /Cannot update id/],
  [`UPDATE OR IGNORE tasks SET id = 'z' WHERE id = 'a'`, /Cannot update id/],
])('%s fails and leaves nothing behind, inside a transaction too', (sql, error) => {
  const db = withRows('a', 'b');
  const before = db.query('SELECT * FROM tasks');
  expect(() => db.session.execute(sql)).toThrow(error);
  db.session.begin();
  expect(() => db.session.execute(sql)).toThrow(error);
  db.session.commit();
  expect(db.query('SELECT * FROM tasks')).toEqual(before);
  expect(db.entries()).toEqual([]);
  expect(db.query('SELECT * FROM sluice_shadow WHERE data IS NULL')).toEqual([]);
});

test('the row as the server has it is kept before the first local write, and not after', () => {
  const db = withRows('a', 'b', 'c');
  db.connection.exec(`UPDATE tasks SET n = 2 WHERE id = 'a'`);
  db.connection.exec(`UPDATE tasks SET n = 3 WHERE id = 'a'`);
  db.connection.exec(`INSERT OR REPLACE INTO tasks VALUES ('b', 'new', 'b', 9)`);
  db.connection.exec(`INSERT OR REPLACE INTO tasks VALUES ('d', 'new', 'c', 9)`);
  db.connection.exec(`DELETE FROM tasks WHERE id = 'd'`);
  expect(db.query('SELECT id, data FROM sluice_shadow ORDER BY id')).toEqual([
    ['a', '{"code":"a","n":1,"title":"old"}'],
    ['b', '{"code":"b","n":1,"title":"old"}'],
    ['c', '{"code":"c","n":1,"title":"old"}'],
    ['d', null],
  ]);
});

test('foreign keys hold, and what they delete is captured', () => {
  const lists = tableOf('lists', ['name TEXT']);
  const items = tableOf('items', [
    'list_id TEXT REFERENCES lists ("id") ON DELETE CASCADE',
    'n INTEGER CHECK (n > 0)',
  ]);
  const db = testDatabase([lists, items]);
  db.connection.exec(`INSERT INTO lists VALUES ('l', 'x'); INSERT INTO items VALUES ('i', 'l', 1)`);
  expect(() => db.connection.exec(`INSERT INTO items VALUES ('j', 'none', 1)`)).toThrow(
    /FOREIGN KEY/,
  );
  expect(() => db.connection.exec(`INSERT INTO items VALUES ('j', 'l', 0)`)).toThrow(
    /CHECK constraint/,
  );
  db.connection.exec(`DELETE FROM lists`);
  expect(db.query('SELECT * FROM items')).toEqual([]);
  expect(db.entries().slice(2).toSorted()).toEqual([
    '{"op":"DELETE","id":"i","type":"items"}',
    '{"op":"DELETE","id":"l","type":"lists"}',
  ]);
});

test('a change of case is a change, whatever the collation', () => {
  const db = testDatabase([tableOf('t', ['a TEXT COLLATE NOCASE'])]);
  db.connection.exec(`INSERT INTO t VALUES ('x', 'a'); UPDATE t SET a = 'A'`);
  expect(db.entries()[1]).toBe('{"op":"PATCH","id":"x","type":"t","data":{"a":"A"}}');
});

test('a table with 1,999 columns is captured', () => {
  const names = Array.from({ length: 1999 }, (_, index) => `c${String(index).padStart(4, '0')}`);
  const wide = tableOf(
    'wide',
    names.map((name) => `${name} INTEGER`),
    {
      trackPrevious: names,
      ignoreEmptyUpdates: true,
    },
  );
  const db = testDatabase([wide]);
  db.connection.exec(`INSERT INTO wide (id, c1998) VALUES ('w', 1); UPDATE wide SET c1998 = 2`);
  db.connection.exec(`DELETE FROM wide`);
  expect(db.entries()[0]).toBe('{"op":"PUT","id":"w","type":"wide","data":{"c1998":1}}');
  expect(JSON.parse(db.entries()[1] ?? '')).toMatchObject({
    data: { c1998: 2 },
    old: { c1998: 1 },
  });
  expect(Object.keys(JSON.parse(db.entries()[2] ?? '').old)).toEqual(names);
});

test('insert-only rows are refused without an id, counted, and take the form of their columns', () => {
  const db = testDatabase([
    tableOf('logs', ['r REAL', 't TEXT', 'j TEXT'], { kind: 'insertOnly' }),
  ]);
  const insert = 'INSERT INTO logs (id, r, t, j) VALUES';
  expect(() => db.session.execute(`${insert} (NULL, 1, 2, '')`)).toThrow(/id is required/);
  expect(() => db.session.execute(`${insert} (5, 1, 2, '')`)).toThrow(/id should be text/);
  const result = db.session.execute(`${insert} ('a', 1, 2, json('[1]')), ('b', NULL, NULL, NULL)`);
  expect(result.rowsAffected).toBe(2);
  expect(db.entries()).toEqual([
    '{"op":"PUT","type":"logs","id":"a","data":{"j":"[1]","r":1.0,"t":"2"}}',
    '{"op":"PUT","type":"logs","id":"b","data":{}}',
  ]);
  expect(() => db.session.execute(`DELETE FROM logs`)).toThrow(
    /cannot modify logs because it is a view/,
  );
  expect(db.query('SELECT * FROM logs')).toEqual([]);
});

test('local-only writes queue nothing and take no transaction id', () => {
  const db = testDatabase([tableOf('local', ['a TEXT'], { kind: 'local' })]);
  db.session.execute(`INSERT INTO local VALUES ('x', 'y')`);
  db.session.execute(`UPDATE local SET a = 'z'`);
  expect(db.entries()).toEqual([]);
  expect(db.query('SELECT tx_id FROM sluice_tx')).toEqual([[0]]);
});
