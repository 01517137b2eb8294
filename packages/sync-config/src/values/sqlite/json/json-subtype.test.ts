import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { problems, stream } from '../../../testing/check.ts';
import { Subject } from '../../../testing/fuzz/subject.ts';

const subject = new Subject(4);
const database = new Database(':memory:');
database.exec(
  `CREATE TABLE t1 (a, j); INSERT INTO t1 VALUES ('[1]', '{"a":[1, 2],"s":"[3]","n":1.50}')`,
);
const ROW = ['[1]', null, null, null, null, null, null, '{"a":[1, 2],"s":"[3]","n":1.50}', null];

/** The value of the first column here and in SQLite. */
function both(query: string): { ours: unknown; sqlite: unknown } {
  const [outcome] = subject.evaluate(query, [ROW]);
  const ours = outcome?.kind === 'value' ? outcome.value : outcome?.message;
  return { ours, sqlite: database.prepare(query).pluck().get() };
}

describe('what SQLite marks as JSON', () => {
  it.each([
    ['json(a)', '[[1]]'],
    ['a', '["[1]"]'],
    ["'[1]'", '["[1]"]'],
    ["a -> '$'", '[[1]]'],
    ["a ->> '$'", '["[1]"]'],
    ["j -> 's'", '["[3]"]'],
    ["j -> 'n', j ->> 'n'", '[1.50,1.5]'],
    ["json_extract(j, '$.a')", '[[1,2]]'],
    ["json_extract(j, '$.s')", '["[3]"]'],
    ["json_extract(j, '$.n')", '[1.5]'],
    ["json_extract(j, '$.n', '$.x')", '[[1.50,null]]'],
    ["json_extract(j, '$.x')", '[null]'],
    ["json_array(a), json_object('a', json(a))", '[["[1]"],{"a":[1]}]'],
    ['json_quote(a), json_quote(json(a))', '["[1]",[1]]'],
    ["CASE WHEN a = '[1]' THEN json(a) ELSE a END", '[[1]]'],
    ["CASE WHEN a = '' THEN json(a) ELSE a END", '["[1]"]'],
    ["CASE a WHEN '' THEN a WHEN '[1]' THEN json(a) END", '[[1]]'],
    ["CASE a WHEN '' THEN a ELSE json(a) END", '[[1]]'],
    ["CASE a WHEN '' THEN json(a) END", '[null]'],
    ['iif(1, json(a), 2), iif(0, a, 1, json(a))', '[[1],[1]]'],
    ['coalesce(NULL, json(a)), ifnull(a, json(a))', '[[1],"[1]"]'],
    ["coalesce(json_extract('null', '$'), 1), coalesce('null' -> '$', 1)", '[1,null]'],
    ["nullif(json(a), ''), nullif(json(a), a)", '[[1],null]'],
    ['min(json(a), a), min(a, json(a))', '["[1]",[1]]'],
    ['max(json(a), a), max(a, json(a))', '[[1],"[1]"]'],
    ['max(json(a) COLLATE NOCASE, a), min(json(a) COLLATE NOCASE, a)', '[[1],"[1]"]'],
    ['+json(a), json(a) COLLATE NOCASE, CAST(json(a) AS TEXT)', '[[1],[1],[1]]'],
    ["CAST(json_extract(j, '$.n') AS TEXT)", '["1.5"]'],
    ["json(a) || '', replace(json(a), '', ''), upper(json(a))", '["[1]","[1]","[1]"]'],
    ['json(NULL), json_array_length(a)', '[null,1]'],
  ])('json_array(%s) is %s', (args, expected) => {
    const result = both(`SELECT json_array(${args}) AS v FROM t1`);
    expect(result).toEqual({ ours: expected, sqlite: expected });
  });

  it('is not known any more outside of a subquery', () => {
    for (const value of ['v', 'CASE WHEN 1 THEN v END', "iif(v = '', v, v)"]) {
      const query = `SELECT json_array(${value}) AS x FROM (SELECT json(a) AS v FROM t1) AS d`;
      expect(both(query)).toEqual({ ours: '["[1]"]', sqlite: '["[1]"]' });
    }
  });

  it('refuses the values of json_each, of which only arrays and objects are marked', () => {
    const refused = (condition: string) =>
      problems(
        stream(`SELECT t.* FROM t, json_each(t.j) AS e WHERE ${condition}`).replace(
          'edition: 3',
          'edition: 4',
        ),
      );
    expect(refused(`json_array(e.value) = '[1]'`)).toEqual(['JSON_ELEMENT: e.value']);
    expect(refused(`json_quote(coalesce(e.value, 1)) = '[1]'`)).toEqual(['JSON_ELEMENT: e.value']);
    expect(refused(`json_array(e.value || '', e.key, upper(e.value)) = '[1]'`)).toEqual([]);
  });

  it('refuses json_object without pairs', () => {
    const config = stream(`SELECT id, json_object('a', id, 'b') AS o FROM t`);
    expect(problems(config.replace('edition: 3', 'edition: 4'))).toEqual([
      `ARG_COUNT: json_object('a', id, 'b')`,
    ]);
  });
});
