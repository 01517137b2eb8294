import { openConnection } from '@sluice/client-node';
import { expect, test } from 'vitest';
import type { SqliteConnection } from '../../driver/contract.ts';
import { installSchema } from '../../schema/install-schema.ts';
import { tableOf } from '../../testing/tables.ts';

const TASKS = tableOf('tasks', ['title TEXT', 'done INTEGER', 'score REAL'], {
  viewName: 'my_tasks',
  trackMetadata: true,
  trackPrevious: ['title', 'done'],
  trackPreviousOnlyWhenChanged: true,
});
const NOTES = tableOf('notes', ['b TEXT', 'a TEXT'], { trackPrevious: ['b', 'a'] });
const LOGS = tableOf('logs', ['msg TEXT'], { kind: 'insertOnly' });
const QUIET = tableOf('quiet', ['a TEXT'], { ignoreEmptyUpdates: true });

function database(): SqliteConnection {
  const connection = openConnection(':memory:');
  installSchema(connection, { tables: [TASKS, NOTES, LOGS, QUIET] });
  return connection;
}

function entries(connection: SqliteConnection): unknown[] {
  return connection.prepare('SELECT data FROM sluice_crud ORDER BY id').all().flat();
}

const T1 = `INSERT INTO my_tasks (id, title, done) VALUES ('t1', 'Buy', 0)`;
const N1 = `INSERT INTO notes (id, a, b) VALUES ('n1', 'A', 'B')`;

// spec/client.md 2.5
test.each<[before: readonly string[], sql: string, entry: string]>([
  [[], T1, `{"op":"PUT","id":"t1","type":"tasks","data":{"done":0,"title":"Buy"}}`],
  [
    [],
    `INSERT INTO my_tasks (id) VALUES ('t2')`,
    `{"op":"PUT","id":"t2","type":"tasks","data":{}}`,
  ],
  [
    [],
    `INSERT INTO my_tasks (id, title, _metadata) VALUES ('t3', 'z', 'src=import')`,
    `{"op":"PUT","id":"t3","type":"tasks","data":{"title":"z"},"metadata":"src=import"}`,
  ],
  [
    [T1],
    `UPDATE my_tasks SET done = 1 WHERE id = 't1'`,
    `{"op":"PATCH","id":"t1","type":"tasks","data":{"done":1},"old":{"done":0}}`,
  ],
  [
    [T1],
    `UPDATE my_tasks SET title = NULL, score = 2.5 WHERE id = 't1'`,
    `{"op":"PATCH","id":"t1","type":"tasks","data":{"score":2.5,"title":null},"old":{"title":"Buy"}}`,
  ],
  [
    [T1],
    `UPDATE my_tasks SET title = title WHERE id = 't1'`,
    `{"op":"PATCH","id":"t1","type":"tasks","data":{},"old":{}}`,
  ],
  [
    [T1, `UPDATE my_tasks SET title = NULL, done = 1`],
    `UPDATE my_tasks SET _deleted = 1, _metadata = 'why' WHERE id = 't1'`,
    `{"op":"DELETE","id":"t1","type":"tasks","old":{"title":null,"done":1},"metadata":"why"}`,
  ],
  [
    [N1],
    `UPDATE notes SET a = NULL WHERE id = 'n1'`,
    `{"op":"PATCH","id":"n1","type":"notes","data":{"a":null},"old":{"b":"B","a":"A"}}`,
  ],
  [
    [N1, `UPDATE notes SET a = NULL`],
    `DELETE FROM notes WHERE id = 'n1'`,
    `{"op":"DELETE","id":"n1","type":"notes","old":{"b":"B","a":null}}`,
  ],
  [
    [],
    `INSERT INTO logs (id, msg) VALUES ('l1', 'hi')`,
    `{"op":"PUT","type":"logs","id":"l1","data":{"msg":"hi"}}`,
  ],
  [
    [],
    `INSERT INTO my_tasks (id, score) VALUES ('t4', 3)`,
    `{"op":"PUT","id":"t4","type":"tasks","data":{"score":3.0}}`,
  ],
])('after %j, %s queues one entry', (before, sql, entry) => {
  const connection = database();
  for (const statement of before) connection.exec(statement);
  connection.exec('DELETE FROM sluice_crud');
  connection.exec(sql);
  expect(entries(connection)).toEqual([entry]);
  connection.close();
});

test('metadata is kept in the entry alone', () => {
  const connection = database();
  connection.exec(`INSERT INTO my_tasks (id, title, _metadata) VALUES ('t1', 'a', 'm1')`);
  connection.exec(`UPDATE my_tasks SET title = 'b', _metadata = 'm2'`);
  connection.exec(`UPDATE my_tasks SET _metadata = 'm3'`);
  expect(connection.prepare('SELECT _metadata, _deleted FROM my_tasks').all()).toEqual([
    [null, null],
  ]);
  expect(entries(connection).slice(1)).toEqual([
    `{"op":"PATCH","id":"t1","type":"tasks","data":{"title":"b"},"old":{"title":"a"},"metadata":"m2"}`,
    `{"op":"PATCH","id":"t1","type":"tasks","data":{},"old":{},"metadata":"m3"}`,
  ]);
  connection.exec(`UPDATE my_tasks SET _deleted = TRUE`);
  expect(connection.prepare('SELECT * FROM my_tasks').all()).toEqual([]);
  connection.close();
});

test('an update that changes nothing queues nothing with ignoreEmptyUpdates', () => {
  const connection = database();
  connection.exec(`INSERT INTO quiet VALUES ('q', 'x')`);
  connection.exec(`UPDATE quiet SET a = a`);
  connection.exec(`UPDATE quiet SET a = 'y'`);
  expect(entries(connection)).toHaveLength(2);
  connection.close();
});
