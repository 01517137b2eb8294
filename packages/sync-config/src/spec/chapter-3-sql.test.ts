import { describe, expect, it } from 'vitest';
import { RESERVED_WORDS } from '../sql/reserved-words.ts';
import {
  codesIn,
  compile,
  definition,
  problems,
  queryIn,
  stream,
  valueOf,
  type Language,
} from '../testing/check.ts';

// spec/sync-config.md 3: lexical rules, grammar and support matrix. Precedence: parse-expression.test.ts.

const LANGUAGES: readonly Language[] = ['definitions', 'alpha', 'compiled'];
const errors = (yaml: string) =>
  compile(yaml)
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(({ code, start, end }) => `${code}: ${yaml.slice(start, end)}`);

describe('lexical rules (3.1)', () => {
  const row = {
    id: 'x',
    ab: 'lower',
    Ab: 'mixed',
    'a""b': 'doubled',
    'a b': 'blank',
    _u1: 'under',
  };

  it.each([
    ['AB', '"lower"'],
    ['"Ab"', '"mixed"'],
    ['"a""b"', '"doubled"'],
    ['"a b"', '"blank"'],
    ['_u1', '"under"'],
    ["'it''s'", '"it\'s"'],
    ["'back\\slash'", '"back\\\\slash"'],
    ["E'a\\nb\\t\\\\'", '"a\\nb\\t\\\\"'],
    ["e'\\x41\\u00e9\\101'", '"AéA"'],
    ["E'it''s \\' '", '"it\'s \' "'],
    ['12', '12'],
    ['-12', '-12'],
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['1.5', '1.5'],
    ['2.', '2.0'],
    ['.5', '0.5'],
    ['TRUE', '1'],
    ['false', '0'],
    ['NULL', 'null'],
    ['1 /* a /* nested */ comment */ + /* -- */ 2', '3'],
    ['1 -- the rest + 2\n      ', '1'],
  ])('%s is %s', (expression, expected) => {
    expect(valueOf(stream(`SELECT id, ${expression} AS r FROM t`), row)).toBe(expected);
  });

  it('has no exponents: 1e3 is 1, named e3', () => {
    expect(valueOf(stream('SELECT id, 1e3 FROM t'), row)).toBe('{"id":"x","e3":1');
  });

  it.each([
    ['SELECT id, "a*b" FROM t', ['SQL_SYNTAX: "a*b"']],
    ['SELECT id, "" FROM t', ['SQL_SYNTAX: ""']],
    ['SELECT id, "a FROM t', ['SQL_SYNTAX: "a FROM t\n']],
    ["SELECT id, 'a FROM t", ["SQL_SYNTAX: 'a FROM t\n"]],
    ["SELECT id, E'\\u0000' AS a FROM t", ['SQL_SYNTAX: \\u0000']],
    ["SELECT id, 'a' 'b' AS c FROM t", ["SQL_SYNTAX: 'b'"]],
    ['SELECT id, $$a$$ AS c FROM t', ['SQL_SYNTAX: $']],
    ['SELECT id, é AS c FROM t', ['SQL_SYNTAX: é']],
    ['SELECT id /* FROM t', ['SQL_SYNTAX: /*']],
    ['SELECT id, 9223372036854775808 AS c FROM t', ['SQL_SYNTAX: 9223372036854775808']],
  ])('%s has %j', (sql, expected) => {
    expect(errors(stream(sql))).toEqual(expected);
  });

  it.each(LANGUAGES)('an end of statement is optional in %s', (language) => {
    expect(codesIn(language, 'SELECT * FROM t;')).toEqual([]);
  });

  it('several statements are an error, in edition 3 the first counts', () => {
    const sql = 'SELECT * FROM t; SELECT * FROM u';
    expect(errors(definition(sql))).toEqual(['SQL_SYNTAX: SELECT * FROM u\n']);
    expect(errors(stream(sql))).toEqual([]);
    expect(codesIn('compiled', sql)).toEqual(['SQL_SYNTAX']);
  });

  it.each([...RESERVED_WORDS])('%s is a name only in quotes', (word) => {
    expect(errors(stream(`SELECT id, t.${word} AS a, "${word}" AS b FROM t`))).toEqual([]);
    expect(errors(stream(`SELECT id, * FROM ${word}`))).toHaveLength(1);
  });

  it.each(
    'key value values date time type name level role status schema primary unique column'.split(
      ' ',
    ),
  )('%s is a name without quotes', (word) => {
    expect(errors(stream(`SELECT id, ${word}, ${word} AS ${word}2 FROM ${word}`))).toEqual([]);
  });
});

describe('grammar (3.2)', () => {
  it.each([
    'SELECT id, a b FROM t',
    'SELECT id, a AS "B" FROM t x',
    'SELECT t.* FROM public.t',
    'SELECT public.t.id FROM public.t',
    'SELECT id, a ISNULL AS n, a NOTNULL AS m FROM t',
    'SELECT id, CAST(a AS text) AS b, a::integer AS c FROM t',
    "SELECT id, a ->> 'b' AS c, a -> 'b' ->> 'c' AS d FROM t",
    "SELECT * FROM t WHERE a IN ('[1]')",
  ])('%s is in every language', (sql) => {
    for (const language of LANGUAGES) expect(codesIn(language, sql)).toEqual([]);
  });

  it.each([
    'SELECT t.* FROM t JOIN u ON t.a = u.a',
    'SELECT t.* FROM t INNER JOIN u ON t.a = u.a',
    'SELECT t.* FROM t JOIN u WHERE t.a = u.a',
    'SELECT t.* FROM t, u WHERE t.a = u.a',
    "SELECT t.* FROM t, json_each(t.a) AS e WHERE e.value = 'x'",
    'SELECT t.* FROM t, (SELECT a, b FROM u) AS x(c, d) WHERE x.c = t.a',
    'SELECT t.* FROM t, (SELECT a FROM u) x WHERE x.a = t.a',
    'SELECT * FROM t WHERE a IN ROW(1, 2)',
    'SELECT * FROM t WHERE a NOT IN ARRAY[1, 2]',
  ])('%s is in edition 3', (sql) => {
    expect(codesIn('compiled', sql)).toEqual([]);
  });

  it.each([
    ["SELECT * FROM t WHERE a IN ('x', 'y')", "SQL_SYNTAX: ('x', 'y')"],
    [
      'SELECT id, substring(a FROM 1 FOR 2) AS b FROM t',
      'UNSUPPORTED_OPERATOR: substring(a FROM 1 FOR 2)',
    ],
    ['SELECT id, a[1] AS b FROM t', 'UNSUPPORTED_OPERATOR: a[1]'],
    ['SELECT id, ARRAY[1] AS b FROM t', 'UNSUPPORTED_OPERATOR: ARRAY[1]'],
    ['SELECT other.t.id FROM public.t', 'UNKNOWN_TABLE: other'],
    ['SELECT public.x.id FROM public.t AS x', 'UNKNOWN_TABLE: public'],
    ['SELECT FROM t', 'SQL_SYNTAX: FROM'],
    ['SELECT id FROM t WHERE (a', 'SQL_SYNTAX: '],
  ])('%s is refused everywhere: %s', (sql, expected) => {
    for (const language of LANGUAGES) expect(errors(queryIn(language, sql))).toEqual([expected]);
  });

  it('a subquery in FROM needs a name', () => {
    expect(errors(stream('SELECT id FROM (SELECT id FROM t)'))).toEqual([
      'SQL_SYNTAX: (SELECT id FROM t)',
    ]);
  });
});

describe('precedence (3.3)', () => {
  const row = { id: 'x', a: 5n, b: 5n, j: '{"x":1}' };
  it.each([
    ['NOT a = b', '0'],
    ["1 + 2 || 'a'", '"3a"'],
    ["'a' || 1 + 2", '2'],
    ["j ->> 'x' = 1", '1'],
    ['1 + 2 * 3', '7'],
    ['1 - 2 - 3', '-4'],
    ['1 < 2 = TRUE', '1'],
    ['0 AND 0 OR 1', '1'],
    ['1 OR 0 AND 0', '1'],
    ["'5'::integer + 1", '6'],
  ])('%s is %s', (expression, expected) => {
    expect(valueOf(stream(`SELECT id, ${expression} AS r FROM t`), row)).toBe(expected);
  });

  it('IN binds tighter than AND', () => {
    const sql = "SELECT * FROM t WHERE id IN auth.parameter('a') AND b";
    expect(problems(stream(sql))).toEqual([]);
  });
});

/** `yes`, or the code of the refusal; in the order of LANGUAGES. */
type Cells = readonly [definitions: string, alpha: string, compiled: string];
const YES: Cells = ['yes', 'yes', 'yes'];
const all = (code: string): Cells => [code, code, code];
const OPERATOR = 'UNSUPPORTED_OPERATOR';
const CLAUSE = 'UNSUPPORTED_CLAUSE';
const ONLY_COMPILED: Cells = [OPERATOR, OPERATOR, 'yes'];
const NO_JOIN: Cells = [CLAUSE, CLAUSE, 'yes'];

describe('support matrix (3.4)', () => {
  const where = (condition: string) => `SELECT * FROM t WHERE ${condition}`;
  const column = (expression: string) => `SELECT id, ${expression} AS r FROM t`;
  const subquery = 'SELECT b FROM u WHERE c = auth.user_id()';

  it.each<[string, Cells]>([
    ...['=', '!=', '<>', '<', '<=', '>', '>='].map((op): [string, Cells] => [
      where(`a ${op} 1`),
      YES,
    ]),
    [where('a AND b'), YES],
    [where('a OR b'), YES],
    [where('NOT a'), YES],
    [where('a IS NULL AND b IS NOT NULL'), YES],
    [where('a IS TRUE'), ONLY_COMPILED],
    [where('a IS NOT FALSE'), ONLY_COMPILED],
    [column("a + 1 - 2 * 3 / 4 || 'x'"), YES],
    ...['%', '&', '|', '<<', '>>', '#', '^', '~'].map((op): [string, Cells] => [
      column(`a ${op} 1`),
      all(OPERATOR),
    ]),
    [column('-5'), YES],
    [column('-a'), all(OPERATOR)],
    [column('+a'), all(OPERATOR)],
    [where('a BETWEEN 1 AND 2'), ONLY_COMPILED],
    [where('a NOT BETWEEN 1 AND 2'), ONLY_COMPILED],
    [column('CASE WHEN a THEN 1 END'), ONLY_COMPILED],
    [column('CASE a WHEN 1 THEN 2 ELSE 3 END'), ONLY_COMPILED],
    [where(`a IN '["x"]'`), YES],
    [where(`a NOT IN '["x"]'`), ONLY_COMPILED],
    [where('a IN ARRAY[1, 2]'), ONLY_COMPILED],
    [where('a NOT IN ARRAY[1, 2]'), ONLY_COMPILED],
    [where('a IN ROW(1, 2)'), ONLY_COMPILED],
    [where('a NOT IN ROW(1, 2)'), ONLY_COMPILED],
    [where(`a IN (${subquery})`), ['SCALAR_SUBQUERY', 'yes', 'yes']],
    [where(`a NOT IN (${subquery})`), all('NEGATED_MATCH')],
    [where(`NOT (a IN (${subquery}))`), ['SCALAR_SUBQUERY', 'NEGATED_MATCH', 'NEGATED_MATCH']],
    [where(`a && (${subquery})`), [OPERATOR, 'yes', 'yes']],
    [where("a && '[1]'"), [OPERATOR, 'yes', 'yes']],
    [where('EXISTS (SELECT 1)'), all(OPERATOR)],
    [where('a = (SELECT 1)'), all('SCALAR_SUBQUERY')],
    [where("a LIKE 'x'"), all(OPERATOR)],
    [where("a NOT LIKE 'x'"), all(OPERATOR)],
    [where("a ILIKE 'x'"), all(OPERATOR)],
    [where('a IS DISTINCT FROM b'), all(OPERATOR)],
    [where('a = ANY(b)'), all(OPERATOR)],
    [where('a = ALL(b)'), all(OPERATOR)],
    [column("a -> 'k'"), YES],
    [column("a ->> 'k'"), YES],
    [column('a -> 0'), ONLY_COMPILED],
    [column('a ->> 0'), ONLY_COMPILED],
    [column('a ->> b'), all(OPERATOR)],
    [column('CAST(a AS text)'), YES],
    [column('a::integer'), YES],
    ['SELECT t.* FROM t JOIN u ON t.a = u.a', NO_JOIN],
    ['SELECT t.* FROM t, u WHERE t.a = u.a', NO_JOIN],
    ['SELECT x.id FROM (SELECT id FROM t) AS x', NO_JOIN],
    ['SELECT t.* FROM t, json_each(t.a) e', NO_JOIN],
    ['SELECT DISTINCT * FROM t', [CLAUSE, CLAUSE, 'yes']],
    ['SELECT * FROM t GROUP BY a', all(CLAUSE)],
    ['SELECT * FROM t HAVING a', all(CLAUSE)],
    ['SELECT * FROM t ORDER BY a', all(CLAUSE)],
    ['SELECT * FROM t LIMIT 1', all(CLAUSE)],
    ['SELECT * FROM t OFFSET 1', all(CLAUSE)],
    ['SELECT * FROM t FOR UPDATE', all(CLAUSE)],
    ['SELECT * FROM t UNION SELECT * FROM u', all(CLAUSE)],
    ['SELECT * FROM t INTERSECT SELECT * FROM u', all(CLAUSE)],
    ['SELECT * FROM t EXCEPT SELECT * FROM u', all(CLAUSE)],
    ['WITH a AS (SELECT 1) SELECT * FROM a', all(CLAUSE)],
    ['INSERT INTO t VALUES (1)', all('NOT_A_SELECT')],
    ['VALUES (1)', all('NOT_A_SELECT')],
    ['', all('NOT_A_SELECT')],
    ...['LEFT', 'LEFT OUTER', 'RIGHT', 'FULL', 'CROSS', 'NATURAL'].map((kind): [string, Cells] => [
      `SELECT t.* FROM t ${kind} JOIN u`,
      all(CLAUSE),
    ]),
    ['SELECT t.* FROM t JOIN u USING (a)', all(CLAUSE)],
  ])('%s: %j', (sql, expected) => {
    const found = LANGUAGES.map((language) => codesIn(language, sql)[0] ?? 'yes');
    expect(found).toEqual(expected);
  });

  it('IN on a CTE is in edition 3', () => {
    const yaml = (body: string) => `config: { edition: 3 }
with: { mine: SELECT list FROM members WHERE u = auth.user_id() }
streams: { s: { query: "${body}" } }`;
    expect(problems(yaml('SELECT * FROM t WHERE list IN mine'))).toEqual([]);
    expect(problems(yaml('SELECT * FROM t WHERE list NOT IN mine'))).toEqual([
      'NEGATED_MATCH: list NOT IN mine',
    ]);
    expect(problems(yaml('SELECT * FROM t WHERE iif(list IN mine, 1, 0)'))).toEqual([
      'SCALAR_SUBQUERY: iif(list IN mine, 1, 0)',
    ]);
  });

  it('json_each stands alone in FROM of a parameter query', () => {
    const data = 'SELECT * FROM t WHERE a = bucket.v';
    const with_ = (parameters: string) => problems(definition(data, parameters));
    expect(with_("SELECT value AS v FROM json_each(request.jwt() ->> 'a')")).toEqual([]);
    expect(with_("SELECT e.value AS v FROM json_each(request.jwt() ->> 'a') AS e")).toEqual([]);
    expect(with_('SELECT u.v FROM u, json_each(u.x) e')).toEqual([
      'UNSUPPORTED_CLAUSE: json_each(u.x) e',
    ]);
  });
});
