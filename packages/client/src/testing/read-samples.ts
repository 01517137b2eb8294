export interface ReadSample {
  readonly sql: string;
  /** `table(columns)`, both in the order of the alphabet; `*` for all columns. */
  readonly reads: string;
}

const SAMPLES = `
tasks(title) <- SELECT title FROM tasks
tasks(title) <- SELECT title FROM tasks WHERE lower(title) = 'alpha'
tasks(title) <- SELECT title FROM tasks ORDER BY lower(title)
tasks(title) <- SELECT title FROM tasks LIMIT 2
tasks(title) <- SELECT rowid, title FROM tasks
tasks(title) <- SELECT title FROM tasks WHERE rowid = 2
tasks(title) <- SELECT title FROM tasks WHERE rowid > 2
tasks(title) <- SELECT title FROM tasks WHERE title LIKE 'al%'
tasks(title) <- SELECT title FROM tasks WHERE title GLOB 'al*'
tasks(title) <- SELECT title FROM tasks WHERE title LIKE ?
tasks(title) <- SELECT title FROM tasks WHERE title BETWEEN 'a' AND 'c'
tasks(title) <- SELECT length(title) FROM tasks
tasks(title) <- SELECT CAST(title AS INTEGER) FROM tasks
tasks(title) <- SELECT title COLLATE NOCASE AS t FROM tasks ORDER BY t
tasks(title) <- SELECT group_concat(title) FROM tasks
tasks(title) <- SELECT json_group_array(title) FROM tasks
tasks(title) <- SELECT TITLE FROM TASKS
tasks(title) <- SELECT tasks.title FROM main.tasks
tasks(title) <- SELECT title /* , done */ FROM tasks -- WHERE due
tasks(title) <- WITH t AS (SELECT title, due FROM tasks) SELECT title FROM t
tasks(title) <- WITH RECURSIVE n(i, t) AS (SELECT 1, (SELECT title FROM tasks LIMIT 1) UNION ALL SELECT i + 1, t FROM n WHERE i < 3) SELECT * FROM n
tasks(title) <- SELECT title FROM titles
tasks(title) <- SELECT title FROM tasks WHERE 0
tasks(title) <- SELECT tasks.title FROM tasks LEFT JOIN lists ON lists.id = tasks.list_id
tasks(id title) <- SELECT id, title FROM tasks
tasks(id title) <- SELECT title FROM tasks WHERE id = 't1'
tasks(id title) <- SELECT title FROM tasks WHERE id = ?
tasks(id title) <- SELECT title FROM tasks WHERE id = ?1 OR id = ?2
tasks(id title) <- SELECT title FROM tasks WHERE id IN ('t1', 't2')
tasks(id title) <- SELECT id FROM tasks WHERE lower(title) = 'alpha'
tasks(id title) <- SELECT title FROM tasks ORDER BY id
tasks(id title) <- SELECT title FROM tasks ORDER BY id DESC LIMIT 1
tasks(id title) <- SELECT title || id FROM tasks
tasks(id title) <- SELECT lag(title) OVER (ORDER BY id) FROM tasks
tasks(id title) <- SELECT title FROM tasks INDEXED BY tasks_id WHERE id > 't2'
tasks(id title) <- SELECT title FROM tasks NOT INDEXED WHERE id > 't2'
tasks(id title) <- SELECT title FROM tasks WHERE id IN (SELECT value FROM json_each(?))
tasks(done due id list_id priority title) <- SELECT * FROM tasks
tasks(done due id list_id priority title) <- SELECT t.* FROM tasks t
tasks() <- SELECT count(*) FROM tasks
tasks() <- SELECT 1 FROM tasks
tasks() <- SELECT EXISTS (SELECT 1 FROM tasks)
tasks() <- SELECT s.n FROM (SELECT count(*) AS n FROM tasks) s
tasks(done) <- SELECT count(done) FROM tasks
tasks(done) <- SELECT count(*) FROM open_tasks
tasks(done due title) <- SELECT title FROM tasks WHERE done = 0
tasks(done due title) <- SELECT title FROM tasks WHERE done = 0 ORDER BY due
tasks(done due title) <- SELECT title FROM tasks WHERE done = 0 AND due > 1
tasks(done due title) <- SELECT title FROM tasks WHERE done = 0 AND due IS NOT NULL ORDER BY due LIMIT 2
tasks(done due title) <- SELECT "title" FROM "tasks" WHERE [done] = 0
tasks(done due title) <- WITH t AS (SELECT title FROM tasks WHERE done = 0) SELECT * FROM t
tasks(done due title) <- SELECT title FROM open_tasks
tasks(done due title) <- SELECT title FROM open_tasks WHERE due < 5 ORDER BY due
tasks(done due) <- SELECT due FROM tasks WHERE done = 0 AND due > 0
tasks(done due) <- SELECT iif(done, due, 0) FROM tasks
tasks(id list_id priority) <- SELECT id FROM tasks WHERE list_id = 'l1'
tasks(id list_id priority) <- SELECT id FROM tasks WHERE list_id = :list AND priority > @low
tasks(list_id priority) <- SELECT priority FROM tasks WHERE list_id = 'l1'
tasks(list_id priority) <- SELECT list_id, count(*) FROM tasks GROUP BY list_id
tasks(list_id priority) <- SELECT list_id, sum(priority) FROM tasks GROUP BY list_id HAVING sum(priority) > 1
tasks(list_id priority) <- SELECT DISTINCT list_id FROM tasks
tasks(list_id priority) <- SELECT max(priority) FROM tasks WHERE list_id = 'l1'
tasks(due) <- SELECT min(due), max(due) FROM tasks
tasks(due) <- SELECT typeof(due) FROM tasks
tasks(id) <- SELECT min(id) FROM tasks
tasks(id) <- WITH t AS NOT MATERIALIZED (SELECT id, done FROM tasks) SELECT id FROM t
tasks(list_id priority title) <- SELECT title FROM tasks ORDER BY list_id, priority
tasks(list_id priority title) <- SELECT title FROM tasks WHERE (list_id, priority) = ('l1', 1)
tasks(list_id priority title) <- SELECT title FROM tasks WHERE (list_id, priority) IN (SELECT 'l1', 2)
tasks(list_id priority title) <- SELECT title, rank() OVER (PARTITION BY list_id ORDER BY priority) FROM tasks
tasks(list_id priority title) <- SELECT title FROM tasks t WHERE priority = (SELECT max(priority) FROM tasks u WHERE u.list_id = t.list_id)
tasks(priority title) <- SELECT title FROM tasks ORDER BY priority
lists() tasks(title) <- SELECT title FROM tasks LIMIT (SELECT count(*) FROM lists)
tasks(done title) <- SELECT title FROM tasks WHERE done IS NULL
tasks(done title) <- SELECT title FROM tasks WHERE NOT done
tasks(done title) <- SELECT s.title FROM (SELECT title, done FROM tasks) s WHERE s.done = 1
tasks(done priority title) <- SELECT title FROM tasks WHERE done IS NOT NULL AND priority IS NULL
tasks(done priority title) <- SELECT title FROM tasks WHERE done OR priority = 1
tasks(done id title) <- SELECT CASE WHEN done THEN title ELSE id END FROM tasks
tasks(done id title) <- SELECT t.id, j.value FROM tasks t, json_each(json_array(t.title, t.done)) j
tasks(due priority) <- SELECT coalesce(due, priority, 'none') FROM tasks
tasks(due priority) <- SELECT total(priority), avg(due) FROM tasks
tasks(due list_id title) <- SELECT title FROM tasks WHERE list_id = 'l1' OR due > 2
tasks(due title) <- SELECT group_concat(title ORDER BY due) FROM tasks
tasks(due title) <- SELECT title, row_number() OVER (ORDER BY due) FROM tasks
tasks(due title) <- SELECT title FROM (SELECT title, due FROM tasks ORDER BY due LIMIT 2)
tasks(due title) <- SELECT title FROM tasks GROUP BY title ORDER BY max(due) DESC
tasks(due title) <- SELECT max(due), title FROM tasks
tasks(due title) <- SELECT title FROM tasks WHERE due > (SELECT avg(due) FROM tasks)
tasks(done priority) <- SELECT sum(done) FILTER (WHERE priority > 1) FROM tasks
tasks(done id) <- SELECT json_object('id', id, 'done', done) FROM tasks
tasks(done id) <- SELECT sum(done) OVER w FROM tasks WINDOW w AS (ORDER BY id)
tasks(done id) <- WITH t AS MATERIALIZED (SELECT id, done FROM tasks) SELECT count(*) FROM t a JOIN t b ON a.done = b.done
<- VALUES (1), (2)
<- SELECT 1
<- SELECT ?
<- SELECT date('2026-11-25')
<- SELECT sqlite_version()
<- WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n
<- WITH lists AS (SELECT 'x' AS name) SELECT name FROM lists
<- SELECT value FROM json_each('[1,2]')
<- SELECT value FROM json_each(?)
<- SELECT key FROM json_tree('{"a":1}')
<- SELECT name FROM pragma_table_info('tasks')
lists(name) <- SELECT name FROM lists
lists(archived name) <- SELECT name FROM lists WHERE archived = 0 ORDER BY name
lists(name owner) <- SELECT name FROM lists WHERE owner = ?
lists(archived id name owner) <- SELECT * FROM lists WHERE id = 'l1'
lists(archived) <- SELECT count(*) FROM lists WHERE archived
lists(id name) tasks(list_id title) <- SELECT l.name, t.title FROM lists l JOIN tasks t ON t.list_id = l.id
lists(id name) tasks(list_id priority title) <- SELECT l.name, t.title FROM lists l LEFT JOIN tasks t ON t.list_id = l.id
lists(id name) tasks(list_id priority title) <- SELECT l.name, t.title FROM lists l FULL JOIN tasks t ON t.list_id = l.id
lists(id name) tasks(done list_id priority title) <- SELECT l.name, t.title FROM lists l LEFT JOIN tasks t ON t.list_id = l.id AND t.done = 0
lists(id name) tasks(list_id priority) <- SELECT l.name FROM tasks t RIGHT JOIN lists l ON l.id = t.list_id
lists(id name) tasks(list_id priority) <- SELECT name FROM lists WHERE id NOT IN (SELECT list_id FROM tasks WHERE list_id IS NOT NULL)
lists(id name) tasks(list_id priority) <- SELECT name FROM lists l WHERE EXISTS (SELECT 1 FROM tasks t WHERE t.list_id = l.id)
lists(id name) tasks(list_id priority) <- SELECT name, (SELECT count(*) FROM tasks t WHERE t.list_id = l.id) FROM lists l
lists(id name) tasks(list_id priority) <- SELECT name FROM lists ORDER BY (SELECT count(*) FROM tasks WHERE list_id = lists.id)
lists(id name) tasks(list_id priority) <- SELECT l.name FROM lists l JOIN (SELECT list_id, count(*) n FROM tasks GROUP BY list_id) c ON c.list_id = l.id WHERE c.n > 1
lists(id name) tasks(id list_id) <- SELECT l.name FROM lists l, tasks t WHERE t.list_id = l.id AND t.id = 't1'
lists(name) tasks() <- SELECT l.name FROM lists l CROSS JOIN tasks t
lists(id) tasks(id) <- SELECT count(*) FROM lists l NATURAL JOIN tasks t
lists(id) tasks(id) <- SELECT id FROM tasks UNION ALL SELECT id FROM lists ORDER BY id
lists(id name) tasks(id title) <- SELECT title, name FROM tasks JOIN lists USING (id)
lists(id name) tasks(id list_id priority) <- SELECT l.name, count(t.id) FROM lists l LEFT JOIN tasks t ON t.list_id = l.id GROUP BY l.id
tasks(id priority title) <- SELECT a.title, b.title FROM tasks a JOIN tasks b ON a.priority = b.priority AND a.id < b.id
tags(tag task_id weight) tasks(id title) <- SELECT t.title FROM tasks t JOIN tags g ON g.task_id = t.id WHERE g.tag = 'red'
tags(tag task_id weight) tasks(id title) <- SELECT title FROM tasks WHERE id IN (SELECT task_id FROM tags)
tags(tag task_id weight) tasks(id title) <- SELECT t.title FROM tags g JOIN tasks t ON t.id = g.task_id ORDER BY g.weight DESC
lists(id name) tags(tag task_id weight) tasks(id list_id title) <- SELECT t.title, l.name, g.tag FROM tasks t JOIN lists l ON l.id = t.list_id JOIN tags g ON g.task_id = t.id
lists(id name) tasks(done due list_id) <- SELECT name FROM lists WHERE id IN (SELECT list_id FROM tasks WHERE done = 0)
lists(id name) tasks(due list_id priority) <- SELECT name FROM lists l WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.list_id = l.id AND t.due > 2)
lists(id name) tasks(due list_id priority title) <- SELECT name, (SELECT title FROM tasks t WHERE t.list_id = l.id ORDER BY due LIMIT 1) FROM lists l
tags(tag task_id weight) tasks(priority title) <- SELECT title FROM tasks WHERE priority = (SELECT max(weight) FROM tags)
lists(name) tasks(title) <- SELECT title FROM tasks WHERE title IN (SELECT name FROM lists)
lists(name) tasks(title) <- SELECT title FROM tasks UNION SELECT name FROM lists
lists(name) tasks(title) <- SELECT title FROM tasks UNION ALL SELECT name FROM lists
lists(name) tasks(title) <- SELECT title FROM tasks UNION SELECT name FROM lists ORDER BY 1 LIMIT 3
lists(id) tasks(list_id priority) <- SELECT id FROM lists EXCEPT SELECT list_id FROM tasks
lists(id) tasks(list_id priority) <- SELECT id FROM lists INTERSECT SELECT list_id FROM tasks
lists(id) tasks(list_id priority title) <- WITH a AS (SELECT id FROM lists), b AS (SELECT title FROM tasks WHERE list_id IN a) SELECT * FROM b
lists() <- WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < (SELECT count(*) FROM lists)) SELECT i FROM n
people(boss id) <- WITH RECURSIVE up(id, boss) AS (SELECT id, boss FROM people WHERE id = 7 UNION SELECT p.id, p.boss FROM people p JOIN up ON p.id = up.boss) SELECT id FROM up
people(boss id) <- WITH RECURSIVE down(id, depth) AS (SELECT id, 0 FROM people WHERE boss IS NULL UNION ALL SELECT p.id, depth + 1 FROM people p JOIN down ON p.boss = down.id) SELECT * FROM down
tags(tag task_id weight) <- SELECT tag FROM tags
tags(tag task_id weight) <- SELECT * FROM tags
tags(tag task_id weight) <- SELECT weight FROM tags WHERE task_id = 't1'
tags(tag task_id weight) <- SELECT weight FROM tags WHERE task_id = 't1' AND tag = 'red'
tags(tag task_id weight) <- SELECT tag FROM tags WHERE weight = 2
tags(tag task_id weight) <- SELECT task_id FROM tags ORDER BY weight
tags(tag task_id weight) <- SELECT sum(weight) FROM tags GROUP BY tag
tags(tag task_id weight) <- SELECT max(weight) FROM tags
tags() <- SELECT count(*) FROM tags
people(id name) <- SELECT name FROM people
people(id name) <- SELECT name FROM people WHERE id = 2
people(id name) <- SELECT name FROM people WHERE id > 1 ORDER BY id DESC
people(id name) <- SELECT id FROM people WHERE name = 'ANN'
people(id name) <- SELECT count(*) FROM people WHERE name = 'ann'
people(id name) <- SELECT name FROM people ORDER BY name
people(id name) <- SELECT rowid FROM people
people() <- SELECT count(*) FROM people
people(born id name) <- SELECT born FROM people ORDER BY name
people(boss id name) <- SELECT p.name, b.name FROM people p LEFT JOIN people b ON b.id = p.boss
people(id) <- SELECT max(id) FROM people
people(born boss id) <- SELECT born FROM people WHERE boss IN (SELECT id FROM people WHERE born < '1991')
people(born boss id name) <- SELECT name FROM people WHERE boss = 1 AND born IS NULL
prices(item) <- SELECT item FROM prices
prices(net) <- SELECT net FROM prices
prices(net rate) <- SELECT gross FROM prices
prices(*) <- SELECT kept FROM prices
prices(*) <- SELECT item FROM prices ORDER BY kept
prices(note) <- SELECT note FROM prices
prices(item note rate) <- SELECT rate, note FROM prices WHERE item = 'a'
prices(item net rate) <- SELECT item FROM prices WHERE gross > 1
tasks(done due id list_id title) <- SELECT * FROM open_tasks
lists(id name) tasks(done id list_id priority) <- SELECT * FROM open_by_list
lists(id name) tasks(done id list_id priority) <- SELECT list FROM open_by_list
lists(id name) tasks(done id list_id priority) <- SELECT list FROM busy
lists(id name) tasks(done id list_id priority title) <- SELECT b.list, t.title FROM busy b JOIN lists l ON l.name = b.list JOIN tasks t ON t.list_id = l.id
tags(tag task_id) tasks(done due id title) <- SELECT o.title FROM open_tasks o JOIN tags g ON g.task_id = o.id
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) <- SELECT title FROM notes
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) <- SELECT title FROM notes WHERE notes MATCH 'two'
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) <- SELECT body FROM notes WHERE notes MATCH ? ORDER BY rank
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) <- SELECT highlight(notes, 1, '[', ']') FROM notes WHERE notes MATCH 'two'
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) <- SELECT count(*) FROM notes
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) <- SELECT snippet(notes, 0, '', '', '', 5) FROM notes WHERE title MATCH 'alpha'
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) <- SELECT term, doc FROM vocab
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) <- SELECT term FROM vocab WHERE term > 'o'
notes(*) notes_config(*) notes_content(*) notes_data(*) notes_docsize(*) notes_idx(*) tasks(title) <- SELECT n.title FROM notes n JOIN tasks t ON t.title = n.title
search(*) search_config(*) search_data(*) search_docsize(*) search_idx(*) tasks(done due id list_id priority title) <- SELECT title FROM search WHERE search MATCH 'alpha'
search(*) search_config(*) search_data(*) search_docsize(*) search_idx(*) tasks(done due id list_id priority title) <- SELECT t.id FROM search s JOIN tasks t ON t.rowid = s.rowid WHERE search MATCH 'alpha'
search(*) search_config(*) search_data(*) search_docsize(*) search_idx(*) tasks(done due id list_id priority title) <- SELECT id FROM tasks WHERE rowid IN (SELECT rowid FROM search WHERE search MATCH 'alpha')
tasks(title) title_search(*) title_search_config(*) title_search_data(*) title_search_docsize(*) title_search_idx(*) <- SELECT title FROM title_search WHERE title_search MATCH 'alpha'
boxes(*) boxes_node(*) boxes_parent(*) boxes_rowid(*) <- SELECT id FROM boxes WHERE low > 1
boxes(*) boxes_node(*) boxes_parent(*) boxes_rowid(*) people(id name) <- SELECT b.high, p.name FROM boxes b JOIN people p ON p.id = b.id
tasks(list_id title) <- SELECT title FROM tasks WHERE EXISTS (SELECT 1 FROM json_each('["l1"]') WHERE value = list_id)
extra.log(message) <- SELECT message FROM extra.log
extra.log(level message) <- SELECT message FROM log WHERE level > 1
extra.log() <- SELECT count(*) FROM log
extra.log(level message) tasks(priority title) <- SELECT t.title, g.message FROM tasks t JOIN extra.log g ON g.level = t.priority
temp.draft(body) <- SELECT body FROM draft
temp.draft(body id) <- SELECT body FROM temp.draft WHERE id = 't1'
tasks(id title) temp.draft(body id) <- SELECT t.title, d.body FROM tasks t LEFT JOIN temp.draft d ON d.id = t.id
extra.log() tasks() temp.draft() <- SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM draft), (SELECT count(*) FROM log)
totals(list_id n) <- SELECT n FROM totals WHERE list_id = 'l1'
totals(list_id) <- SELECT list_id FROM totals ORDER BY list_id DESC
trail(what) <- SELECT what FROM trail
children(parent) parents(id) <- SELECT p.id, count(c.parent) FROM parents p LEFT JOIN children c ON c.parent = p.id GROUP BY p.id
children(parent) parents(id) <- SELECT id FROM parents WHERE id NOT IN (SELECT parent FROM children)
sqlite_schema(name) <- SELECT name FROM sqlite_schema
sqlite_schema(type) <- SELECT count(*) FROM sqlite_master WHERE type = 'table'
lists(archived id) tasks(done list_id title) <- SELECT title FROM tasks WHERE done = (SELECT archived FROM lists WHERE id = tasks.list_id)
lists(archived name owner) <- SELECT owner, group_concat(name) FROM lists WHERE archived = 0 GROUP BY owner
`;

/** What queries over `SAMPLE_SCHEMA` read. */
export const readSamples: readonly ReadSample[] = SAMPLES.trim()
  .split('\n')
  .map((line) => {
    const [reads = '', sql = ''] = line.split(/ ?<- (.*)/);
    return { sql, reads };
  });
