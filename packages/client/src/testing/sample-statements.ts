/** Tables of every kind that a query may meet, with a few rows. */
export const SAMPLE_SCHEMA = `
CREATE TABLE tasks (id TEXT NOT NULL, list_id TEXT, title TEXT, done INTEGER, priority INTEGER, due REAL);
CREATE UNIQUE INDEX tasks_id ON tasks (id);
CREATE INDEX tasks_list ON tasks (list_id, priority);
CREATE INDEX tasks_due ON tasks (due) WHERE done = 0;
CREATE INDEX tasks_lower ON tasks (lower(title));
CREATE TABLE lists (id TEXT NOT NULL, name TEXT, owner TEXT, archived INTEGER);
CREATE UNIQUE INDEX lists_id ON lists (id);
CREATE TABLE tags (tag TEXT, task_id TEXT, weight INTEGER, PRIMARY KEY (task_id, tag)) WITHOUT ROWID;
CREATE INDEX tags_weight ON tags (weight);
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, boss INTEGER, born TEXT);
CREATE INDEX people_name ON people (name);
CREATE TABLE prices (item TEXT, gross REAL AS (net * (1 + rate)), net REAL, rate REAL, kept REAL AS (net * 2) STORED, note TEXT);
CREATE VIRTUAL TABLE notes USING fts5(title, body);
CREATE VIRTUAL TABLE search USING fts5(title, content='tasks');
CREATE VIRTUAL TABLE vocab USING fts5vocab(notes, 'row');
CREATE VIRTUAL TABLE boxes USING rtree(id, low, high);
CREATE VIEW open_tasks AS SELECT id, list_id, title, due FROM tasks WHERE done = 0;
CREATE VIEW open_by_list AS SELECT l.name AS list, count(t.id) AS tasks FROM lists l LEFT JOIN open_tasks t ON t.list_id = l.id GROUP BY l.id;
CREATE VIEW busy AS SELECT list FROM open_by_list WHERE tasks > 1;
CREATE VIEW titles AS SELECT rowid, title FROM tasks;
CREATE VIRTUAL TABLE title_search USING fts5(title, content=titles);
ATTACH ':memory:' AS Extra;
CREATE TABLE extra.log (id INTEGER, message TEXT, level INTEGER);
CREATE INDEX extra.log_level ON log (level);
CREATE TEMP TABLE draft (id TEXT, body TEXT);
CREATE TABLE trail (what TEXT);
CREATE TABLE totals (list_id TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE TABLE parents (id INTEGER PRIMARY KEY);
CREATE TABLE children (parent INTEGER REFERENCES parents (id) ON DELETE CASCADE);
CREATE TRIGGER tasks_added AFTER INSERT ON tasks BEGIN INSERT INTO trail VALUES (NEW.id); END;
CREATE TRIGGER tasks_found AFTER UPDATE OF title ON tasks BEGIN INSERT INTO notes (title) VALUES (NEW.title); END;
CREATE TRIGGER trail_kept AFTER INSERT ON trail WHEN NEW.what = 'x' BEGIN UPDATE totals SET n = n + 1; END;
CREATE TRIGGER busy_gone INSTEAD OF DELETE ON busy BEGIN DELETE FROM lists WHERE name = OLD.list; END;
INSERT INTO tasks VALUES ('t1', 'l1', 'alpha', 0, 1, 1.5), ('t2', 'l1', 'beta', 0, 2, NULL), ('t3', 'l2', 'Alpha', 1, 3, 2.5), ('t4', NULL, 'gamma', NULL, 1, 0.5), ('t5', 'l3', '7', 0, NULL, 9);
INSERT INTO lists VALUES ('l1', 'home', 'o1', 0), ('l2', 'work', 'o1', 1), ('l3', 'alpha', 'o2', 0);
INSERT INTO tags VALUES ('red', 't1', 1), ('blue', 't1', 2), ('red', 't3', 2), ('green', 't4', 3);
INSERT INTO people VALUES (1, 'Ann', NULL, '1990'), (2, 'bob', 1, '1991'), (3, 'Cy', 1, NULL), (7, 'ann', 2, '1992');
INSERT INTO prices (item, net, rate, note) VALUES ('a', 1, 0.5, 'x'), ('b', 2, 0.25, NULL), ('c', 3, 0, 'z');
INSERT INTO notes VALUES ('alpha', 'one two'), ('beta', 'two three');
INSERT INTO search (search) VALUES ('rebuild');
INSERT INTO title_search (title_search) VALUES ('rebuild');
INSERT INTO boxes VALUES (1, 0, 5), (2, 3, 9);
INSERT INTO log VALUES (1, 'started', 1), (2, 'failed', 3);
INSERT INTO draft VALUES ('t1', 'draft of alpha'), ('d2', 'two');
INSERT INTO totals VALUES ('l1', 2), ('l2', 1);
INSERT INTO parents VALUES (1), (2);
INSERT INTO children VALUES (1), (1), (2);
`;

export interface ReadSample {
  readonly sql: string;
  /** `table(columns)`, both in the order of the alphabet; `*` for all columns. */
  readonly reads: string;
}

/** `reads`, then the queries that read it, one a line. */
function readingAll(reads: string, queries: string): readonly ReadSample[] {
  const lines = queries.trim().split('\n');
  return lines.map((line) => ({ sql: line.trim(), reads }));
}

export const readSamples: readonly ReadSample[] = [
  ...readingAll(
    'tasks(title)',
    `
    SELECT title FROM tasks
    SELECT title FROM tasks WHERE lower(title) = 'alpha'
    SELECT title FROM tasks ORDER BY lower(title)
    SELECT title FROM tasks LIMIT 2
    SELECT rowid, title FROM tasks
    SELECT title FROM tasks WHERE rowid = 2
    SELECT title FROM tasks WHERE rowid > 2
    SELECT title FROM tasks WHERE title LIKE 'al%'
    SELECT title FROM tasks WHERE title GLOB 'al*'
    SELECT title FROM tasks WHERE title LIKE ?
    SELECT title FROM tasks WHERE title BETWEEN 'a' AND 'c'
    SELECT length(title) FROM tasks
    SELECT CAST(title AS INTEGER) FROM tasks
    SELECT title COLLATE NOCASE AS t FROM tasks ORDER BY t
    SELECT group_concat(title) FROM tasks
    SELECT json_group_array(title) FROM tasks
    SELECT TITLE FROM TASKS
    SELECT tasks.title FROM main.tasks
    SELECT title /* , done */ FROM tasks -- WHERE due
    WITH t AS (SELECT title, due FROM tasks) SELECT title FROM t
    WITH RECURSIVE n(i, t) AS (SELECT 1, (SELECT title FROM tasks LIMIT 1) UNION ALL SELECT i + 1, t FROM n WHERE i < 3) SELECT * FROM n
    SELECT title FROM titles
    SELECT title FROM tasks WHERE 0
    SELECT tasks.title FROM tasks LEFT JOIN lists ON lists.id = tasks.list_id
  `,
  ),
  ...readingAll(
    'tasks(id title)',
    `
    SELECT id, title FROM tasks
    SELECT title FROM tasks WHERE id = 't1'
    SELECT title FROM tasks WHERE id = ?
    SELECT title FROM tasks WHERE id = ?1 OR id = ?2
    SELECT title FROM tasks WHERE id IN ('t1', 't2')
    SELECT id FROM tasks WHERE lower(title) = 'alpha'
    SELECT title FROM tasks ORDER BY id
    SELECT title FROM tasks ORDER BY id DESC LIMIT 1
    SELECT title || id FROM tasks
    SELECT lag(title) OVER (ORDER BY id) FROM tasks
    SELECT title FROM tasks INDEXED BY tasks_id WHERE id > 't2'
    SELECT title FROM tasks NOT INDEXED WHERE id > 't2'
    SELECT title FROM tasks WHERE id IN (SELECT value FROM json_each(?))
  `,
  ),
  ...readingAll(
    'tasks(done due id list_id priority title)',
    `
    SELECT * FROM tasks
    SELECT t.* FROM tasks t
  `,
  ),
  ...readingAll(
    'tasks()',
    `
    SELECT count(*) FROM tasks
    SELECT 1 FROM tasks
    SELECT EXISTS (SELECT 1 FROM tasks)
    SELECT s.n FROM (SELECT count(*) AS n FROM tasks) s
  `,
  ),
  ...readingAll(
    'tasks(done)',
    `
    SELECT count(done) FROM tasks
    SELECT count(*) FROM open_tasks
  `,
  ),
  ...readingAll(
    'tasks(done due title)',
    `
    SELECT title FROM tasks WHERE done = 0
    SELECT title FROM tasks WHERE done = 0 ORDER BY due
    SELECT title FROM tasks WHERE done = 0 AND due > 1
    SELECT title FROM tasks WHERE done = 0 AND due IS NOT NULL ORDER BY due LIMIT 2
    SELECT "title" FROM "tasks" WHERE [done] = 0
    WITH t AS (SELECT title FROM tasks WHERE done = 0) SELECT * FROM t
    SELECT title FROM open_tasks
    SELECT title FROM open_tasks WHERE due < 5 ORDER BY due
  `,
  ),
  ...readingAll(
    'tasks(done due)',
    `
    SELECT due FROM tasks WHERE done = 0 AND due > 0
    SELECT iif(done, due, 0) FROM tasks
  `,
  ),
  ...readingAll(
    'tasks(id list_id priority)',
    `
    SELECT id FROM tasks WHERE list_id = 'l1'
    SELECT id FROM tasks WHERE list_id = :list AND priority > @low
  `,
  ),
  ...readingAll(
    'tasks(list_id priority)',
    `
    SELECT priority FROM tasks WHERE list_id = 'l1'
    SELECT list_id, count(*) FROM tasks GROUP BY list_id
    SELECT list_id, sum(priority) FROM tasks GROUP BY list_id HAVING sum(priority) > 1
    SELECT DISTINCT list_id FROM tasks
    SELECT max(priority) FROM tasks WHERE list_id = 'l1'
  `,
  ),
  ...readingAll(
    'tasks(due)',
    `
    SELECT min(due), max(due) FROM tasks
    SELECT typeof(due) FROM tasks
  `,
  ),
  ...readingAll(
    'tasks(id)',
    `
    SELECT min(id) FROM tasks
    WITH t AS NOT MATERIALIZED (SELECT id, done FROM tasks) SELECT id FROM t
  `,
  ),
  ...readingAll(
    'tasks(list_id priority title)',
    `
    SELECT title FROM tasks ORDER BY list_id, priority
    SELECT title FROM tasks WHERE (list_id, priority) = ('l1', 1)
    SELECT title FROM tasks WHERE (list_id, priority) IN (SELECT 'l1', 2)
    SELECT title, rank() OVER (PARTITION BY list_id ORDER BY priority) FROM tasks
    SELECT title FROM tasks t WHERE priority = (SELECT max(priority) FROM tasks u WHERE u.list_id = t.list_id)
  `,
  ),
  ...readingAll(
    'tasks(priority title)',
    `
    SELECT title FROM tasks ORDER BY priority
  `,
  ),
  ...readingAll(
    'lists() tasks(title)',
    `
    SELECT title FROM tasks LIMIT (SELECT count(*) FROM lists)
  `,
  ),
  ...readingAll(
    'tasks(done title)',
    `
    SELECT title FROM tasks WHERE done IS NULL
    SELECT title FROM tasks WHERE NOT done
    SELECT s.title FROM (SELECT title, done FROM tasks) s WHERE s.done = 1
  `,
  ),
  ...readingAll(
    'tasks(done priority title)',
    `
    SELECT title FROM tasks WHERE done IS NOT NULL AND priority IS NULL
    SELECT title FROM tasks WHERE done OR priority = 1
  `,
  ),
  ...readingAll(
    'tasks(done id title)',
    `
    SELECT CASE WHEN done THEN title ELSE id END FROM tasks
    SELECT t.id, j.value FROM tasks t, json_each(json_array(t.title, t.done)) j
  `,
  ),
  ...readingAll(
    'tasks(due priority)',
    `
    SELECT coalesce(due, priority, 'none') FROM tasks
    SELECT total(priority), avg(due) FROM tasks
  `,
  ),
  ...readingAll(
    'tasks(due list_id title)',
    `
    SELECT title FROM tasks WHERE list_id = 'l1' OR due > 2
  `,
  ),
  ...readingAll(
    'tasks(due title)',
    `
    SELECT group_concat(title ORDER BY due) FROM tasks
    SELECT title, row_number() OVER (ORDER BY due) FROM tasks
    SELECT title FROM (SELECT title, due FROM tasks ORDER BY due LIMIT 2)
    SELECT title FROM tasks GROUP BY title ORDER BY max(due) DESC
    SELECT max(due), title FROM tasks
    SELECT title FROM tasks WHERE due > (SELECT avg(due) FROM tasks)
  `,
  ),
  ...readingAll(
    'tasks(done priority)',
    `
    SELECT sum(done) FILTER (WHERE priority > 1) FROM tasks
  `,
  ),
  ...readingAll(
    'tasks(done id)',
    `
    SELECT json_object('id', id, 'done', done) FROM tasks
    SELECT sum(done) OVER w FROM tasks WINDOW w AS (ORDER BY id)
    WITH t AS MATERIALIZED (SELECT id, done FROM tasks) SELECT count(*) FROM t a JOIN t b ON a.done = b.done
  `,
  ),
  ...readingAll(
    '',
    `
    VALUES (1), (2)
    SELECT 1
    SELECT ?
    SELECT date('2026-11-25')
    SELECT sqlite_version()
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n
    WITH lists AS (SELECT 'x' AS name) SELECT name FROM lists
    SELECT value FROM json_each('[1,2]')
    SELECT value FROM json_each(?)
    SELECT key FROM json_tree('{"a":1}')
    SELECT name FROM pragma_table_info('tasks')
  `,
  ),
  ...readingAll(
    'lists(name)',
    `
    SELECT name FROM lists
  `,
  ),
  ...readingAll(
    'lists(archived name)',
    `
    SELECT name FROM lists WHERE archived = 0 ORDER BY name
  `,
  ),
  ...readingAll(
    'lists(name owner)',
    `
    SELECT name FROM lists WHERE owner = ?
  `,
  ),
  ...readingAll(
    'lists(archived id name owner)',
    `
    SELECT * FROM lists WHERE id = 'l1'
  `,
  ),
  ...readingAll(
    'lists(archived)',
    `
    SELECT count(*) FROM lists WHERE archived
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(list_id title)',
    `
    SELECT l.name, t.title FROM lists l JOIN tasks t ON t.list_id = l.id
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(list_id priority title)',
    `
    SELECT l.name, t.title FROM lists l LEFT JOIN tasks t ON t.list_id = l.id
    SELECT l.name, t.title FROM lists l FULL JOIN tasks t ON t.list_id = l.id
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(done list_id priority title)',
    `
    SELECT l.name, t.title FROM lists l LEFT JOIN tasks t ON t.list_id = l.id AND t.done = 0
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(list_id priority)',
    `
    SELECT l.name FROM tasks t RIGHT JOIN lists l ON l.id = t.list_id
    SELECT name FROM lists WHERE id NOT IN (SELECT list_id FROM tasks WHERE list_id IS NOT NULL)
    SELECT name FROM lists l WHERE EXISTS (SELECT 1 FROM tasks t WHERE t.list_id = l.id)
    SELECT name, (SELECT count(*) FROM tasks t WHERE t.list_id = l.id) FROM lists l
    SELECT name FROM lists ORDER BY (SELECT count(*) FROM tasks WHERE list_id = lists.id)
    SELECT l.name FROM lists l JOIN (SELECT list_id, count(*) n FROM tasks GROUP BY list_id) c ON c.list_id = l.id WHERE c.n > 1
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(id list_id)',
    `
    SELECT l.name FROM lists l, tasks t WHERE t.list_id = l.id AND t.id = 't1'
  `,
  ),
  ...readingAll(
    'lists(name) tasks()',
    `
    SELECT l.name FROM lists l CROSS JOIN tasks t
  `,
  ),
  ...readingAll(
    'lists(id) tasks(id)',
    `
    SELECT count(*) FROM lists l NATURAL JOIN tasks t
    SELECT id FROM tasks UNION ALL SELECT id FROM lists ORDER BY id
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(id title)',
    `
    SELECT title, name FROM tasks JOIN lists USING (id)
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(id list_id priority)',
    `
    SELECT l.name, count(t.id) FROM lists l LEFT JOIN tasks t ON t.list_id = l.id GROUP BY l.id
  `,
  ),
  ...readingAll(
    'tasks(id priority title)',
    `
    SELECT a.title, b.title FROM tasks a JOIN tasks b ON a.priority = b.priority AND a.id < b.id
  `,
  ),
  ...readingAll(
    'tags(tag task_id weight) tasks(id title)',
    `
    SELECT t.title FROM tasks t JOIN tags g ON g.task_id = t.id WHERE g.tag = 'red'
    SELECT title FROM tasks WHERE id IN (SELECT task_id FROM tags)
    SELECT t.title FROM tags g JOIN tasks t ON t.id = g.task_id ORDER BY g.weight DESC
  `,
  ),
  ...readingAll(
    'lists(id name) tags(tag task_id weight) tasks(id list_id title)',
    `
    SELECT t.title, l.name, g.tag FROM tasks t JOIN lists l ON l.id = t.list_id JOIN tags g ON g.task_id = t.id
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(done due list_id)',
    `
    SELECT name FROM lists WHERE id IN (SELECT list_id FROM tasks WHERE done = 0)
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(due list_id priority)',
    `
    SELECT name FROM lists l WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.list_id = l.id AND t.due > 2)
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(due list_id priority title)',
    `
    SELECT name, (SELECT title FROM tasks t WHERE t.list_id = l.id ORDER BY due LIMIT 1) FROM lists l
  `,
  ),
  ...readingAll(
    'tags(tag task_id weight) tasks(priority title)',
    `
    SELECT title FROM tasks WHERE priority = (SELECT max(weight) FROM tags)
  `,
  ),
  ...readingAll(
    'lists(name) tasks(title)',
    `
    SELECT title FROM tasks WHERE title IN (SELECT name FROM lists)
    SELECT title FROM tasks UNION SELECT name FROM lists
    SELECT title FROM tasks UNION ALL SELECT name FROM lists
    SELECT title FROM tasks UNION SELECT name FROM lists ORDER BY 1 LIMIT 3
  `,
  ),
  ...readingAll(
    'lists(id) tasks(list_id priority)',
    `
    SELECT id FROM lists EXCEPT SELECT list_id FROM tasks
    SELECT id FROM lists INTERSECT SELECT list_id FROM tasks
  `,
  ),
  ...readingAll(
    'lists(id) tasks(list_id priority title)',
    `
    WITH a AS (SELECT id FROM lists), b AS (SELECT title FROM tasks WHERE list_id IN a) SELECT * FROM b
  `,
  ),
  ...readingAll(
    'lists()',
    `
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < (SELECT count(*) FROM lists)) SELECT i FROM n
  `,
  ),
  ...readingAll(
    'people(boss id)',
    `
    WITH RECURSIVE up(id, boss) AS (SELECT id, boss FROM people WHERE id = 7 UNION SELECT p.id, p.boss FROM people p JOIN up ON p.id = up.boss) SELECT id FROM up
    WITH RECURSIVE down(id, depth) AS (SELECT id, 0 FROM people WHERE boss IS NULL UNION ALL SELECT p.id, depth + 1 FROM people p JOIN down ON p.boss = down.id) SELECT * FROM down
  `,
  ),
  ...readingAll(
    'tags(tag task_id weight)',
    `
    SELECT tag FROM tags
    SELECT * FROM tags
    SELECT weight FROM tags WHERE task_id = 't1'
    SELECT weight FROM tags WHERE task_id = 't1' AND tag = 'red'
    SELECT tag FROM tags WHERE weight = 2
    SELECT task_id FROM tags ORDER BY weight
    SELECT sum(weight) FROM tags GROUP BY tag
    SELECT max(weight) FROM tags
  `,
  ),
  ...readingAll(
    'tags()',
    `
    SELECT count(*) FROM tags
  `,
  ),
  ...readingAll(
    'people(id name)',
    `
    SELECT name FROM people
    SELECT name FROM people WHERE id = 2
    SELECT name FROM people WHERE id > 1 ORDER BY id DESC
    SELECT id FROM people WHERE name = 'ANN'
    SELECT count(*) FROM people WHERE name = 'ann'
    SELECT name FROM people ORDER BY name
    SELECT rowid FROM people
  `,
  ),
  ...readingAll(
    'people()',
    `
    SELECT count(*) FROM people
  `,
  ),
  ...readingAll(
    'people(born id name)',
    `
    SELECT born FROM people ORDER BY name
  `,
  ),
  ...readingAll(
    'people(boss id name)',
    `
    SELECT p.name, b.name FROM people p LEFT JOIN people b ON b.id = p.boss
  `,
  ),
  ...readingAll(
    'people(id)',
    `
    SELECT max(id) FROM people
  `,
  ),
  ...readingAll(
    'people(born boss id)',
    `
    SELECT born FROM people WHERE boss IN (SELECT id FROM people WHERE born < '1991')
  `,
  ),
  ...readingAll(
    'people(born boss id name)',
    `
    SELECT name FROM people WHERE boss = 1 AND born IS NULL
  `,
  ),
  ...readingAll(
    'prices(item)',
    `
    SELECT item FROM prices
  `,
  ),
  ...readingAll(
    'prices(net)',
    `
    SELECT net FROM prices
  `,
  ),
  ...readingAll(
    'prices(net rate)',
    `
    SELECT gross FROM prices
  `,
  ),
  ...readingAll(
    'prices(*)',
    `
    SELECT kept FROM prices
    SELECT item FROM prices ORDER BY kept
  `,
  ),
  ...readingAll(
    'prices(note)',
    `
    SELECT note FROM prices
  `,
  ),
  ...readingAll(
    'prices(item note rate)',
    `
    SELECT rate, note FROM prices WHERE item = 'a'
  `,
  ),
  ...readingAll(
    'prices(item net rate)',
    `
    SELECT item FROM prices WHERE gross > 1
  `,
  ),
  ...readingAll(
    'tasks(done due id list_id title)',
    `
    SELECT * FROM open_tasks
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(done id list_id priority)',
    `
    SELECT * FROM open_by_list
    SELECT list FROM open_by_list
    SELECT list FROM busy
  `,
  ),
  ...readingAll(
    'lists(id name) tasks(done id list_id priority title)',
    `
    SELECT b.list, t.title FROM busy b JOIN lists l ON l.name = b.list JOIN tasks t ON t.list_id = l.id
  `,
  ),
  ...readingAll(
    'tags(tag task_id) tasks(done due id title)',
    `
    SELECT o.title FROM open_tasks o JOIN tags g ON g.task_id = o.id
  `,
  ),
  ...readingAll(
    'notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*)',
    `
    SELECT title FROM notes
    SELECT title FROM notes WHERE notes MATCH 'two'
    SELECT body FROM notes WHERE notes MATCH ? ORDER BY rank
    SELECT highlight(notes, 1, '[', ']') FROM notes WHERE notes MATCH 'two'
    SELECT count(*) FROM notes
    SELECT snippet(notes, 0, '', '', '', 5) FROM notes WHERE title MATCH 'alpha'
    SELECT term, doc FROM vocab
    SELECT term FROM vocab WHERE term > 'o'
  `,
  ),
  ...readingAll(
    'notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) tasks(title)',
    `
    SELECT n.title FROM notes n JOIN tasks t ON t.title = n.title
  `,
  ),
  ...readingAll(
    'search(*) search_config(*) search_data(*) search_docsize(*) search_idx(*) tasks(done due id list_id priority title)',
    `
    SELECT title FROM search WHERE search MATCH 'alpha'
    SELECT t.id FROM search s JOIN tasks t ON t.rowid = s.rowid WHERE search MATCH 'alpha'
    SELECT id FROM tasks WHERE rowid IN (SELECT rowid FROM search WHERE search MATCH 'alpha')
  `,
  ),
  ...readingAll(
    'tasks(title) title_search(*) title_search_config(*) title_search_data(*) title_search_docsize(*) title_search_idx(*)',
    `
    SELECT title FROM title_search WHERE title_search MATCH 'alpha'
  `,
  ),
  ...readingAll(
    'boxes(*) boxes_node(*) boxes_parent(*) boxes_rowid(*)',
    `
    SELECT id FROM boxes WHERE low > 1
  `,
  ),
  ...readingAll(
    'boxes(*) boxes_node(*) boxes_parent(*) boxes_rowid(*) people(id name)',
    `
    SELECT b.high, p.name FROM boxes b JOIN people p ON p.id = b.id
  `,
  ),
  ...readingAll(
    'tasks(list_id title)',
    `
    SELECT title FROM tasks WHERE EXISTS (SELECT 1 FROM json_each('["l1"]') WHERE value = list_id)
  `,
  ),
  ...readingAll(
    'extra.log(message)',
    `
    SELECT message FROM extra.log
  `,
  ),
  ...readingAll(
    'extra.log(level message)',
    `
    SELECT message FROM log WHERE level > 1
  `,
  ),
  ...readingAll(
    'extra.log()',
    `
    SELECT count(*) FROM log
  `,
  ),
  ...readingAll(
    'extra.log(level message) tasks(priority title)',
    `
    SELECT t.title, g.message FROM tasks t JOIN extra.log g ON g.level = t.priority
  `,
  ),
  ...readingAll(
    'temp.draft(body)',
    `
    SELECT body FROM draft
  `,
  ),
  ...readingAll(
    'temp.draft(body id)',
    `
    SELECT body FROM temp.draft WHERE id = 't1'
  `,
  ),
  ...readingAll(
    'tasks(id title) temp.draft(body id)',
    `
    SELECT t.title, d.body FROM tasks t LEFT JOIN temp.draft d ON d.id = t.id
  `,
  ),
  ...readingAll(
    'extra.log() tasks() temp.draft()',
    `
    SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM draft), (SELECT count(*) FROM log)
  `,
  ),
  ...readingAll(
    'totals(list_id n)',
    `
    SELECT n FROM totals WHERE list_id = 'l1'
  `,
  ),
  ...readingAll(
    'totals(list_id)',
    `
    SELECT list_id FROM totals ORDER BY list_id DESC
  `,
  ),
  ...readingAll(
    'trail(what)',
    `
    SELECT what FROM trail
  `,
  ),
  ...readingAll(
    'children(parent) parents(id)',
    `
    SELECT p.id, count(c.parent) FROM parents p LEFT JOIN children c ON c.parent = p.id GROUP BY p.id
    SELECT id FROM parents WHERE id NOT IN (SELECT parent FROM children)
  `,
  ),
  ...readingAll(
    'sqlite_schema(name)',
    `
    SELECT name FROM sqlite_schema
  `,
  ),
  ...readingAll(
    'sqlite_schema(type)',
    `
    SELECT count(*) FROM sqlite_master WHERE type = 'table'
  `,
  ),
  ...readingAll(
    'lists(archived id) tasks(done list_id title)',
    `
    SELECT title FROM tasks WHERE done = (SELECT archived FROM lists WHERE id = tasks.list_id)
  `,
  ),
  ...readingAll(
    'lists(archived name owner)',
    `
    SELECT owner, group_concat(name) FROM lists WHERE archived = 0 GROUP BY owner
  `,
  ),
];

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
  { sql: 'EXPLAIN DELETE FROM tasks', writes: '' },
  { sql: 'PRAGMA user_version', writes: '' },
];
