export interface WriteSample {
  readonly sql: string;
  /** In the order of the alphabet. */
  readonly writes: string;
}

export const writeSamples: readonly WriteSample[] = [
  { sql: "INSERT INTO lists (id) VALUES ('x')", writes: 'lists' },
  { sql: "INSERT INTO tasks (id) VALUES ('x')", writes: 'tasks totals trail' },
  { sql: 'INSERT INTO tasks SELECT * FROM tasks', writes: 'tasks totals trail' },
  { sql: 'INSERT INTO trail SELECT title FROM tasks', writes: 'totals trail' },
  { sql: 'INSERT OR REPLACE INTO lists (id) VALUES (?)', writes: 'lists' },
  {
    sql: 'INSERT INTO totals VALUES (?1, 1) ON CONFLICT DO UPDATE SET n = n + ?2',
    writes: 'totals',
  },
  { sql: 'UPDATE tasks SET done = 1 WHERE id = :id', writes: 'tasks' },
  {
    sql: "UPDATE tasks SET title = 'x'",
    writes: 'notes notes_config notes_content notes_data notes_docsize notes_idx tasks',
  },
  { sql: 'UPDATE lists SET name = (SELECT title FROM tasks) RETURNING name', writes: 'lists' },
  {
    sql: 'UPDATE lists SET name = t.title FROM tasks t WHERE t.list_id = lists.id',
    writes: 'lists',
  },
  { sql: 'DELETE FROM tasks', writes: 'tasks' },
  { sql: 'DELETE FROM totals', writes: 'totals' },
  { sql: 'DELETE FROM tags WHERE weight > 1', writes: 'tags' },
  { sql: 'DELETE FROM parents WHERE id = 1', writes: 'children parents' },
  { sql: 'DELETE FROM parents', writes: 'children parents' },
  { sql: "DELETE FROM busy WHERE list = 'home'", writes: 'lists' },
  {
    sql: 'DELETE FROM notes',
    writes: 'notes notes_config notes_content notes_data notes_docsize notes_idx',
  },
  {
    sql: "INSERT INTO search (search) VALUES ('rebuild')",
    writes: 'search search_config search_data search_docsize search_idx',
  },
  {
    sql: 'INSERT INTO boxes VALUES (5, 1, 2)',
    writes: 'boxes boxes_node boxes_parent boxes_rowid',
  },
  { sql: 'UPDATE log SET level = 1', writes: 'extra.log' },
  { sql: 'DELETE FROM temp.draft', writes: 'temp.draft' },
  { sql: "WITH t AS (SELECT 'x' AS id) INSERT INTO lists (id) SELECT id FROM t", writes: 'lists' },
  { sql: 'CREATE TABLE fresh (a)', writes: 'sqlite_schema' },
  { sql: 'DROP TABLE trail', writes: 'sqlite_schema trail' },
  { sql: 'CREATE INDEX fresh ON lists (name)', writes: 'sqlite_schema' },
  { sql: 'ALTER TABLE lists ADD COLUMN fresh', writes: 'sqlite_schema' },
  { sql: 'SELECT * FROM tasks', writes: '' },
  { sql: `ATTACH ':memory:' AS third`, writes: 'sqlite_schema' },
  { sql: 'DETACH extra', writes: 'sqlite_schema' },
  { sql: 'CREATE TEMP TABLE fresh (a)', writes: 'sqlite_schema temp.sqlite_schema' },
  { sql: 'EXPLAIN DELETE FROM tasks', writes: '' },
  { sql: 'PRAGMA user_version', writes: '' },
];
