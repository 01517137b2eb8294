import { SeededRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import type { CompiledTable } from './compiled-schema.ts';
import { testDatabase } from '../testing/database.ts';
import { tableOf } from '../testing/tables.ts';
import { installSchema } from './install-schema.ts';

const WORDS = ['apple', 'bread', 'cheese', 'dill', 'Éclair'];
const notes = (rest: Partial<CompiledTable> = {}) =>
  tableOf('notes', ['code INTEGER', 'title TEXT', 'body TEXT'], {
    indexes: [
      { name: 'code', columns: [{ name: 'code', ascending: true }], unique: true, where: '' },
    ],
    fullText: { columns: ['title', 'body'], tokenize: '', prefix: [] },
    ...rest,
  });
const COLUMNS = 'rowid, id, title, body';

function database(table = notes()) {
  const db = testDatabase([table]);
  const found = (match: string) =>
    db.connection
      .prepare('SELECT id FROM notes_fts WHERE notes_fts MATCH ? ORDER BY id')
      .all([match])
      .map(([id]) => id);
  /** SQLite compares its index with its text, and we its text with the rows. */
  const expectRight = () => {
    db.connection.exec(`INSERT INTO notes_fts (notes_fts) VALUES ('integrity-check')`);
    expect(db.query(`SELECT ${COLUMNS} FROM notes_fts ORDER BY rowid`)).toEqual(
      db.query(`SELECT ${COLUMNS} FROM notes ORDER BY rowid`),
    );
  };
  return { ...db, found, expectRight };
}

describe('a full-text index', () => {
  test.each([
    ['INSERT', `INSERT INTO notes VALUES ('c', 3, 'dill', '')`, ['c']],
    ['INSERT OR REPLACE by id', `INSERT OR REPLACE INTO notes VALUES ('a', 3, 'dill', '')`, ['a']],
    [
      'INSERT OR REPLACE by another key',
      `INSERT OR REPLACE INTO notes VALUES ('c', 1, 'dill', '')`,
      ['c'],
    ],
    [
      'INSERT OR IGNORE of what is there',
      `INSERT OR IGNORE INTO notes VALUES ('a', 3, 'dill', '')`,
      [],
    ],
    [
      'an upsert',
      `INSERT INTO notes VALUES ('a', 3, 'dill', '') ON CONFLICT (id) DO UPDATE SET title = excluded.title`,
      ['a'],
    ],
    ['UPDATE', `UPDATE notes SET body = 'dill'`, ['a', 'b']],
    [
      'UPDATE OR REPLACE',
      `UPDATE OR REPLACE notes SET code = 2, title = 'dill' WHERE id = 'a'`,
      ['a'],
    ],
    ['UPDATE OR IGNORE', `UPDATE OR IGNORE notes SET code = 2, title = 'dill' WHERE id = 'a'`, []],
    ['DELETE', `DELETE FROM notes WHERE id = 'a'`, []],
  ])('follows %s', (_, sql, dill) => {
    const { session, found, expectRight } = database();
    session.execute(`INSERT INTO notes VALUES ('a', 1, 'apple', 'bread'), ('b', 2, 'apple', NULL)`);
    expect(found('apple')).toEqual(['a', 'b']);
    session.execute(sql);
    expect(found('dill')).toEqual(dill);
    expectRight();
  });

  test('has the tokenizer and the prefixes that are declared', () => {
    const { session, found } = database(
      notes({ fullText: { columns: ['title'], tokenize: 'trigram', prefix: [2, 3] } }),
    );
    session.execute(`INSERT INTO notes VALUES ('a', 1, 'apple', 'bread')`);
    expect([found('ppl'), found('bread')]).toEqual([['a'], []]);
  });

  test.each([1, 2, 3])('has the rows of the table after random writes (seed %i)', (seed) => {
    const { session, connection, expectRight } = database();
    const random = new SeededRandom(seed);
    const int = (below: number) => random.int(below);
    const text = () => (int(6) === 0 ? 'NULL' : `'${WORDS[int(5)]} ${WORDS[int(5)]}'`);
    const row = () => `('n${int(12)}', ${int(9) + 1}, ${text()}, ${text()})`;
    const where = () => `WHERE id = 'n${int(12)}'`;
    const forms = [
      () => `INSERT INTO notes VALUES ${row()}, ${row()}`,
      () => `INSERT OR REPLACE INTO notes VALUES ${row()}, ${row()}`,
      () => `INSERT OR IGNORE INTO notes VALUES ${row()}, ${row()}`,
      () => `INSERT INTO notes VALUES ${row()} ON CONFLICT DO UPDATE SET body = excluded.body`,
      () => `UPDATE notes SET title = ${text()}, code = ${int(9) + 1} ${where()}`,
      () => `UPDATE OR REPLACE notes SET code = ${int(9) + 1} ${where()}`,
      () => `UPDATE OR IGNORE notes SET code = code + 1, title = ${text()}`,
      () => `DELETE FROM notes ${where()}`,
    ];
    for (let n = 0; n < 300; n += 1) {
      const sql = forms[int(forms.length)]?.() ?? '';
      const undone = int(5) === 0;
      session.begin();
      try {
        session.execute(sql);
      } catch (error) {
        expect(String(error)).toMatch(/UNIQUE/);
      }
      if (undone) session.rollback();
      else session.commit();
      if (n % 20 === 0) expectRight();
    }
    expectRight();
    expect(connection.inTransaction).toBe(false);
  });

  test.each<[string, CompiledTable]>([
    ['gets an index', notes()],
    [
      'gets an index of other columns',
      notes({ fullText: { columns: ['body'], tokenize: '', prefix: [] } }),
    ],
    [
      'is rebuilt with other columns',
      { ...notes(), columns: tableOf('x', ['body TEXT', 'title TEXT', 'code TEXT']).columns },
    ],
    [
      'gets a column',
      { ...notes(), columns: [...notes().columns, ...tableOf('x', ['more TEXT']).columns] },
    ],
    ['gets another name', notes({ viewName: 'notes' })],
  ])('is right after a table %s', (title, after) => {
    const { fullText: _, ...without } = notes();
    const before =
      title === 'gets an index'
        ? without
        : title === 'gets another name'
          ? notes({ viewName: 'was' })
          : notes();
    const { session, connection, found } = database(before);
    session.execute(
      `INSERT INTO ${before.viewName} (id, title, body) VALUES ('z', 'dill', 'bread'), ('a', 'apple', 'bread')`,
    );
    session.execute(`DELETE FROM ${before.viewName} WHERE id = 'z'`);
    installSchema(connection, { tables: [after] });
    expect(found('bread')).toEqual(['a']);
    connection.exec(`UPDATE notes SET body = 'cheese'`);
    expect([found('bread'), found('cheese')]).toEqual([[], ['a']]);
    installSchema(connection, { tables: [without] });
    expect(
      connection.prepare(`SELECT name FROM sqlite_schema WHERE name LIKE '%fts%'`).all(),
    ).toEqual([]);
  });
});
