import { describe, expect, it } from 'vitest';
import {
  bucketNames,
  bucketsOf,
  evaluate,
  planOf,
  problems,
  stream,
  visibleRows,
} from '../testing/check.ts';

// spec/sync-config.md 10.1 to 10.4 and 10.9: what a query may say, and what it selects.

const withCtes = (query: string, ctes: string) =>
  `config: { edition: 3 }\nwith:\n${ctes}streams:\n  s:\n    auto_subscribe: true\n    query: |\n      ${query}\n`;

describe('FROM and scope (10.1)', () => {
  it.each([
    ['SELECT t.* FROM t, t', ['DUPLICATE_NAME: t']],
    ['SELECT a.* FROM t a, u "A" WHERE a.x = 1', ['DUPLICATE_NAME: "A"']],
    ['SELECT a.* FROM t a JOIN t b ON a.x = b.y', ['ALIAS_RENAMES_OUTPUT: a']],
    ['SELECT t.id FROM t AS a', ['UNKNOWN_TABLE: t']],
    ['SELECT "T".id FROM t', []],
    ['SELECT t.id FROM t, u WHERE x = 1', ['AMBIGUOUS_COLUMN: x']],
    ['SELECT * FROM t WHERE a IN (SELECT b FROM u WHERE u.c = t.d)', []],
    ['SELECT * FROM t WHERE a IN (SELECT b FROM u, v WHERE u.c = v.c)', ['AMBIGUOUS_COLUMN: b']],
    ['SELECT t.* FROM t, json_each(t.a) e WHERE e.value = 1', []],
    ['SELECT t.* FROM t, json_each(t.a) WHERE json_each.value = 1', []],
    ['SELECT t.* FROM t, json_each(t.a) e WHERE e.index = 1', ['UNKNOWN_TABLE: index']],
    ['SELECT t.* FROM t, u, json_each(t.a || u.a) e', ['MIXED_EXPR: t.a || u.a']],
    [
      'SELECT t.* FROM t, json_each(t.a || auth.user_id()) e',
      ['MIXED_EXPR: t.a || auth.user_id()'],
    ],
    ['SELECT t.* FROM t, json_tree(t.a) e', ['UNKNOWN_FUNCTION: json_tree(t.a)']],
    ['SELECT t.* FROM t, json_each(t.a, 1) e', ['UNKNOWN_FUNCTION: json_each(t.a, 1)']],
    ['SELECT x.id FROM (SELECT * FROM t) x', ['UNKNOWN_TABLE: id', 'STAR_IN_SUBQUERY: *']],
    ['SELECT x.id FROM (SELECT id, upper(a) FROM t) x', ['ALIAS_REQUIRED: upper(a)']],
    ['SELECT x.id FROM (SELECT id, a AS id FROM t) x', ['DUPLICATE_NAME: a AS id']],
    ['SELECT x.id FROM (SELECT id, a FROM t) x(id)', ['SUBQUERY_COLUMNS: id']],
    ['SELECT x.b, x.id FROM (SELECT id, a FROM t) x(id, b)', []],
    ['SELECT x.a FROM (SELECT id FROM t) x', ['UNKNOWN_TABLE: a']],
    ['SELECT x.* FROM (SELECT id FROM t) x', ['STAR_IN_SUBQUERY: x.*']],
  ])('%s has %j', (query, expected) => {
    expect(problems(stream(query))).toEqual(expected);
  });

  it.each([
    ['  c: SELECT id FROM u', 'SELECT * FROM t WHERE a IN c', []],
    ['  c: SELECT id FROM u', 'SELECT * FROM t WHERE a IN C', []],
    ['  c: SELECT id FROM u', 'SELECT t.* FROM t JOIN c ON c.id = t.a', []],
    ['  c: SELECT id, x FROM u', 'SELECT * FROM t WHERE a IN c', ['SUBQUERY_COLUMNS: c']],
    ['  c: SELECT * FROM u', 'SELECT * FROM t', ['UNUSED_CTE: c', 'STAR_IN_SUBQUERY: *']],
    ['  c: SELECT id, upper(a) FROM u', 'SELECT c.id FROM c', ['ALIAS_REQUIRED: upper(a)']],
    ['  c: SELECT id FROM u', 'SELECT * FROM t', ['UNUSED_CTE: c']],
    [
      '  c: SELECT id FROM d\n  d: SELECT id FROM u',
      'SELECT * FROM t WHERE a IN c AND b IN d',
      ['UNKNOWN_TABLE: d'],
    ],
    [
      '  c: SELECT id FROM u WHERE x IN d\n  d: SELECT id FROM u',
      'SELECT * FROM t WHERE a IN c AND b IN d',
      ['UNKNOWN_TABLE: d'],
    ],
    [
      '  c: SELECT id FROM public.d\n  d: SELECT id FROM u',
      'SELECT * FROM t WHERE a IN c AND b IN d',
      [],
    ],
    ['  u: SELECT id FROM u', 'SELECT * FROM t WHERE a IN u', []],
    ['  c: SELECT id FROM u WHERE x = t.y', 'SELECT * FROM t WHERE a IN c', ['UNKNOWN_TABLE: t']],
    [
      '  c: SELECT id FROM u\n  C: SELECT id FROM v',
      'SELECT * FROM t WHERE a IN c',
      ['DUPLICATE_NAME: C'],
    ],
  ])('with %j, %s has %j', (ctes, query, expected) => {
    expect(problems(withCtes(query, `${ctes}\n`))).toEqual(expected);
  });

  it('lets the CTEs of a stream hide global ones, and each mention be a copy', async () => {
    const plan = planOf(`config: { edition: 3 }
with: { mine: SELECT id FROM u WHERE owner = 'nobody' }
streams:
  s:
    auto_subscribe: true
    with: { mine: SELECT id FROM u WHERE owner = auth.user_id() }
    query: SELECT * FROM t WHERE a IN mine AND b IN mine
  other: { query: SELECT * FROM t WHERE a IN mine }
`);
    const rows = {
      u: [
        { id: '1', owner: 'u1' },
        { id: '2', owner: 'u1' },
      ],
      t: [
        { id: 'same', a: '1', b: '1' },
        { id: 'apart', a: '1', b: '2' },
        { id: 'half', a: '1', b: '3' },
      ],
    };
    expect(await visibleRows(plan, { rows })).toEqual(['t/apart', 't/same']);
  });

  it('prefers a CTE to a column of the same name after IN', async () => {
    const plan = planOf(withCtes('SELECT * FROM t WHERE a IN list', '  list: SELECT id FROM u\n'));
    const rows = { u: [{ id: '1' }], t: [{ id: 'x', a: '1', list: '[]' }] };
    expect(await visibleRows(plan, { rows })).toEqual(['t/x']);
  });

  it('warns about a CTE that hides a table', () => {
    const column = { name: 'id', sqliteType: 'text' as const, sourceType: 'text' };
    const schema = ['t', 'u'].map((name) => ({ schema: 'public', name, columns: [column] }));
    expect(
      problems(withCtes('SELECT * FROM t WHERE id IN U', '  U: SELECT id FROM u\n'), schema),
    ).toEqual(['CTE_SHADOWS_TABLE: U']);
  });
});

describe('output columns (10.2)', () => {
  it.each([
    ['SELECT 1 AS id FROM t', ['NO_OUTPUT_TABLE: SELECT 1 AS id FROM t']],
    ['SELECT a.id, b.x FROM t a, t b WHERE a.x = b.x', ['MULTIPLE_OUTPUT_TABLES: b.x']],
    [
      'SELECT a.id, a.x || b.x AS y FROM t "a", t b WHERE a.x = b.x',
      ['MULTIPLE_OUTPUT_TABLES: a.x || b.x'],
    ],
    ['SELECT t.id, e.value FROM t, json_each(t.a) e', ['REQUEST_IN_OUTPUT: e.value']],
    ['SELECT e.* FROM t, json_each(t.a) e', ['REQUEST_IN_OUTPUT: e.*']],
    ["SELECT id, 'x' AS kind, 1 + 1 AS two, upper(a) AS a FROM t", []],
    ['SELECT * FROM t, u', ['AMBIGUOUS_COLUMN: *']],
    ['SELECT *', ['AMBIGUOUS_COLUMN: *']],
    ['SELECT z.* FROM t', ['UNKNOWN_TABLE: z']],
    ['SELECT *, a AS b FROM t', []],
    ['SELECT a AS b, * FROM t', ['STAR_OVERWRITES: *']],
    ['SELECT id, upper(a) FROM t', ['ALIAS_RECOMMENDED: upper(a)']],
    ['SELECT name FROM t', ['ID_MISSING: name']],
    ['SELECT x.* FROM t x', []],
    ['SELECT x.* FROM t x, u WHERE x.a = u.a', ['ALIAS_RENAMES_OUTPUT: x']],
    ['SELECT "x".* FROM t "x", u WHERE "x".a = u.a', []],
    ['SELECT t.* FROM t, u x WHERE x.a = t.a', []],
    ["SELECT id, a IN '[1]' AS b FROM t", ["UNSUPPORTED_OPERATOR: a IN '[1]'"]],
    ['SELECT id, a IN (SELECT b FROM u) AS c FROM t', ['SCALAR_SUBQUERY: a IN (SELECT b FROM u)']],
    ["SELECT id, a IN ARRAY[1] AS b, a NOT IN '[1]' AS c FROM t", []],
  ])('%s has %j', (query, expected) => {
    expect(problems(stream(query))).toEqual(expected);
  });

  it.each([
    ['id, upper(a), a || b FROM t', '{"id":"x","upper(a)":"A","a || b":"aB"}'],
    ['id, a AS b, b AS a FROM t', '{"id":"x","b":"a","a":"B"}'],
    ['id, a AS c, b AS c FROM t', '{"id":"x","c":"B"}'],
    ['x.i AS id, x.n FROM (SELECT id, upper(a) FROM t) AS x(i, n)', '{"id":"x","n":"A"}'],
  ])('SELECT %s gives %s', (query, data) => {
    const plan = planOf(stream(`SELECT ${query}`));
    expect(evaluate(plan, 't', { id: 'x', a: 'a', b: 'B' }).outputs[0]?.data).toBe(data);
  });

  it('warns when * is over a table without id', () => {
    const column = { name: 'a', sqliteType: 'text' as const, sourceType: 'text' };
    const schema = [{ schema: 'public', name: 't', columns: [column] }];
    expect(problems(stream('SELECT * FROM t'), schema)).toEqual(['ID_MISSING: *']);
    expect(problems(stream('SELECT *, a AS id FROM t'), schema)).toEqual([]);
  });
});

describe('IN and && (10.3)', () => {
  const rows = {
    t: [
      { id: '1', a: 'x', list: '["x","y"]', other: '["y"]', n: 1n },
      { id: '2', a: 'y', list: '{"k":"y"}', other: '"q"', n: 2n },
      { id: '3', a: 'z', list: null, other: null, n: null },
    ],
    u: [
      { b: 'x', c: 'u1' },
      { b: 'z', c: 'u2' },
    ],
  };
  const claims = { sub: 'u1', list: ['x', 'z'], object: { k: 'y' }, scalar: 2, n: [1, 2.0] };

  it.each([
    ['a IN (SELECT b FROM u WHERE c = auth.user_id())', ['1']],
    ['a IN (SELECT upper(b) FROM u)', []],
    ["a IN auth.parameter('list')", ['1', '3']],
    ["a IN auth.parameter('object')", ['2']],
    ["n IN auth.parameter('scalar')", ['2']],
    ["n IN auth.parameter('n')", ['1', '2']],
    ["a IN auth.parameter('missing')", []],
    ['a IN list', ['1', '2']],
    ["'y' IN list", ['1', '2']],
    ["a IN ARRAY['x', 'q']", ['1']],
    ["a IN ROW('x', 'q')", ['1']],
    ["a NOT IN ARRAY['x', 'q']", ['2', '3']],
    [`a NOT IN '["x"]'`, ['2', '3']],
    [`NOT (a IN '["x"]')`, ['2', '3']],
    ["list && auth.parameter('list')", ['1']],
    ['list && other', ['1']],
    [`list && '["y"]'`, ['1', '2']],
    ['list && (SELECT b FROM u WHERE c = auth.user_id())', ['1']],
    ["auth.parameter('list') && (SELECT b FROM u WHERE c = 'u2')", ['1', '2', '3']],
    ["auth.parameter('object') && (SELECT b FROM u)", []],
    ["'u1' IN (SELECT c FROM u)", ['1', '2', '3']],
  ])('%s selects %j', async (condition, expected) => {
    const plan = planOf(stream(`SELECT * FROM t WHERE ${condition}`));
    const visible = await visibleRows(plan, { claims, rows });
    expect(visible).toEqual(expected.map((id) => `t/${id}`));
  });
});

describe('normalisation (10.4)', () => {
  it.each([
    ['a > auth.user_id()', 'MIXED_EXPR'],
    ['upper(a || auth.user_id())', 'MIXED_EXPR'],
    ["a BETWEEN 1 AND auth.parameter('x')", 'MIXED_EXPR'],
    ['a = b || auth.user_id()', 'MIXED_EXPR'],
    ['CASE WHEN a THEN auth.user_id() END', 'MIXED_EXPR'],
    ['a != auth.user_id()', 'NEGATED_MATCH'],
    ['NOT a = auth.user_id()', 'NEGATED_MATCH'],
    ['NOT (a AND b = auth.user_id())', 'NEGATED_MATCH'],
    ['a NOT IN auth.user_id()', 'NEGATED_MATCH'],
    ["NOT (a && auth.parameter('x'))", 'NEGATED_MATCH'],
  ])('%s has %s', (condition, code) => {
    const found = problems(stream(`SELECT * FROM t WHERE ${condition}`));
    expect(found.map((problem) => problem.split(':')[0])).toEqual([code]);
  });

  it('bounds conjunctions and bucket families at 100', () => {
    const ors = (count: number) =>
      Array.from({ length: count }, (_, i) => `a${i} = auth.user_id()`).join(' OR ');
    expect(problems(stream(`SELECT * FROM t WHERE ${ors(100)}`))).toEqual([]);
    expect(problems(stream(`SELECT * FROM t WHERE ${ors(101)}`))[0]).toMatch(/^TOO_MANY_TERMS/);
    const queries = (count: number) =>
      Array.from(
        { length: count },
        (_, i) => `      - SELECT * FROM t WHERE a = auth.parameter('p${i}')`,
      );
    const yaml = (count: number) =>
      `config: { edition: 3 }\nstreams:\n  s:\n    queries:\n${queries(count).join('\n')}\n`;
    expect(problems(yaml(100))).toEqual([]);
    expect(problems(yaml(101))).toEqual(['TOO_MANY_TERMS: s']);
  });

  it('merges what differs in row filters only into one bucket', () => {
    const plan = planOf(
      stream('SELECT * FROM t WHERE (a AND o = auth.user_id()) OR (b AND o = auth.user_id())'),
    );
    expect(bucketsOf(plan, 't', { id: 'x', a: 1n, b: 1n, o: 'u' })).toEqual(['7#s|0["u"]']);
    expect(bucketsOf(plan, 't', { id: 'x', a: 0n, b: 1n, o: 'u' })).toEqual(['7#s|0["u"]']);
    expect(bucketsOf(plan, 't', { id: 'x', a: 0n, b: 0n, o: 'u' })).toEqual([]);
  });

  it('merges what differs in request filters only into one bucket', async () => {
    const plan = planOf(
      stream(`SELECT * FROM t WHERE (auth.parameter('a') AND o = auth.user_id())
        OR (auth.parameter('b') AND o = auth.user_id())`),
    );
    expect(bucketsOf(plan, 't', { id: 'x', o: 'u1' })).toHaveLength(1);
    const names = (claims: object) => bucketNames(plan, { claims: { sub: 'u1', ...claims } });
    expect(await names({ a: 1, b: 1 })).toHaveLength(1);
    expect(await names({ b: 1 })).toHaveLength(1);
    expect(await names({ a: 0 })).toHaveLength(0);
  });
});

describe('the client-parameter warning (10.9)', () => {
  it.each([
    ["id = subscription.parameter('x')", true],
    ["id = connection.parameter('x')", true],
    ["id IN subscription.parameter('x')", true],
    ["connection.parameter('x') = 'y'", true],
    ["id = subscription.parameter('x') AND auth.parameter('admin')", true],
    ["id = subscription.parameter('x') OR owner = auth.user_id()", true],
    ["id IN (SELECT a FROM u WHERE b = subscription.parameter('x'))", true],
    ["id = subscription.parameter('x') AND owner = auth.user_id()", false],
    [
      "id = subscription.parameter('x') AND id IN (SELECT a FROM u WHERE b = auth.user_id())",
      false,
    ],
    ["id = subscription.parameter('x') AND owner IN auth.parameter('ids')", false],
    ['owner = auth.user_id()', false],
    ["state = 'open'", false],
  ])('%s: %s', (condition, isFlagged) => {
    const query = `SELECT * FROM t WHERE ${condition}`;
    expect(problems(stream(query))).toEqual(isFlagged ? [`DANGEROUS: ${query}`] : []);
    const accepted = stream(query).replace(
      'query:',
      'accept_potentially_dangerous_queries: true\n    query:',
    );
    expect(problems(accepted)).toEqual([]);
  });
});
