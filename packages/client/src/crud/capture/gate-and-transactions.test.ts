import { expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../testing/database.ts';
import { tableOf } from '../../testing/tables.ts';

const TABLES = [tableOf('notes', ['a TEXT']), tableOf('logs', ['a TEXT'], { kind: 'insertOnly' })];

const transactions = (db: TestDatabase) =>
  db.query(`SELECT id, tx_id, data ->> 'id' FROM sluice_crud ORDER BY id`);
const gate = (db: TestDatabase) =>
  Object.fromEntries(
    db.query(`SELECT key, value FROM sluice_kv WHERE key IN ('target', 'seen', 'applied')`),
  );
const insert = (table: string, id: string) => `INSERT INTO ${table} (id) VALUES ('${id}')`;

// spec/client.md 2.5, last golden example
test('entries of a transaction share its id, and a savepoint takes back exactly its own', () => {
  const db = testDatabase(TABLES);
  const { session } = db;
  session.begin();
  session.execute(insert('notes', 'x1'));
  session.execute(insert('logs', 'x2'));
  session.savepoint('s');
  session.execute(insert('notes', 'x3'));
  session.rollbackTo('s');
  session.execute(insert('notes', 'x4'));
  session.release('s');
  session.commit();
  expect(transactions(db)).toEqual([
    [1, 1, 'x1'],
    [2, 1, 'x2'],
    [3, 1, 'x4'],
  ]);
  expect(db.query('SELECT id FROM sluice_shadow')).toEqual([['x1'], ['x4']]);
});

test('every statement outside a transaction has an id of its own', () => {
  const db = testDatabase(TABLES);
  db.session.execute(insert('notes', 'a'));
  db.session.execute(`INSERT INTO notes (id) VALUES ('b'), ('c')`);
  db.session.executeBatch('INSERT INTO notes (id) VALUES (?)', [['d'], ['e']]);
  expect(transactions(db).map(([, tx]) => tx)).toEqual([1, 2, 2, 3, 3]);
});

test('a transaction that is rolled back leaves the id to the next', () => {
  const db = testDatabase(TABLES);
  db.session.begin();
  db.session.execute(insert('notes', 'a'));
  db.session.rollback();
  db.session.execute(insert('notes', 'b'));
  expect(transactions(db)).toEqual([[1, 1, 'b']]);
});

test('what another program wrote without closing its transaction is not taken for this one', () => {
  const db = testDatabase(TABLES);
  db.connection.exec(insert('notes', 'a'));
  db.session.execute(insert('notes', 'b'));
  expect(transactions(db).map(([, tx]) => tx)).toEqual([1, 2]);
});

// spec/client.md 2.5, 3.5
test('a write to a synced table arms the gate, one to an insert-only table does not', () => {
  const db = testDatabase(TABLES);
  db.connection.exec(`UPDATE sluice_kv SET value = 7 WHERE key IN ('target', 'seen', 'applied')`);
  db.session.begin();
  db.session.execute(insert('logs', 'a'));
  expect(gate(db)).toEqual({ target: 7, seen: 7, applied: 7 });
  db.session.execute(insert('notes', 'b'));
  expect(gate(db)).toEqual({ target: 9223372036854775807n, seen: null, applied: null });
  db.session.rollback();
  expect(gate(db)).toEqual({ target: 7, seen: 7, applied: 7 });
});
