import type { SqliteType, TableSchema } from '@sluice/model';
import { planOf } from './check.ts';
import type { ClientSchema } from '../client-schema/client-schema.ts';

/** The config and source of the golden files: a bit of everything, and names that are trouble. */
const CONFIG = `
config: { edition: 3 }
with:
  my_lists: SELECT list_id FROM members WHERE user_id = auth.user_id()
streams:
  lists:
    auto_subscribe: true
    queries:
      - SELECT * FROM lists WHERE id IN my_lists
      - SELECT id, name || ' (archived)' AS name, 1 AS archived FROM old_lists AS lists
  todos_of_list:
    query: >-
      SELECT * FROM todos WHERE list_id IN my_lists AND list_id = subscription.parameter('list_id')
        AND done = subscription.parameter('done')
  some-todos:
    accept_potentially_dangerous_queries: true
    query: SELECT * FROM todos WHERE id IN subscription.parameter('ids') AND effort IN subscription.parameter('efforts')
  everything:
    query: SELECT * FROM "class"
  2fa codes:
    accept_potentially_dangerous_queries: true
    query: >-
      SELECT id, code AS "co$de", secret FROM "2fa codes"
      WHERE owner = subscription.parameter('class') AND owner = subscription.parameter('Class')
        AND upper(subscription.parameter('größe')) = 'XL'
  someTodos:
    query: SELECT id, "größe", "it's" FROM "größen"
`;

const SOURCE: readonly TableSchema[] = [
  table('lists', { id: 'text', name: 'text', position: 'integer', photo: 'blob' }),
  table('old_lists', { id: 'text', name: 'text' }),
  table('todos', { id: 'text', list_id: 'text', done: 'integer', effort: 'real', __proto: 'text' }),
  table('class', {
    id: 'text',
    new: 'text',
    New: 'text',
    for_: 'integer',
    'a b': 'text',
    'a-b': 'real',
  }),
  table('2fa codes', { id: 'text', code: 'text', secret: 'text', owner: 'text' }),
  table('größen', { id: 'text', größe: 'real', "it's": 'text' }),
  table('members', { id: 'text', user_id: 'text', list_id: 'text' }),
];

function table(name: string, columns: Readonly<Record<string, SqliteType>>): TableSchema {
  return {
    schema: 'public',
    name,
    columns: Object.entries(columns).map(([column, sqliteType]) => ({
      name: column,
      sqliteType,
      sourceType: 'test',
    })),
  };
}

export const RICH_SCHEMA: ClientSchema = planOf(CONFIG).clientSchema(SOURCE);

export const EMPTY_SCHEMA: ClientSchema = { tables: [], streams: [] };
