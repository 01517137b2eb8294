import type { SqliteType, TableSchema } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { planOf } from '../testing/check.ts';
import { clientSchemaProblems } from './schema-problems.ts';

function table(name: string, columns: Readonly<Record<string, SqliteType>>, schema = 'public') {
  return {
    schema,
    name,
    columns: Object.entries(columns).map(([column, sqliteType]) => ({
      name: column,
      sqliteType,
      sourceType: 'test',
    })),
  };
}

const SOURCE: readonly TableSchema[] = [
  table('lists', { id: 'text', name: 'text', position: 'integer', photo: 'blob', _secret: 'text' }),
  table('todos', { id: 'text', list_id: 'text', done: 'integer', effort: 'real' }),
  table('log_1', { id: 'text', a: 'integer' }),
  table('log_2', { id: 'text', a: 'text', b: 'real' }),
  table('log_2', { id: 'text', c: 'real' }, 'other'),
];

/** `table: column type, …` per client table. */
function tables(yaml: string, source: readonly TableSchema[] | undefined = SOURCE): string[] {
  return planOf(yaml)
    .clientSchema(source)
    .tables.map(({ name, columns }) => {
      return `${name}: ${columns.map((c) => `${c.name} ${c.type}`).join(', ')}`;
    });
}

const streams = (...queries: readonly string[]) =>
  `config: { edition: 3 }\nstreams:\n  s:\n    queries:\n${queries.map((q) => `      - |\n        ${q}\n`).join('')}`;

const definitions = (...queries: readonly string[]) =>
  `bucket_definitions:\n  d:\n    data:\n${queries.map((q) => `      - |\n        ${q}\n`).join('')}`;

describe('client tables (spec 17.4)', () => {
  it('have the columns of *, without id, and list BLOBs as text', () => {
    expect(tables(streams('SELECT * FROM lists'))).toEqual([
      'lists: name text, position integer, photo text, _secret text',
    ]);
  });

  it('of bucket definitions also list the columns with _ that * leaves out', () => {
    expect(tables(definitions('SELECT * FROM lists'))).toEqual([
      'lists: name text, position integer, photo text, _secret text',
    ]);
  });

  it('merge all queries that write to them: first spelling, union of types', () => {
    const yaml = streams(
      'SELECT id, position AS "Rank" FROM lists AS things',
      'SELECT id, effort AS rank, done FROM todos AS things',
      "SELECT id, 'x' AS done FROM todos AS things",
    );
    expect(tables(yaml)).toEqual(['things: Rank real, done text']);
    expect(planOf(yaml).clientSchema(SOURCE).tables[0]?.columns).toEqual([
      { name: 'Rank', type: 'real', types: 4 | 8 },
      { name: 'done', type: 'text', types: 4 | 2 },
    ]);
  });

  it('leave id out however it is written', () => {
    expect(tables(streams('SELECT done AS id, list_id AS "ID", effort FROM todos'))).toEqual([
      'todos: effort real',
    ]);
  });

  it('take the last column of a name in streams, and both in bucket definitions', () => {
    const query = "SELECT id, 'x' AS done, todos.* FROM todos";
    expect(tables(streams(query))).toEqual(['todos: done integer, list_id text, effort real']);
    expect(tables(definitions(query))).toEqual(['todos: done text, list_id text, effort real']);
    expect(tables(streams('SELECT *, upper(list_id) AS done FROM todos'))).toEqual([
      'todos: list_id text, done text, effort real',
    ]);
  });

  it('are one per table behind an unaliased wildcard, and one for all with an alias', () => {
    expect(tables(streams('SELECT * FROM "log_%"'))).toEqual([
      'log_1: a integer',
      'log_2: a text, b real',
    ]);
    expect(tables(streams('SELECT * FROM "log_%" AS log'))).toEqual(['log: a text, b real']);
    expect(tables(streams('SELECT * FROM "%"."log_2"'))).toEqual(['log_2: a text, b real, c real']);
  });

  it('know only written columns, as text, without a source schema', () => {
    const yaml = streams(
      'SELECT id, done, length(list_id) AS n FROM todos',
      'SELECT * FROM lists',
      'SELECT * FROM "log_%"',
    );
    expect(planOf(yaml).clientSchema(undefined).tables).toEqual([
      {
        name: 'todos',
        columns: [
          { name: 'done', type: 'text', types: 0 },
          { name: 'n', type: 'text', types: 0 },
        ],
      },
      { name: 'lists', columns: [] },
    ]);
  });

  it('exist for source tables that do not exist yet', () => {
    expect(tables(streams('SELECT id, name, length(name) AS n FROM future'))).toEqual([
      'future: name text, n integer',
    ]);
  });
});

/** `stream(parameter type, …)` */
function functions(query: string, more = ''): string[] {
  const yaml = `config: { edition: 3 }\nstreams:\n  s:\n    query: |\n      ${query}\n${more}`;
  return planOf(yaml)
    .clientSchema(SOURCE)
    .streams.map(({ name, parameters }) => {
      const list = parameters.map((p) => `${p.name} ${p.type}${p.isList ? '[]' : ''}`);
      return `${name}(${list.join(', ')})`;
    });
}

describe('stream functions (spec 17.5)', () => {
  const P = (name: string) => `subscription.parameter('${name}')`;
  it.each([
    [`list_id = ${P('l')}`, 's(l text)'],
    [`${P('d')} = done`, 's(d integer)'],
    [`effort = ${P('e')}`, 's(e real)'],
    [`length(list_id) = ${P('n')}`, 's(n integer)'],
    [`list_id = ${P('b')} AND done = ${P('a')}`, 's(a integer, b text)'],
    [`list_id IN ${P('ids')}`, 's(ids text[])'],
    [`done IN (SELECT value FROM json_each(${P('n')}))`, 's(n integer[])'],
    [`list_id IN (SELECT id FROM lists WHERE position = ${P('p')})`, 's(p integer)'],
    [`list_id = subscription.parameters() ->> 'l'`, 's(l text)'],
    [`list_id = ${P('$.l')}`, 's(l text)'],
    [`list_id = ${P('$.l.deep')}`, 's(l any)'],
    [`list_id = ${P('x')} OR done = ${P('x')}`, 's(x any)'],
    [`list_id = ${P('x')} OR list_id IN ${P('x')}`, 's(x any)'],
    [`list_id = upper(${P('x')})`, 's(x any)'],
    [`${P('all')} = 'yes'`, 's(all any)'],
    [`list_id = ${P('x')} AND ${P('x')} IS NOT NULL`, 's(x any)'],
    [`list_id ->> 'k' = ${P('x')}`, 's(x any)'],
    [`unknown_column = ${P('x')}`, 's(x any)'],
    [`list_id = subscription.parameter(auth.parameter('which'))`, 's()'],
    [`list_id = connection.parameter('l')`, 's()'],
    ['done', 's()'],
  ])('%s: %s', (condition, expected) => {
    expect(functions(`SELECT * FROM todos WHERE ${condition}`)).toEqual([expected]);
  });

  it('are not there for streams that come by themselves, nor for bucket definitions', () => {
    expect(functions(`SELECT * FROM todos`, '    auto_subscribe: true\n')).toEqual([]);
    expect(planOf(definitions('SELECT * FROM todos')).clientSchema(SOURCE).streams).toEqual([]);
  });
});

it('problems name what clients refuse', () => {
  const yaml = streams(
    'SELECT id, name AS "full name" FROM lists AS "my lists"',
    'SELECT id, done FROM todos AS ps_todos',
    'SELECT * FROM nowhere',
    'SELECT id, done FROM todos AS "Nowhere"',
  );
  expect(clientSchemaProblems(planOf(yaml).clientSchema(SOURCE))).toEqual([
    'Clients refuse the table name "my lists": give the table an alias',
    'Clients refuse the name of a column (my lists, column "full name"): write AS with another name',
    "The table name ps_todos begins like the client's own tables: give it an alias",
    'No columns of the table nowhere are known',
    'The client tables nowhere and Nowhere differ only in case: SQLite takes them for one',
  ]);
  expect(clientSchemaProblems(planOf(streams('SELECT * FROM todos')).clientSchema(SOURCE))).toEqual(
    [],
  );
});
