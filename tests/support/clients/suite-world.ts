/** The database of the client suite: tasks of shared lists, one row of every type, and much of one kind. */
export const SUITE_SCHEMA = `
  CREATE TYPE mood AS ENUM ('glad', 'sad');
  CREATE TABLE notes (id text PRIMARY KEY, owner_id text NOT NULL, body text, stars int4 NOT NULL DEFAULT 0);
  CREATE TABLE tasks (id text PRIMARY KEY, list_id text NOT NULL, title text, done boolean NOT NULL DEFAULT false);
  CREATE TABLE samples (
    id text PRIMARY KEY, owner_id text NOT NULL, big int8, small int2, flag boolean, ratio float8, price numeric(20,10),
    body text, bytes bytea, uid uuid, at timestamptz, tags text[], meta jsonb);
  CREATE TABLE bulk (id text PRIMARY KEY, owner_id text NOT NULL, n int4 NOT NULL, label text NOT NULL);
  CREATE TABLE extras (id text PRIMARY KEY, label text NOT NULL);
  CREATE PUBLICATION powersync FOR ALL TABLES;
  INSERT INTO notes SELECT 'note-' || i, CASE WHEN i % 2 = 0 THEN 'ann' ELSE 'bob' END, 'body ' || i, i
    FROM generate_series(1, 100) AS i;
  INSERT INTO tasks SELECT 'task-' || i, 'list-' || i % 5, 'title ' || i FROM generate_series(1, 100) AS i;
  INSERT INTO extras SELECT 'extra-' || i, 'label ' || i FROM generate_series(1, 10) AS i;`;

const STREAMS = `
  notes:
    auto_subscribe: true
    priority: 1
    query: SELECT * FROM notes WHERE owner_id = auth.user_id()
  samples:
    auto_subscribe: true
    query: SELECT *, base64(bytes) AS photo FROM samples WHERE owner_id = auth.user_id()
  tasks_of_list:
    query: SELECT * FROM tasks WHERE list_id = subscription.parameter('list_id')
  tasks_of_lists:
    query: SELECT * FROM tasks WHERE list_id IN subscription.parameter('list_ids')
  bulk:
    query: SELECT * FROM bulk WHERE owner_id = auth.user_id()`;

export const SUITE_CONFIG = `
config:
  edition: 3
streams:${STREAMS}
`;

/** The same and one stream more. */
export const SUITE_CONFIG_WITH_EXTRAS = `${SUITE_CONFIG}
  extras:
    auto_subscribe: true
    query: SELECT * FROM extras
`;

/** For each table: what a user (or a list) is entitled to, and the same on the client. */
export const SAME = {
  notes: (user: string) => ({
    client: 'SELECT id, owner_id, body, stars FROM notes ORDER BY id',
    source:
      'SELECT id, owner_id, body, stars FROM notes WHERE owner_id = $1 ORDER BY id COLLATE "C"',
    values: [user],
  }),
  tasks: (...lists: string[]) => ({
    client: 'SELECT id, list_id, title, done FROM tasks ORDER BY id',
    source: `SELECT id, list_id, title, done::int AS done FROM tasks WHERE list_id IN (${lists
      .map((_, i) => `$${i + 1}`)
      .join(', ')}) ORDER BY id COLLATE "C"`,
    values: lists,
  }),
  extras: {
    client: 'SELECT id, label FROM extras ORDER BY id',
    source: 'SELECT id, label FROM extras ORDER BY id COLLATE "C"',
  },
  /** Digests instead of the rows themselves: there are many. */
  bulk: (user: string) => ({
    client: `SELECT count(*) AS rows, sum(n % 1000) AS numbers, sum(length(label)) AS chars,
      coalesce(min(label), '') AS first FROM bulk`,
    source: `SELECT count(*)::int AS rows, sum(n % 1000)::int AS numbers, sum(length(label))::int AS chars,
      coalesce(min(label COLLATE "C"), '') AS first FROM bulk WHERE owner_id = $1`,
    values: [user],
  }),
} as const;
