import { openConnection } from '@sluice/client-node';
import { expect, test } from 'vitest';
import type { SqliteConnection } from '../driver/contract.ts';
import { tableOf } from '../testing/tables.ts';
import type { CompiledIndex, CompiledTable } from './compiled-schema.ts';
import { installSchema } from './install-schema.ts';
import type { SyncedRows } from './synced-rows.ts';

const index = (name: string, column: string, rest: Partial<CompiledIndex> = {}): CompiledIndex => ({
  name,
  columns: [{ name: column, ascending: true }],
  unique: false,
  where: '',
  ...rest,
});

function install(
  connection: SqliteConnection,
  tables: readonly CompiledTable[],
  rows?: SyncedRows,
) {
  return installSchema(connection, { tables }, rows);
}

function installed(...tables: readonly CompiledTable[]): SqliteConnection {
  const connection = openConnection(':memory:');
  install(connection, tables);
  return connection;
}

/** Rows as they come from the server. */
function download(connection: SqliteConnection, sql: string): void {
  connection.exec(
    `UPDATE sluice_guard SET applying = 1; ${sql}; UPDATE sluice_guard SET applying = 0`,
  );
}

const rowsOf = (connection: SqliteConnection, table: string) =>
  connection.prepare(`SELECT * FROM ${table} ORDER BY 1`).all();
const restOf = (connection: SqliteConnection) =>
  connection.prepare('SELECT id, data FROM sluice_rest ORDER BY id').all();
const queued = (connection: SqliteConnection) =>
  connection.prepare('SELECT data FROM sluice_crud').all();
/** With the row numbers that tell a rewritten object from one that was left. */
const objects = (connection: SqliteConnection) =>
  connection.prepare('SELECT rowid, name, sql FROM sqlite_schema ORDER BY rowid').all();

const T = tableOf('t', ['a TEXT', 'b INTEGER'], { indexes: [index('byA', 'a')] });

test('the same schema changes nothing and reads no table', () => {
  const connection = installed(T);
  const before = objects(connection);
  const statements: string[] = [];
  const watched: SqliteConnection = {
    ...connection,
    inTransaction: false,
    prepare: (sql) => (statements.push(sql), connection.prepare(sql)),
    exec: (sql) => void statements.push(sql),
    defineFunction: (...args) => connection.defineFunction(...args),
    close: () => undefined,
  };
  expect(install(watched, [T])).toEqual({ changed: false, warnings: [] });
  expect(objects(connection)).toEqual(before);
  expect(statements.filter((sql) => !/sluice_kv/.test(sql))).toEqual([]);
});

test('objects whose text is the same are left alone', () => {
  const connection = installed(T);
  const before = objects(connection);
  install(connection, [
    { ...T, indexes: [...T.indexes, index('byB', 'b', { where: 'b > 1' })] },
    tableOf('u', []),
  ]);
  const after = objects(connection);
  expect(after).toEqual(expect.arrayContaining(before));
  expect(after.map(([, name]) => name)).toEqual(
    expect.arrayContaining(['t__byB', 'u', 'sluice_id__u']),
  );
  install(connection, [T]);
  expect(objects(connection)).toEqual(before);
});

test('a changed option rewrites the triggers it concerns', () => {
  const connection = installed(T);
  install(connection, [{ ...T, trackPrevious: ['a'] }]);
  connection.exec(`INSERT INTO t VALUES ('x', 'y', 1); UPDATE t SET b = 2`);
  expect(queued(connection)[1]).toEqual([
    '{"op":"PATCH","id":"x","type":"t","data":{"b":2},"old":{"a":"y"}}',
  ]);
});

test('a new column has the values that were synced before, also beneath local writes', () => {
  const connection = installed(T);
  download(connection, `INSERT INTO t VALUES ('x', 'ax', 1), ('y', 'ay', 2), ('z', 'az', 3)`);
  connection.exec(`INSERT INTO sluice_rest SELECT id, 'x', '{"c":9007199254740993,"d":true,"e":{"f":[1]}}' FROM sluice_type;
    INSERT INTO sluice_rest SELECT id, 'y', '{"c":"text"}' FROM sluice_type;
    UPDATE t SET a = 'local' WHERE id = 'x'`);
  install(connection, [tableOf('t', ['a TEXT', 'b INTEGER', 'c TEXT', 'd INTEGER'])]);
  expect(rowsOf(connection, 't')).toEqual([
    ['x', 'local', 1, '9007199254740993', 1],
    ['y', 'ay', 2, 'text', null],
    ['z', 'az', 3, null, null],
  ]);
  expect(restOf(connection)).toEqual([['x', '{"e":{"f":[1]}}']]);
  expect(connection.prepare('SELECT data FROM sluice_shadow').all()).toEqual([
    ['{"a":"ax","b":1,"c":9007199254740993,"d":true}'],
  ]);
  expect(queued(connection)).toHaveLength(1);
});

test('the values of a dropped column come back with it, as the server had them', () => {
  const wide = tableOf('t', ['a TEXT', 'b INTEGER', 'r REAL']);
  const connection = installed(wide);
  download(
    connection,
    `INSERT INTO t VALUES ('x', 'ax', 1, 0.1), ('y', NULL, 9007199254740993, 3), ('z', 'az', NULL, NULL)`,
  );
  connection.exec(
    `UPDATE t SET b = 77, a = 'local' WHERE id = 'x'; INSERT INTO t VALUES ('new', 'n', 5, 5)`,
  );
  install(connection, [tableOf('t', ['a TEXT'])]);
  expect(rowsOf(connection, 't')).toEqual([
    ['new', 'n'],
    ['x', 'local'],
    ['y', null],
    ['z', 'az'],
  ]);
  expect(restOf(connection)).toEqual([
    ['x', '{"b":1,"r":0.1}'],
    ['y', '{"b":9007199254740993,"r":3.0}'],
  ]);
  install(connection, [wide]);
  expect(rowsOf(connection, 't')).toEqual([
    ['new', 'n', null, null],
    ['x', 'local', 1, 0.1],
    ['y', null, 9007199254740993n, 3],
    ['z', 'az', null, null],
  ]);
  expect(restOf(connection)).toEqual([]);
});

test('a changed type converts the values, and queues nothing', () => {
  const connection = installed(tableOf('t', ['a TEXT', 'b INTEGER']));
  download(connection, `INSERT INTO t VALUES ('x', '5', 1), ('y', 'five', 2)`);
  install(connection, [tableOf('t', ['b TEXT DEFAULT 7', 'a INTEGER'])]);
  expect(rowsOf(connection, 't')).toEqual([
    ['x', '1', 5],
    ['y', '2', 'five'],
  ]);
  connection.exec(`INSERT INTO t (id) VALUES ('z')`);
  expect(queued(connection)).toEqual([['{"op":"PUT","id":"z","type":"t","data":{"b":"7"}}']]);
});

test('rows that a new constraint forbids stay as the server has them', () => {
  const connection = installed(tableOf('t', ['a TEXT']));
  download(connection, `INSERT INTO t VALUES ('x', NULL)`);
  install(connection, [tableOf('t', ['a TEXT CHECK ("a" IS NOT NULL)'])]);
  expect(rowsOf(connection, 't')).toEqual([['x', null]]);
  expect(() => connection.exec(`INSERT INTO t VALUES ('y', NULL)`)).toThrow(
    /CHECK constraint failed/,
  );
});

test('what the app hung on a table survives its rebuilding, or is warned of', () => {
  const connection = installed(T);
  connection.exec(`CREATE INDEX mine ON t (b); CREATE INDEX gone ON t (a); CREATE TABLE log (x);
    CREATE TRIGGER watch AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.id); END;
    CREATE VIEW shown AS SELECT b FROM t`);
  const { warnings } = install(connection, [tableOf('t', ['b INTEGER'])]);
  expect(warnings).toEqual([expect.stringMatching(/^The app's index "gone" does not fit/)]);
  connection.exec(`INSERT INTO t VALUES ('x', 1)`);
  expect(rowsOf(connection, 'log')).toEqual([['x']]);
  expect(rowsOf(connection, 'shown')).toEqual([[1]]);
});

test('tables may swap their names in SQL', () => {
  const t = (viewName: string) => tableOf('t', ['a TEXT'], { viewName });
  const u = (viewName: string) => tableOf('u', ['a TEXT'], { viewName });
  const connection = installed(t('one'), u('two'));
  download(connection, `INSERT INTO one VALUES ('t', 't'); INSERT INTO two VALUES ('u', 'u')`);
  install(connection, [t('two'), u('one')]);
  expect(rowsOf(connection, 'two')).toEqual([['t', 't']]);
  connection.exec(`DELETE FROM one`);
  expect(queued(connection)).toEqual([['{"op":"DELETE","id":"u","type":"u"}']]);
  expect(() => connection.exec(`INSERT INTO one VALUES ('u', 1), ('u', 2)`)).toThrow(/UNIQUE/);
});

/** Keeps rows as the sync store does, for one column. */
function keeper(connection: SqliteConnection): SyncedRows {
  const kept = new Map<string, unknown[][]>();
  return {
    adoptRows: ({ name, viewName }) => {
      for (const [id, a] of kept.get(name) ?? []) {
        connection
          .prepare(`INSERT INTO ${viewName} (id, a) VALUES (?, ?)`)
          .run([String(id), String(a)]);
      }
    },
    releaseRows: ({ name, viewName }) =>
      void kept.set(name, connection.prepare(`SELECT id, a FROM ${viewName}`).all()),
  };
}

// spec/client.md 2.4, 9
test.each<[title: string, between: readonly CompiledTable[], warnings: readonly string[]]>([
  ['is taken out', [], []],
  [
    'is local-only',
    [tableOf('t', ['a TEXT'], { kind: 'local' })],
    ['Table "t" is no longer local-only, and its 1 rows are gone'],
  ],
  ['is insert-only', [tableOf('t', ['a TEXT'], { kind: 'insertOnly' })], []],
])('a synced table that %s in between has its rows again afterwards', (_, between, warnings) => {
  const t = tableOf('t', ['a TEXT']);
  const connection = installed(t);
  const rows = keeper(connection);
  download(connection, `INSERT INTO t VALUES ('x', 'ax')`);
  expect(install(connection, between, rows)).toEqual({ changed: true, warnings: [] });
  for (const { kind } of between) {
    expect(rowsOf(connection, 't')).toEqual([]);
    if (kind === 'local') connection.exec(`INSERT INTO t VALUES ('local', 'l')`);
  }
  expect(install(connection, [t], rows).warnings).toEqual(warnings);
  expect(rowsOf(connection, 't')).toEqual([['x', 'ax']]);
  expect(queued(connection)).toEqual([]);
  connection.exec(`UPDATE t SET a = 'b'`);
  expect(queued(connection)).toHaveLength(1);
});

test('foreign keys do not take rows along when a table is rebuilt', () => {
  const items = tableOf('items', ['l TEXT REFERENCES lists ("id") ON DELETE CASCADE']);
  const connection = installed(tableOf('lists', ['a TEXT']), items);
  connection.exec(`INSERT INTO lists VALUES ('l', 'x'); INSERT INTO items VALUES ('i', 'l')`);
  install(connection, [tableOf('lists', ['a INTEGER']), items]);
  expect(rowsOf(connection, 'items')).toEqual([['i', 'l']]);
  expect(() => connection.exec(`INSERT INTO items VALUES ('j', 'none')`)).toThrow(/FOREIGN KEY/);
});

test('a change that fails leaves everything as it was', () => {
  const connection = installed(T);
  download(connection, `INSERT INTO t VALUES ('x', 'a', 1), ('y', 'a', 2)`);
  const before = objects(connection);
  const unique = { ...T, indexes: [index('one', 'a', { unique: true })] };
  expect(() => install(connection, [unique, tableOf('u', [])])).toThrow(/UNIQUE constraint failed/);
  expect(objects(connection)).toEqual(before);
  expect(install(connection, [T]).changed).toBe(false);
});

test('a database of a newer version is refused', () => {
  const connection = installed(T);
  connection.exec(`UPDATE sluice_kv SET value = 99 WHERE key = 'layout'`);
  expect(() => install(connection, [T])).toThrow(/has layout 99/);
});
