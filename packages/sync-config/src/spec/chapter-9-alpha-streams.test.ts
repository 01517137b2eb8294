import { describe, expect, it } from 'vitest';
import {
  bucketNames,
  bucketsOf,
  codesIn,
  compile,
  evaluate,
  planOf,
  problems,
  queryIn,
  resolve,
  visibleRows,
} from '../testing/check.ts';

// spec/sync-config.md 9, and the cells of 22 in which edition 2 goes with bucket definitions.

const alpha = (query: string) => queryIn('alpha', query);
const ROWS = {
  lists: [
    { id: 'l1', owner: 'u1', org: 'a', tags: '["x","y"]', state: null },
    { id: 'l2', owner: 'u2', org: 'a', tags: '["z"]', state: 'gone' },
    { id: 'l3', owner: null, org: 'b', tags: null, state: 'here' },
  ],
  members: [
    { user_id: 'u1', org: 'b', tag: 'z', peers: '["u5"]' },
    { user_id: 'u2', org: 'a', tag: 'x', peers: '["u1","u3"]' },
  ],
};
const CLAIMS = { sub: 'u1', orgs: ['b', 'c'], role: 'admin', tags: ['y', 'q'] };

describe('conditions (9.1, 9.2)', () => {
  it.each([
    ['owner = auth.user_id()', ['l1']],
    ['auth.user_id() = owner', ['l1']],
    ["owner = auth.user_id() AND org = 'b'", []],
    ["owner = auth.user_id() OR org = 'b'", ['l1', 'l3']],
    ["auth.parameter('role') = 'admin'", ['l1', 'l2', 'l3']],
    ["auth.parameter('role') = 'guest'", []],
    ["org IN auth.parameter('orgs')", ['l3']],
    ["'x' IN tags", ['l1']],
    ["lower('X') IN tags", ['l1']],
    ["auth.parameter('role') IN tags", []],
    ['org IN (SELECT org FROM members WHERE user_id = auth.user_id())', ['l3']],
    ['org IN (SELECT org FROM members WHERE auth.user_id() IN peers)', ['l1', 'l2']],
    ["org IN (SELECT org FROM members WHERE user_id = auth.user_id() AND tag = 'x')", []],
    [
      "auth.user_id() IN (SELECT user_id FROM members WHERE org = auth.parameter('$.orgs.0'))",
      ['l1', 'l2', 'l3'],
    ],
    ["auth.user_id() IN (SELECT user_id FROM members WHERE tag = auth.parameter('role'))", []],
    ['tags && (SELECT tag FROM members WHERE user_id = auth.user_id())', ['l2']],
    ["tags && auth.parameter('tags')", ['l1']],
    ["NOT (org = 'a')", ['l3']],
    ["NOT ('x' IN tags)", ['l2', 'l3']],
    ["owner = auth.user_id() AND (org = 'a' OR org = 'b') AND NOT (state = 'gone')", ['l1']],
  ])('%s selects %j', async (condition, expected) => {
    const plan = planOf(alpha(`SELECT * FROM lists WHERE ${condition}`));
    const visible = await visibleRows(plan, { claims: CLAIMS, rows: ROWS });
    expect(visible).toEqual(expected.map((id) => `lists/${id}`));
  });
});

describe('what is refused', () => {
  const upgrade = (sql: string) => problems(alpha(sql)).filter((p) => !p.startsWith('EDITION'));
  const where = (condition: string) => `SELECT * FROM t WHERE ${condition}`;

  it.each([
    [where('a IN (SELECT b, c FROM u WHERE d = auth.user_id())'), ['SUBQUERY_COLUMNS: c']],
    [where('a IN (SELECT * FROM u WHERE d = auth.user_id())'), ['STAR_IN_SUBQUERY: *']],
    [where('a IN (SELECT b FROM u)'), ['SUBQUERY_NEEDS_PARAM: SELECT b FROM u']],
    [where('a IN (SELECT b FROM u WHERE c)'), ['SUBQUERY_NEEDS_PARAM: SELECT b FROM u WHERE c']],
    [where('a IN (SELECT b FROM u WHERE c = auth.user_id() OR d)'), ['UNSUPPORTED_OPERATOR: OR']],
    [
      where(
        'a IN (SELECT b FROM u WHERE c IN (SELECT d FROM v WHERE e = auth.user_id()) AND f = auth.user_id())',
      ),
      ['SUBQUERY_NESTED: (SELECT d FROM v WHERE e = auth.user_id())'],
    ],
    [where('a IN (SELECT u.b FROM u, v WHERE u.c = auth.user_id())'), ['UNSUPPORTED_CLAUSE: v']],
    [
      where('a IN (SELECT DISTINCT b FROM u WHERE c = auth.user_id())'),
      ['UNSUPPORTED_CLAUSE: DISTINCT'],
    ],
    [
      where('a IN (SELECT b FROM u WHERE u.c = auth.user_id() AND u.d = t.d)'),
      ['UNKNOWN_TABLE: t'],
    ],
    [where("'x' IN (SELECT b FROM u WHERE c = auth.user_id())"), ["UNSUPPORTED_OPERATOR: 'x'"]],
    [
      where('a NOT IN (SELECT b FROM u WHERE c = auth.user_id())'),
      ['NEGATED_MATCH: a NOT IN (SELECT b FROM u WHERE c = auth.user_id())'],
    ],
    [where('NOT (a = auth.user_id())'), ['NEGATED_MATCH: (a = auth.user_id())']],
    [where('a != auth.user_id()'), ['NEGATED_MATCH: a != auth.user_id()']],
    [where('a > auth.user_id()'), ['MIXED_EXPR: a > auth.user_id()']],
    [where('upper(a || auth.user_id())'), ['MIXED_EXPR: upper(a || auth.user_id())']],
    [
      where("auth.parameter('x') && (SELECT b FROM u WHERE c = auth.user_id())"),
      ["MIXED_EXPR: auth.parameter('x')"],
    ],
    ['SELECT t.* FROM t, u', ['UNSUPPORTED_CLAUSE: u']],
    ['SELECT name FROM t', ['ID_REQUIRED: name']],
    ['SELECT id, upper(a) FROM t', ['ALIAS_RECOMMENDED: upper(a)']],
    [
      'SELECT Id AS B, T.a FROM Todos AS T',
      [
        'UNQUOTED_UPPERCASE: Id',
        'UNQUOTED_UPPERCASE: B',
        'UNQUOTED_UPPERCASE: T',
        'UNQUOTED_UPPERCASE: Todos',
        'UNQUOTED_UPPERCASE: T',
        'ID_REQUIRED: Id AS B',
      ].toSorted(),
    ],
  ])('%s has %j', (sql, expected) => {
    const found = upgrade(sql);
    expect(sql.includes('Todos') ? found.toSorted() : found).toEqual(expected);
  });

  it('warns about defaults that read subscription parameters', () => {
    const sql = "SELECT * FROM t WHERE a = subscription.parameter('x') AND b = auth.user_id()";
    expect(codesIn('alpha', sql)).toEqual(['AUTO_SUBSCRIBE_PARAMS']);
    expect(codesIn('compiled', sql)).toEqual([]);
    const onDemand = alpha(sql).replace('auto_subscribe: true', 'auto_subscribe: false');
    expect(compile(onDemand).diagnostics.map(({ code }) => code)).toEqual(['EDITION_UPGRADE']);
  });
});

describe('what differs from edition 3', () => {
  it('a missing request value is a bucket with null, in which there is nothing', async () => {
    const plan = planOf(alpha('SELECT * FROM lists WHERE owner = auth.user_id()'));
    expect(await bucketNames(plan, { claims: {} })).toEqual(['7#s|0[null]']);
    expect(bucketsOf(plan, 'lists', { id: 'l3', owner: null })).toEqual([]);
    expect(await visibleRows(plan, { claims: {}, rows: ROWS })).toEqual([]);
  });

  it('the right side of IN must be an array', async () => {
    const plan = planOf(alpha("SELECT * FROM lists WHERE org IN auth.parameter('role')"));
    const claims = { sub: 'u1', role: 5 };
    expect((await resolve(plan, { claims })).streams[0]?.errors).toHaveLength(1);
    const byRow = planOf(alpha('SELECT * FROM lists WHERE auth.user_id() IN tags'));
    expect(evaluate(byRow, 'lists', { id: 'x', tags: '{"a":"u1"}' }).errors).toHaveLength(1);
  });

  it('two conditions on one column must both hold', async () => {
    const query =
      "SELECT * FROM lists WHERE org = auth.parameter('a') AND org IN auth.parameter('orgs')";
    const plan = planOf(alpha(query));
    const visible = (a: string) => visibleRows(plan, { claims: { ...CLAIMS, a }, rows: ROWS });
    expect(await visible('b')).toEqual(['lists/l3']);
    expect(await visible('a')).toEqual([]);
  });

  it.each([
    ['*', '{"id":"i","label":"L","nick":null}'],
    ['nick AS label, *', '{"label":"L","id":"i","nick":null}'],
    ['label AS id, *', '{"id":"L","label":"L","nick":null}'],
  ])('SELECT %s gives %s', (columns, data) => {
    const plan = planOf(alpha(`SELECT ${columns} FROM t`));
    const row = { id: 'i', _p: 1n, label: 'L', nick: null };
    expect(evaluate(plan, 't', row).outputs[0]?.data).toBe(data);
  });

  it('!= with NULL drops the row', async () => {
    const plan = planOf(alpha("SELECT * FROM lists WHERE state != 'gone'"));
    expect(await visibleRows(plan, { rows: ROWS })).toEqual(['lists/l3']);
  });

  it('the priority counts', async () => {
    const plan = planOf(alpha('SELECT * FROM t').replace('query:', 'priority: 1\n    query:'));
    expect((await resolve(plan, {})).buckets.map(({ priority }) => priority)).toEqual([1]);
  });
});
