import type { TableSchema } from '@sluice/model';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { starterConfig } from './starter-config.ts';

function table(name: string, columns: readonly string[], schema = 'public'): TableSchema {
  return {
    schema,
    name,
    columns: columns.map((column) => ({ name: column, sqliteType: 'text', sourceType: 'text' })),
  };
}

test('tables that name a user become streams of the own rows; others stay comments', () => {
  const text = starterConfig(
    [
      table('todos', ['id', 'title', 'user_id']),
      table('Mixed Case', ['id', 'owner_id']),
      table('docs', ['id', 'created_by'], 'app'),
      table('countries', ['id', 'name']),
      table('logs', ['key', 'user_id']),
    ],
    'public',
  );
  expect(parse(text)).toEqual({
    config: { edition: 3 },
    streams: {
      todos: { auto_subscribe: true, query: 'SELECT * FROM todos WHERE user_id = auth.user_id()' },
      'Mixed Case': {
        auto_subscribe: true,
        query: 'SELECT * FROM "Mixed Case" WHERE owner_id = auth.user_id()',
      },
      app_docs: {
        auto_subscribe: true,
        query: 'SELECT * FROM app.docs WHERE created_by = auth.user_id()',
      },
    },
  });
  expect(text).toContain('#   countries:');
  expect(text).toMatch(/#\s+logs: # has no column id/);
});

test('a schema in which nothing names a user still gives a valid file', () => {
  expect(parse(starterConfig([table('countries', ['id'])], 'public'))).toEqual({
    config: { edition: 3 },
    streams: {},
  });
});
