import { openConnection } from '@sluice/client-node';
import { expect, test } from 'vitest';
import type { SqliteConnection } from '../driver/contract.ts';
import type { TableChange } from './change-set.ts';
import { StatementAnalyzer } from './statement-analyzer.ts';
import { withTriggered } from './triggered-changes.ts';
import { readSamples } from '../testing/read-samples.ts';
import { SAMPLE_SCHEMA } from '../testing/sample-schema.ts';
import { writeSamples } from '../testing/write-samples.ts';

function sampleDatabase(): SqliteConnection {
  const connection = openConnection(':memory:');
  connection.exec(SAMPLE_SCHEMA);
  return connection;
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);

/** `tasks(done, list_id) lists(*)`: tables in the order of their names, `*` for all columns. */
function readsText(analyzer: StatementAnalyzer, sql: string): string {
  const { tables } = analyzer.reads(sql);
  if (tables === 'everything') return 'everything';
  return [...tables]
    .toSorted(([a], [b]) => byText(a, b))
    .map(
      ([name, columns]) =>
        `${name}(${columns === 'all' ? '*' : [...columns].toSorted(byText).join(' ')})`,
    )
    .join(' ');
}

test('reads are the tables and columns that a person would name', () => {
  const analyzer = new StatementAnalyzer(sampleDatabase());
  const wrong = readSamples
    .map(({ sql, reads }) => ({ sql, reads, found: readsText(analyzer, sql) }))
    .filter(({ reads, found }) => reads !== found);
  expect(readSamples.length).toBeGreaterThanOrEqual(200);
  expect(wrong).toEqual([]);
});

/** What columns are set to, so that whatever a query asks of them comes out differently. */
const OTHER_VALUES = ['NULL', '1', '2', `'alpha'`, `'l1'`, `'t4'`, `'zzz'`];

interface Mutation {
  readonly table: string;
  /** Undefined: rows come or go. */
  readonly column: string | undefined;
  readonly sql: string;
}

/** Changes of one column, or of the rows of one table, in every table that is written to as such. */
function mutations(connection: SqliteConnection): readonly Mutation[] {
  const tables = connection
    .prepare(
      `SELECT schema, lower(name), name FROM pragma_table_list
       WHERE type = 'table' AND name NOT LIKE 'sqlite%' OR name IN ('notes', 'boxes')`,
    )
    .all();
  return tables.flatMap(([schema, name]) => {
    const table =
      schema === 'main' ? String(name) : `${String(schema).toLowerCase()}.${String(name)}`;
    const columns = connection
      .prepare(`SELECT name FROM pragma_table_xinfo(?, ?) WHERE hidden = 0`)
      .all([name ?? null, schema ?? null])
      .map(([column]) => String(column));
    const rows = ['', ' WHERE rowid > 2'].filter(
      (where) => where === '' || !['tags', 'totals'].includes(table),
    );
    return [
      { table, column: undefined, sql: `DELETE FROM ${table}` },
      {
        table,
        column: undefined,
        sql: `INSERT OR IGNORE INTO ${table} (${columns.join()}) SELECT ${columns.join()} FROM ${table} LIMIT 1`,
      },
      {
        table,
        column: undefined,
        sql: `INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${columns.map((_, at) => `'${at + 11}'`).join()})`,
      },
      ...columns.flatMap((column) =>
        OTHER_VALUES.flatMap((value) =>
          rows.map((where) => ({
            table,
            column,
            sql: `UPDATE OR IGNORE ${table} SET ${column} = ${value}${where}`,
          })),
        ),
      ),
    ];
  });
}

test('a change in a table or column that a query does not read leaves its result as it is, for every sample', () => {
  const connection = sampleDatabase();
  const analyzer = new StatementAnalyzer(connection);
  const samples = readSamples.map(({ sql }) => ({ sql, ...resultOf(connection, sql) }));
  const missed: string[] = [];
  let changed = 0;
  for (const { table, column, sql: change } of mutations(connection)) {
    connection.exec('SAVEPOINT change');
    try {
      connection.exec(change);
    } catch {
      // A value that the table refuses changes nothing.
    }
    for (const { sql, parameters, result } of samples) {
      if (resultOf(connection, sql, parameters).result === result) continue;
      changed += 1;
      const { tables } = analyzer.reads(sql);
      if (tables === 'everything') continue;
      const columns = tables.get(table);
      const found =
        columns === 'all' ||
        (columns !== undefined && (column === undefined || columns.has(column))) ||
        // What its triggers write.
        [...analyzer.writes(change)].some((name) => name !== table && tables.has(name));
      if (!found) missed.push(`${change}  |  ${sql}`);
    }
    connection.exec('ROLLBACK TO change; RELEASE change');
  }
  expect(missed).toEqual([]);
  expect(changed).toBeGreaterThan(4000);
}, 120_000);

function resultOf(connection: SqliteConnection, sql: string, known?: readonly string[]) {
  const parameters = known ?? parametersOf(sql);
  try {
    return {
      parameters,
      result: JSON.stringify(
        connection.prepare(sql.replaceAll(/\?\d+|[:@]\w+/g, '?')).all(parameters),
      ),
    };
  } catch (error) {
    return { parameters, result: String(error) };
  }
}

function parametersOf(sql: string): readonly string[] {
  const count = sql.match(/\?\d*|[:@]\w+/g)?.length ?? 0;
  if (sql.includes('json_each(?)')) return ['["t1","l1"]'];
  if (sql.includes('MATCH ?')) return ['two'];
  if (sql.includes('owner = ?')) return ['o1'];
  return ['t1', 't2', 'l1'].slice(0, count);
}

test('writes are all tables that a statement may change', () => {
  const analyzer = new StatementAnalyzer(sampleDatabase());
  const found = writeSamples.map(({ sql }) => ({
    sql,
    writes: [...analyzer.writes(sql)].toSorted(byText).join(' '),
  }));
  expect(found).toEqual(writeSamples);
});

test('what triggers and foreign keys write is known by table, and added to changes of rows', () => {
  const analyzer = new StatementAnalyzer(sampleDatabase());
  const triggered = (table: string) => [...analyzer.triggeredBy(table)].toSorted(byText).join(' ');
  expect(triggered('tasks')).toBe(
    'notes notes_config notes_content notes_data notes_docsize notes_idx totals trail',
  );
  expect(triggered('parents')).toBe('children');
  expect(triggered('lists')).toBe('');
  const row = { id: '1', before: undefined, after: new Map() };
  const changes = new Map<string, TableChange>([['trail', { columns: 'all', rows: [row] }]]);
  expect(withTriggered(changes, (table) => analyzer.triggeredBy(table))).toEqual(
    new Map(changes).set('totals', { columns: 'all', rows: 'many' }),
  );
});

test('a change of the schema, by whatever connection, is noticed', () => {
  const connection = sampleDatabase();
  const analyzer = new StatementAnalyzer(connection);
  expect(readsText(analyzer, 'SELECT title FROM open_tasks')).toBe('tasks(done due title)');
  connection.exec(
    'DROP VIEW open_tasks; CREATE VIEW open_tasks AS SELECT name AS title FROM lists',
  );
  expect(readsText(analyzer, 'SELECT title FROM open_tasks')).toBe('lists(name)');
  connection.exec('CREATE TEMP TABLE lists (name, secret)');
  expect(readsText(analyzer, 'SELECT * FROM lists')).toBe('temp.lists(name secret)');
  connection.exec(`DETACH extra; ATTACH ':memory:' AS extra; CREATE TABLE extra.other (a)`);
  expect(readsText(analyzer, 'SELECT a FROM other')).toBe('extra.other(a)');
});

test('what a statement writes is known anew after statements that change temp or attached schemas', () => {
  const connection = sampleDatabase();
  const analyzer = new StatementAnalyzer(connection);
  const run = (sql: string) => {
    const written = [...analyzer.writes(sql)].toSorted(byText).join(' ');
    connection.exec(sql);
    return written;
  };
  expect(run(`UPDATE lists SET name = 'x'`)).toBe('lists');
  run('CREATE TEMP TRIGGER noted AFTER UPDATE ON lists BEGIN DELETE FROM draft; END');
  expect(run(`UPDATE lists SET name = 'x'`)).toBe('lists temp.draft');
  run(`DETACH extra`);
  run(`ATTACH ':memory:' AS extra`);
  run('CREATE TABLE extra.log (a)');
  run('CREATE INDEX extra.log_a ON log (a)');
  expect(run('DELETE FROM log')).toBe('extra.log');
});

test('what SQLite does not compile is its error', () => {
  const analyzer = new StatementAnalyzer(sampleDatabase());
  expect(() => analyzer.reads('SELECT a FROM nowhere')).toThrow('no such table: nowhere');
});
