import SqliteDatabase from 'better-sqlite3';
import { expect, it } from 'vitest';
import { endOfPrefix } from './name-range.ts';

const NAMES = ['', 'a', 'a#', 'a.1#', 'a.10#', 'A', 'a%', 'b', 'ab', '\ud7ff', '\ud7ffx', '\ue000']
  .concat(['\u{10ffff}', '\u{10ffff}\u{10ffff}', 'a\u{10ffff}', 'a\u{10ffff}x', 'é', '\0', 'a\0'])
  .flatMap((name) => [name, `${name}x`, `${name}\u{10ffff}`]);

it.each(NAMES)(
  'the range of %j holds exactly what begins with it, found through an index',
  (prefix) => {
    const db = new SqliteDatabase(':memory:');
    db.exec('CREATE TABLE names (name TEXT PRIMARY KEY) WITHOUT ROWID');
    const insert = db.prepare('INSERT OR IGNORE INTO names VALUES (?)');
    for (const name of NAMES) insert.run(name);
    const query = 'SELECT name FROM names WHERE name >= ? AND name < ?';
    const found = db.prepare(query).pluck().all(prefix, endOfPrefix(prefix)) as string[];
    const expected = new Set(NAMES.filter((name) => name.startsWith(prefix)));
    expect(new Set(found)).toEqual(expected);
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${query}`).all(prefix, endOfPrefix(prefix));
    expect(JSON.stringify(plan)).toContain('SEARCH names USING PRIMARY KEY (name>? AND name<?)');
  },
);
