import { expect, expectTypeOf, test } from 'vitest';
import { SchemaError } from '../errors.ts';
import { column } from './column.ts';
import { compileSchema } from './compile-schema.ts';
import { Schema } from './schema.ts';
import { Table, type AnyTable, type Row, type StoredRow } from './table.ts';

const tasks = new Table(
  {
    title: column.text.notNull(),
    done: column.boolean.default(false),
    due: column.date,
    tags: column.json<string[]>(),
    size: column.bigint,
    score: column.real,
    body: column.blob,
    list_id: column.text.references('lists', { onDelete: 'CASCADE' }),
  },
  {
    viewName: 'my_tasks',
    indexes: {
      byList: ['list_id', '-due'],
      one: { columns: ['title'], unique: true, where: 'done = 0' },
    },
    trackPrevious: { columns: ['title'], onlyWhenChanged: true },
    trackMetadata: true,
  },
);

test('a row type follows from the declaration', () => {
  expectTypeOf<Row<typeof tasks>>().toEqualTypeOf<{
    id: string;
    title: string;
    done: boolean | null;
    due: Date | null;
    tags: string[] | null;
    size: bigint | null;
    score: number | null;
    body: Uint8Array | null;
    list_id: string | null;
  }>();
  expectTypeOf<StoredRow<typeof tasks>['done']>().toEqualTypeOf<number | null>();
  expectTypeOf<StoredRow<typeof tasks>['size']>().toEqualTypeOf<number | bigint | null>();
  expectTypeOf<StoredRow<typeof tasks>['title']>().toEqualTypeOf<string>();
  const schema = new Schema({ tasks });
  expectTypeOf<typeof schema.types.tasks.tags>().toEqualTypeOf<string[] | null>();
  // @ts-expect-error an index names declared columns
  void new Table({ a: column.text }, { indexes: { i: ['b'] } });
});

test('a declaration becomes plain data', () => {
  expect(compileSchema(new Schema({ tasks }))).toEqual({
    tables: [
      {
        name: 'tasks',
        viewName: 'my_tasks',
        columns: [
          { name: 'title', type: 'TEXT', constraint: 'CHECK ("title" IS NOT NULL)' },
          { name: 'done', type: 'INTEGER', constraint: 'DEFAULT 0' },
          { name: 'due', type: 'TEXT', constraint: '' },
          { name: 'tags', type: 'TEXT', constraint: '' },
          { name: 'size', type: 'INTEGER', constraint: '' },
          { name: 'score', type: 'REAL', constraint: '' },
          { name: 'body', type: 'BLOB', constraint: '' },
          {
            name: 'list_id',
            type: 'TEXT',
            constraint: 'REFERENCES "lists" ("id") ON DELETE CASCADE',
          },
        ],
        indexes: [
          {
            name: 'byList',
            columns: [
              { name: 'list_id', ascending: true },
              { name: 'due', ascending: false },
            ],
            unique: false,
            where: '',
          },
          {
            name: 'one',
            columns: [{ name: 'title', ascending: true }],
            unique: true,
            where: 'done = 0',
          },
        ],
        kind: 'synced',
        trackMetadata: true,
        trackPrevious: ['title'],
        trackPreviousOnlyWhenChanged: true,
        ignoreEmptyUpdates: false,
      },
    ],
  });
});

// spec/client.md 2.3
test('the JSON form has the keys that other tools know', () => {
  const schema = new Schema({
    logs: Table.createInsertOnly({ msg: column.text }, { trackPrevious: true }),
    drafts: Table.createLocalOnly({ a: column.integer }, { indexes: { i: ['-a'] } }),
  });
  const flags = {
    include_metadata: false,
    include_old_only_when_changed: false,
    ignore_empty_update: false,
  };
  expect(JSON.parse(JSON.stringify(schema))).toEqual({
    tables: [
      {
        ...flags,
        name: 'logs',
        view_name: 'logs',
        columns: [{ name: 'msg', type: 'TEXT' }],
        indexes: [],
        local_only: false,
        insert_only: true,
        include_old: true,
      },
      {
        ...flags,
        name: 'drafts',
        view_name: 'drafts',
        columns: [{ name: 'a', type: 'INTEGER' }],
        indexes: [{ name: 'i', columns: [{ name: 'a', ascending: false, type: 'INTEGER' }] }],
        local_only: true,
        insert_only: false,
        include_old: false,
      },
    ],
    raw_tables: [],
  });
});

test('values of the app and of SQLite turn into each other', () => {
  const { due, tags, size, done } = tasks.columns;
  const date = new Date(1_700_000_000_123);
  expect(due.decode(due.encode(date))).toEqual(date);
  expect(tags.encode(['a'])).toBe('["a"]');
  expect(tags.decode('["a"]')).toEqual(['a']);
  expect(size.decode(5)).toBe(5n);
  expect([done.encode(true), done.decode(0), done.decode(null)]).toEqual([1, false, null]);
});

const wide = Object.fromEntries(
  Array.from({ length: 2000 }, (_, index) => [`c${index}`, column.text]),
);
const { text } = column;

// spec/client.md 2.2
test.each<[title: string, tables: Record<string, AnyTable>, problem: RegExp]>([
  ['2,000 columns', { t: new Table(wide) }, /2000 columns/],
  ['a column id', { t: new Table({ id: text }) }, /"id" is always there/],
  ['a column rowid', { t: new Table({ RowId: text }) }, /"RowId" has a name with a meaning/],
  [
    'columns that differ by case',
    { t: new Table({ a: text, A: text }) },
    /Column "A" is declared twice/,
  ],
  [
    'indexes that differ by case',
    { t: new Table({ a: text }, { indexes: { i: ['a'], I: ['a'] } }) },
    /Index "I" is declared twice/,
  ],
  [
    'tables that differ by case',
    { t: new Table({}), T: new Table({}) },
    /Table "T" is declared twice/,
  ],
  [
    'tables with one name in SQL',
    { t: new Table({}), u: new Table({}, { viewName: 'T' }) },
    /Table "u" and Table "t" have the same name/,
  ],
  [
    'an index named as a table',
    { t: new Table({ a: text }, { indexes: { x: ['a'] } }), t__x: new Table({}) },
    /Index "x" of table "t" and Table "t__x"/,
  ],
  [
    'an unknown column of an index',
    { t: new Table<Record<string, typeof text>>({ a: text }, { indexes: { i: ['-b'] } }) },
    /Index "i" has the unknown column "b"/,
  ],
  [
    'an unknown tracked column',
    {
      t: new Table<Record<string, typeof text>>({ a: text }, { trackPrevious: { columns: ['b'] } }),
    },
    /unknown column "b"/,
  ],
  ['a quote in a name', { 'a"b': new Table({}) }, /character that names cannot have/],
  ['white space in a column', { t: new Table({ 'a b': text }) }, /The name of column "a b"/],
  ['an empty name', { '': new Table({}) }, /Its name is empty/],
  ['a reserved prefix', { PS_x: new Table({}) }, /reserved "PS_"/],
  [
    'a reserved prefix of a view',
    { t: new Table({}, { viewName: 'sluice_x' }) },
    /reserved "sluice_"/,
  ],
  [
    'metadata of a local-only table',
    { t: new Table({}, { localOnly: true, trackMetadata: true }) },
    /no trackMetadata/,
  ],
  [
    'previous values of a local-only table',
    { t: new Table({ a: text }, { localOnly: true, trackPrevious: true }) },
    /no trackPrevious/,
  ],
  [
    'a column of the metadata',
    { t: new Table({ _metadata: text }, { trackMetadata: true }) },
    /"_metadata" has a name with/,
  ],
  [
    'indexes without rows',
    { t: new Table({ a: text }, { insertOnly: true, indexes: { i: ['a'] } }) },
    /no indexes/,
  ],
])('refuses %s', (_, tables, problem) => {
  expect(() => compileSchema({ tables })).toThrow(problem);
});

test('names every problem at once', () => {
  const tables = { 'a b': new Table({ id: text, x: text, X: text }), ps_y: new Table({}) };
  const refused = () => compileSchema({ tables });
  expect(refused).toThrow(SchemaError);
  expect(refused).toThrow(
    expect.objectContaining({ problems: expect.toSatisfy((all: string[]) => all.length === 4) }),
  );
});
