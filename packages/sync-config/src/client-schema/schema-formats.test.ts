import vm from 'node:vm';
import * as powersync from '@powersync/common';
import { must } from '@sluice/base';
import { SeededRandom } from '@sluice/testing';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { ClientSchema } from './client-schema.ts';
import { SCHEMA_FORMATS } from './schema-formats.ts';
import { imbalance } from '../testing/bracket-balance.ts';
import { randomSchema } from '../testing/random-client-schema.ts';
import { EMPTY_SCHEMA, RICH_SCHEMA } from '../testing/rich-client-schema.ts';
import { typeErrors } from '../testing/type-check.ts';

const OPTIONS = { npmPackage: '@powersync/common' };
const SQL_FORMATS = ['drift', 'sqldelight'];

function generate(format: string, schema: ClientSchema): string {
  return must(
    SCHEMA_FORMATS.find(({ name }) => name === format),
    format,
  ).generate(schema, OPTIONS);
}

describe.each(SCHEMA_FORMATS.map(({ name }) => name))('%s', (format) => {
  // Written anew by `npx vitest run -u`; read in review.
  it('is as in the golden file', async () => {
    await expect(generate(format, RICH_SCHEMA)).toMatchFileSnapshot(`golden/${format}.txt`);
  });

  it('of an empty schema is as in the golden file', async () => {
    await expect(generate(format, EMPTY_SCHEMA)).toMatchFileSnapshot(`golden/${format}-empty.txt`);
  });

  it('is well-formed and repeatable for any names', () => {
    const seed = 20_261_202;
    const random = new SeededRandom(seed);
    for (let round = 0; round < 100; round++) {
      const schema = randomSchema(random);
      const text = generate(format, schema);
      const language = SQL_FORMATS.includes(format) ? 'sql' : 'braces';
      const wrong = imbalance(text, language);
      expect({ seed, round, text, wrong }).toEqual({ seed, round, text, wrong: undefined });
      expect(generate(format, structuredClone(schema))).toBe(text);
    }
  });
});

describe('TypeScript', () => {
  const USE = `
    import { typedStreams, AppSchema, type Database, type ListsRecord } from './rich.js';
    import type { CommonPowerSyncDatabase } from '@powersync/common';
    export const position = (row: ListsRecord): number | null => row.position;
    export const id = (row: Database['todos']): string => row.id;
    export const sub = (db: CommonPowerSyncDatabase) =>
      typedStreams(db).todosOfList({ done: 1, list_id: 'l' }).subscribe();
    // @ts-expect-error a misspelt parameter
    export const misspelt = (db: CommonPowerSyncDatabase) => typedStreams(db).todosOfList({ list: '' });
    // @ts-expect-error no such column
    export const missing = (row: ListsRecord) => row.owner;
    export const name: string = AppSchema.tables[0]!.name;`;
  const USE_SLUICE = `
    import { schema, streams, type Row, type TodosRow } from './sluice.js';
    export const type: 'real' = schema.todos.effort;
    export const effort = (row: TodosRow): number | null => row.effort;
    export const id = (row: Row<'lists'>): string => row.id;
    export const sub: { stream: string } = streams.todosOfList({ done: 1, list_id: 'l' });
    // @ts-expect-error a text where a number belongs
    export const wrong = streams.todosOfList({ done: '1', list_id: 'l' });
    // @ts-expect-error no such column
    export const missing = (row: TodosRow) => row.owner;`;

  it('of every kind type-checks, and so does what uses it', { timeout: 60_000 }, () => {
    const random = new SeededRandom(20_261_203);
    const modules: Record<string, string> = {
      'rich.ts': generate('typescript', RICH_SCHEMA),
      'use.ts': USE,
      'sluice.ts': generate('sluice', RICH_SCHEMA),
      'use-sluice.ts': USE_SLUICE,
      'empty.ts': generate('typescript', EMPTY_SCHEMA),
      'empty-sluice.ts': generate('sluice', EMPTY_SCHEMA),
    };
    for (let i = 0; i < 12; i++) {
      const schema = randomSchema(random);
      modules[`random-${i}.ts`] = generate('typescript', schema);
      modules[`random-sluice-${i}.ts`] = generate('sluice', schema);
    }
    expect(typeErrors(modules)).toEqual([]);
  });
});

/** Runs a generated JavaScript module with the official SDK. */
function run(format: string, schema: ClientSchema): RunModule {
  const sdk: Record<string, unknown> = { ...powersync };
  // Version 1 had this constructor under the other name.
  if (format === 'js-legacy') sdk['Table'] = powersync.ResolvedTable;
  const text = generate(format, schema);
  const names = /^import \{ (.*) \}/m.exec(text)?.[1]?.split(', ') ?? [];
  const body = text.replace(/^import .*$/m, '').replace(/^export /gm, '');
  const exported = `return { AppSchema, typedStreams: typeof typedStreams === 'function' ? typedStreams : undefined };`;
  const load = vm.compileFunction(`${body}\n${exported}`, names) as (
    ...args: readonly unknown[]
  ) => RunModule;
  return load(...names.map((name) => sdk[name]));
}

interface RunModule {
  readonly AppSchema: powersync.Schema;
  readonly typedStreams:
    ((db: unknown) => Record<string, (parameters?: unknown) => unknown>) | undefined;
}

/** Tables with columns as the SDK hands them to its core. */
function declared(schema: powersync.Schema) {
  return schema.tables.map(({ name, columns }) => ({
    name,
    columns: Object.fromEntries(columns.map((column) => [`column ${column.name}`, column.type])),
  }));
}

function wanted({ tables }: ClientSchema) {
  return tables.map(({ name, columns }) => ({
    name,
    columns: Object.fromEntries(
      columns.map((column) => [`column ${column.name}`, column.type.toUpperCase()]),
    ),
  }));
}

describe.each(['js', 'js-legacy'])('%s, run', (format) => {
  it('declares exactly the tables and columns, for any names', () => {
    const seed = 20_261_204;
    const random = new SeededRandom(seed);
    for (let round = 0; round < 100; round++) {
      const schema = round === 0 ? RICH_SCHEMA : randomSchema(random);
      const tables = declared(run(format, schema).AppSchema);
      const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
      expect({ seed, round, tables: tables.toSorted(byName) }).toEqual({
        seed,
        round,
        tables: wanted(schema).toSorted(byName),
      });
    }
  });

  it('passes the validation of the SDK', () => {
    const tables = RICH_SCHEMA.tables.filter(({ name }) => ['lists', 'todos'].includes(name));
    run(format, { tables, streams: [] }).AppSchema.validate();
  });
});

it('js: streams subscribe under their own names with the parameters as they are', () => {
  const calls: unknown[][] = [];
  const db = { syncStream: (...args: unknown[]) => calls.push(args) };
  const streams = must(run('js', RICH_SCHEMA).typedStreams, 'typedStreams')(db);
  expect(Object.keys(streams)).toEqual([
    'todosOfList',
    'someTodos',
    'everything',
    'stream2faCodes',
    'someTodos2',
  ]);
  streams['stream2faCodes']?.({ class: 'x' });
  streams['everything']?.();
  expect(calls).toEqual([['2fa codes', { class: 'x' }], ['everything']]);
});

describe.each(SQL_FORMATS)('%s, run in SQLite', (format) => {
  it('makes tables with exactly the columns, for any names', () => {
    const seed = 20_261_205;
    const random = new SeededRandom(seed);
    for (let round = 0; round < 100; round++) {
      const schema = round === 0 ? RICH_SCHEMA : randomSchema(random);
      // What SQLite has no names for: NUL, and halves of pairs.
      if (/\\u0000|\\ud800/.test(JSON.stringify(schema))) continue;
      using_(new Database(':memory:'), (db) => {
        db.exec(generate(format, schema).replace(/^\) AS \w+;$/gm, ');'));
        const columnsOf = db.prepare('SELECT name, type FROM pragma_table_info(?)').raw();
        const tables = schema.tables.map(({ name }) => columnsOf.all(name));
        expect({ seed, round, tables }).toEqual({
          seed,
          round,
          tables: schema.tables.map(({ columns }) => [
            ['id', 'TEXT'],
            ...columns.map((column) => [column.name, column.type.toUpperCase()]),
          ]),
        });
      });
    }
  });
});

function using_(db: Database.Database, use: (db: Database.Database) => void): void {
  try {
    use(db);
  } finally {
    db.close();
  }
}
