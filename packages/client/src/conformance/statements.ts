import { expect, test } from 'vitest';
import { DatabaseClosedError, SqlError } from '../errors.ts';
import type { ConnectionTarget } from './index.ts';

/** How statements run, fail, and are compiled anew. */
export function describeStatements({ open }: ConnectionTarget): void {
  test('counts the rows that a statement changed itself, not those of triggers', async () => {
    const db = await open();
    db.exec(`CREATE TABLE a (x); CREATE TABLE b (x);
      CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1), (2); END`);
    expect(db.prepare('INSERT INTO a VALUES (1), (2), (3)').run()).toEqual({
      changes: 3,
      lastInsertRowid: 3,
    });
    expect(db.prepare('SELECT 1').run().changes).toBe(0);
    db.close();
  });

  test('searches full texts', async () => {
    const db = await open();
    db.exec(`CREATE VIRTUAL TABLE docs USING fts5(body, tokenize = 'porter unicode61');
      INSERT INTO docs VALUES ('Running far'), ('walking')`);
    const sql = `SELECT snippet(docs, 0, '[', ']', '', 5) FROM docs WHERE docs MATCH ? ORDER BY rank`;
    expect(db.prepare(sql).all(['run'])).toEqual([['[Running] far']]);
    db.close();
  });

  test('names what SQLite refused, and the statement', async () => {
    const db = await open();
    db.exec('CREATE TABLE a (x UNIQUE); INSERT INTO a VALUES (1)');
    const insert = 'INSERT INTO a VALUES (1)';
    const refused = () => db.prepare(insert).run();
    expect(refused).toThrow(SqlError);
    expect(refused).toThrow(
      expect.objectContaining({ sqliteCode: 'SQLITE_CONSTRAINT_UNIQUE', sql: insert }),
    );
    expect(() => db.prepare('SELECT missing')).toThrow(
      expect.objectContaining({ sqliteCode: 'SQLITE_ERROR', message: 'no such column: missing' }),
    );
    db.close();
    expect(() => db.prepare('SELECT 1')).toThrow(DatabaseClosedError);
  });

  test.each(['exec', 'prepare'] as const)(
    'after a change of tables by %s, * stands for other columns',
    async (by) => {
      const db = await open();
      db.exec('CREATE TABLE a (x)');
      expect(db.prepare('SELECT * FROM a').columns).toEqual(['x']);
      const add = 'ALTER TABLE a ADD COLUMN y';
      if (by === 'exec') db.exec(add);
      else db.prepare(add).run();
      expect(db.prepare('SELECT * FROM a').columns).toEqual(['x', 'y']);
      db.close();
    },
  );

  test('a statement can be used again after it failed, was left half read, or its tables changed', async () => {
    const db = await open();
    db.exec('CREATE TABLE a (x UNIQUE)');
    const insert = db.prepare('INSERT INTO a VALUES (?)');
    for (const x of [1, 2, 3]) insert.run([x]);
    expect(() => insert.run([3])).toThrow(SqlError);
    insert.run([4]);
    const select = db.prepare('SELECT x FROM a ORDER BY x');
    for (const [x] of select.iterate()) if (x === 2) break;
    expect(select.all()).toEqual([[1], [2], [3], [4]]);
    db.exec('CREATE TABLE b (y)');
    insert.run([5]);
    expect(select.get()).toEqual([1]);
    expect(select.all()).toHaveLength(5);
    db.close();
  });

  test('more statements than are cached all work, those that were forgotten too', async () => {
    const db = await open();
    const statements = Array.from({ length: 600 }, (_, at) => db.prepare(`SELECT ${at}, ?`));
    for (const [at, statement] of statements.entries()) {
      expect(statement.get(['x'])).toEqual([at, 'x']);
    }
    db.close();
  });

  test('knows what a statement is', async () => {
    const db = await open();
    db.exec('CREATE TABLE a (x)');
    expect(db.prepare('SELECT x AS "named", 2 FROM a').columns).toEqual(['named', '2']);
    expect(db.prepare('INSERT INTO a VALUES (1)').columns).toEqual([]);
    expect(db.prepare('INSERT INTO a VALUES (1) RETURNING x').all()).toEqual([[1]]);
    expect(db.prepare('SELECT 1').readonly).toBe(true);
    expect(db.prepare('DELETE FROM a').readonly).toBe(false);
    db.close();
  });

  test('knows whether a transaction is open', async () => {
    const db = await open();
    db.exec('CREATE TABLE a (x); BEGIN; INSERT INTO a VALUES (1)');
    expect(db.inTransaction).toBe(true);
    db.exec('ROLLBACK');
    expect(db.inTransaction).toBe(false);
    expect(db.prepare('SELECT count(*) FROM a').get()).toEqual([0]);
    db.close();
  });

  test.each(['', '-- nothing', 'SELECT 1; SELECT 2', 'SELECT ?'])(
    'refuses what is not one statement with all its values: %s',
    async (sql) => {
      const db = await open();
      expect(() => db.prepare(sql).all()).toThrow(
        expect.objectContaining({ sqliteCode: 'SQLITE_MISUSE' }),
      );
      db.close();
    },
  );

  test('what a SQL function throws fails the statement', async () => {
    const db = await open();
    db.defineFunction('fail', { deterministic: false, arguments: 0 }, () => {
      throw new Error('on purpose');
    });
    expect(() => db.prepare('SELECT fail()').all()).toThrow('on purpose');
    expect(db.prepare('SELECT 1').get()).toEqual([1]);
    db.close();
  });
}
