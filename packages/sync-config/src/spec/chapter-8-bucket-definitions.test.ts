import { describe, expect, it } from 'vitest';
import {
  bucketNames,
  bucketsOf,
  definition,
  evaluate,
  planOf,
  problems,
  resolve,
  visibleRows,
} from '../testing/check.ts';

// spec/sync-config.md 8.

describe('parameter queries', () => {
  const data = 'SELECT * FROM t WHERE x = bucket.p';
  const members = [
    { id: 'm1', u: 'u1', org: 'a', mail: 'A@x', tags: '["red","blue"]' },
    { id: 'm2', u: 'u1', org: 'b', mail: 'b@x', tags: '[]' },
    { id: 'm3', u: 'u2', org: 'c', mail: null, tags: null },
  ];
  const claims = {
    sub: 'u1',
    mail: 'a@X',
    list: ['u2', 'u3'],
    flag: true,
    color: 'red',
    'a.b': 'dotted',
    a: { b: 'walked' },
    nothing: null,
    parameters: { org: 'z' },
  };

  it.each([
    ['SELECT request.user_id() AS p', ['"u1"']],
    ['SELECT token_parameters.user_id AS p', ['"u1"']],
    ['SELECT token_parameters.org AS p', ['"z"']],
    ['SELECT user_parameters.q AS p', ['5']],
    ["SELECT request.parameters() ->> 'q' AS p", ['5']],
    ["SELECT request.parameter('q') AS p", ['5']],
    ["SELECT request.jwt() ->> 'a.b' AS p", ['"walked"']],
    ["SELECT request.jwt() ->> 'nothing' AS p", ['"null"']],
    ["SELECT request.jwt() ->> 'missing' AS p", ['null']],
    ["SELECT request.user_id() AS p WHERE request.jwt() ->> 'flag'", ['"u1"']],
    ["SELECT request.user_id() AS p WHERE request.jwt() ->> 'flag' = 0", []],
    ["SELECT value AS p FROM json_each(request.jwt() ->> 'list')", ['"u2"', '"u3"']],
    [
      "SELECT e.value AS p FROM json_each(request.jwt() ->> 'list') e WHERE e.value = 'u3'",
      ['"u3"'],
    ],
    ["SELECT value AS p FROM json_each(request.jwt() ->> 'missing')", []],
    ['SELECT org AS p FROM members WHERE u = request.user_id()', ['"a"', '"b"']],
    ["SELECT org AS p FROM members WHERE request.user_id() = u AND id = 'm2'", ['"b"']],
    ["SELECT org AS p FROM members WHERE u IN request.jwt() ->> 'list'", ['"c"']],
    ["SELECT org AS p FROM members WHERE request.jwt() ->> 'color' IN tags", ['"a"']],
    ["SELECT org AS p FROM members WHERE lower(mail) = lower(request.jwt() ->> 'mail')", ['"a"']],
    [
      "SELECT org AS p FROM members WHERE u = request.user_id() AND request.jwt() ->> 'flag'",
      ['"a"', '"b"'],
    ],
    [
      "SELECT org AS p FROM members WHERE u = request.user_id() AND request.jwt() ->> 'flag' = 0",
      [],
    ],
    [
      'SELECT org AS p FROM members WHERE u = request.user_id() OR org = request.user_id()',
      ['"a"', '"b"'],
    ],
    ['SELECT request.user_id() AS p FROM members WHERE u = request.user_id()', ['"u1"']],
    ["SELECT mail AS p FROM members WHERE id = 'm3'", ['null']],
  ])('%s gives %j', async (query, expected) => {
    const plan = planOf(definition(data, query));
    const names = await bucketNames(plan, { claims, parameters: { q: 5 }, rows: { members } });
    expect(names).toEqual(expected.map((value) => `7#d[${value}]`));
  });

  it('reads one literal key with fixed_json_extract', async () => {
    const plan = planOf(definition(data, "SELECT request.jwt() ->> 'a.b' AS p", 2));
    expect(await bucketNames(plan, { claims })).toEqual(['7#d["dotted"]']);
    const nothing = planOf(definition(data, "SELECT request.jwt() ->> 'nothing' AS p", 2));
    expect(await bucketNames(nothing, { claims })).toEqual(['7#d[null]']);
  });

  it('fails the request when one cannot be evaluated', async () => {
    const plan = planOf(
      definition(data, "SELECT value AS p FROM json_each(request.jwt() ->> 'mail')"),
    );
    await expect(resolve(plan, { claims })).rejects.toMatchObject({ code: 'SYNC_PARAMETER_ERROR' });
  });

  it('set the priority with _priority', async () => {
    const plan = planOf(definition(data, 'SELECT request.user_id() AS p, 1 AS _priority'));
    expect((await resolve(plan, { claims })).buckets).toEqual([
      { name: '7#d["u1"]', definition: 'd', priority: 1, subscriptions: [{ default: 0 }] },
    ]);
  });

  it('add up when there are several', async () => {
    const plan = planOf(`bucket_definitions:
  d:
    parameters:
      - SELECT request.user_id() AS p
      - SELECT org AS p FROM members WHERE u = request.user_id()
    data: [SELECT * FROM t WHERE x = bucket.p]
`);
    const rows = { members: members.slice(0, 1) };
    expect(await bucketNames(plan, { rows })).toEqual(['7#d["a"]', '7#d["u1"]']);
  });

  it('are switched off with include_defaults: false', async () => {
    const plan = planOf(definition('SELECT * FROM t'));
    expect(await bucketNames(plan, {})).toEqual(['7#d[]']);
    expect(await resolve(plan, { includeDefaults: false })).toMatchObject({
      buckets: [],
      streams: [],
    });
  });
});

describe('data queries', () => {
  const two = 'SELECT request.user_id() AS p, token_parameters.org AS q';

  it.each([
    ['x = bucket.p AND y = bucket.q', ['["X","Y"]']],
    ['bucket.q = y AND bucket.p = x', ['["X","Y"]']],
    ['x = bucket.p AND bucket.q IN arr', ['["X",1]', '["X",2]']],
    ['(x = bucket.p OR z = bucket.p) AND y = bucket.q', ['["X","Y"]', '["Z","Y"]']],
    ['x = bucket.p AND z = bucket.p AND y = bucket.q', ['["X","Y"]']],
    ['x = bucket.p AND y = bucket.q AND n IS NULL', ['["X","Y"]']],
    ['x = bucket.p AND y = bucket.q AND n', []],
    ['n = bucket.p AND y = bucket.q', []],
    ['upper(lower(x)) = bucket.p AND y = bucket.q', ['["X","Y"]']],
  ])('WHERE %s places in %j', (where, expected) => {
    const plan = planOf(definition(`SELECT * FROM t WHERE ${where}`, two));
    const row = { id: 'i', x: 'X', y: 'Y', z: 'Z', n: null, arr: '[1,2,1]' };
    expect(bucketsOf(plan, 't', row)).toEqual(expected.map((values) => `7#d${values}`));
  });

  it.each([
    ['*', '{"id":"i","nick":null,"label":"L"}'],
    ['nick AS label, *', '{"label":"L","id":"i","nick":null}'],
    ['label AS id, *', '{"id":"L","nick":null,"label":"L"}'],
    ['*, label AS id', '{"id":"L","nick":null,"label":"L"}'],
    ['id, _p', '{"id":"i","_p":1}'],
    ['id, _table_suffix AS s', '{"id":"i","s":null}'],
  ])('SELECT %s gives %s', (columns, json) => {
    const plan = planOf(definition(`SELECT ${columns} FROM t`));
    const row = { id: 'i', _p: 1n, nick: null, label: 'L' };
    expect(evaluate(plan, 't', row).outputs[0]?.data).toBe(json);
  });

  it('drop rows whose != compares with NULL', () => {
    const plan = planOf(definition("SELECT * FROM t WHERE state != 'gone'"));
    expect(bucketsOf(plan, 't', { id: 'i', state: null })).toEqual([]);
    expect(bucketsOf(plan, 't', { id: 'i', state: 'here' })).toEqual(['7#d[]']);
  });

  it('reach the rows of an end-to-end request', async () => {
    const plan = planOf(
      definition(
        'SELECT * FROM t WHERE x = bucket.p AND bucket.q IN arr',
        'SELECT u AS p, org AS q FROM members WHERE u = request.user_id()',
      ),
    );
    const rows = {
      members: [{ u: 'u1', org: 2n }],
      t: [
        { id: 'in', x: 'u1', arr: '[1, 2]' },
        { id: 'out', x: 'u1', arr: '[1]' },
      ],
    };
    expect(await visibleRows(plan, { rows })).toEqual(['t/in']);
  });
});

describe('outputs of parameter queries (8.1)', () => {
  const data = 'SELECT * FROM t WHERE x = bucket.p';
  const found = (parameters: string) => problems(definition(data, parameters));

  it.each([
    ['SELECT a AS p FROM m', []],
    ['SELECT p FROM m', []],
    ['SELECT m.p FROM m', []],
    ['SELECT request.user_id() AS p FROM m', []],
    ["SELECT 'x' AS p FROM m", []],
    ['SELECT lower(request.user_id()) AS p FROM m', []],
    ['SELECT lower(request.user_id())', ['ALIAS_REQUIRED: lower(request.user_id())']],
    ['SELECT 1', ['ALIAS_REQUIRED: 1']],
    ['SELECT *', ['STAR_IN_PARAMS: *']],
    ['SELECT m.* FROM m', ['STAR_IN_PARAMS: m.*']],
    ['SELECT lower(a) AS p FROM m', ['ROW_EXPR_IN_PARAMS: lower(a)']],
    ['SELECT a || request.user_id() AS p FROM m', ['ROW_EXPR_IN_PARAMS: a || request.user_id()']],
    ['SELECT p FROM m AS n', ['ALIAS_IN_PARAMS: n']],
    ['SELECT a.p FROM a, b', ['UNSUPPORTED_CLAUSE: b']],
    ['SELECT p', ['UNKNOWN_TABLE: p']],
    ['SELECT bucket.p AS p FROM m', ['UNKNOWN_TABLE: bucket']],
    ['SELECT a AS p FROM m GROUP BY a', ['UNSUPPORTED_CLAUSE: GROUP']],
    ['SELECT a AS p FROM unknown_function(1)', ['UNKNOWN_FUNCTION: unknown_function(1)']],
    ['SELECT x AS p FROM json_each(request.jwt())', ['UNKNOWN_TABLE: x']],
    ['SELECT request.user_id() AS p, 0 AS _priority', []],
    ['SELECT request.user_id() AS p, 4 AS _priority', ['PRIORITY: 4']],
    ["SELECT request.user_id() AS p, '1' AS _priority", ["PRIORITY: '1'"]],
    ['SELECT p, q AS _priority FROM m', ['PRIORITY: q']],
  ])('%s has %j', (parameters, expected) => {
    expect(found(parameters)).toEqual(expected);
  });

  it('must have the same names in the same order in all queries', () => {
    const yaml = (second: string) => `bucket_definitions:
  d:
    parameters:
      - SELECT request.user_id() AS p, token_parameters.o AS q
      - ${second}
    data: []
`;
    const reordered = 'SELECT q, p FROM m WHERE u = request.user_id()';
    const other = 'SELECT p, r FROM m WHERE u = request.user_id()';
    expect(problems(yaml('SELECT p, q FROM m WHERE u = request.user_id()'))).toEqual([]);
    expect(
      problems(yaml('SELECT p, q, 1 AS _priority FROM m WHERE u = request.user_id()')),
    ).toEqual([]);
    expect(problems(yaml(reordered))).toEqual([`PARAM_SET_MISMATCH: ${reordered}`]);
    expect(problems(yaml(other))).toEqual([`PARAM_SET_MISMATCH: ${other}`]);
  });

  it('cannot set the priority besides YAML', () => {
    const yaml = definition(data, 'SELECT request.user_id() AS p, 1 AS _priority');
    expect(problems(yaml.replace('  d:\n', '  d:\n    priority: 2\n'))).toEqual([
      'PRIORITY: SELECT request.user_id() AS p, 1 AS _priority',
    ]);
  });

  it('may give a priority per query; the most urgent counts for a bucket found twice', async () => {
    const plan = planOf(`bucket_definitions:
  d:
    parameters:
      - SELECT request.user_id() AS p, 2 AS _priority
      - SELECT u AS p, 1 AS _priority FROM m WHERE u = request.user_id()
      - SELECT o AS p FROM m WHERE u = request.user_id()
    data: []
`);
    const rows = { m: [{ u: 'u1', o: 'o1' }] };
    const { buckets } = await resolve(plan, { rows });
    expect(buckets.map(({ name, priority }) => [name, priority])).toEqual([
      ['7#d["u1"]', 1],
      ['7#d["o1"]', 3],
    ]);
  });

  it.each([
    ["SELECT CAST('x' AS blob) AS p", []],
    ['SELECT NULL AS p', ['null']],
    ['SELECT value AS p FROM json_each(\'{"a":1,"b":"x"}\')', ['"x"', '1']],
    ['SELECT key AS p FROM json_each(\'{"a":1,"b":"x"}\')', ['"a"', '"b"']],
    ["SELECT key AS p FROM json_each('[5,6]')", ['0', '1']],
    ["SELECT value AS p FROM json_each('5')", ['5']],
    ["SELECT key AS p FROM json_each('5')", ['null']],
    ['SELECT value AS p FROM json_each(NULL)', []],
    ["SELECT value AS p FROM json_each('[null]')", ['"null"']],
    ["SELECT value || 'x' AS p FROM json_each('[1]') WHERE value > 0", ['"1x"']],
    ["SELECT value AS p FROM json_each('[1]') WHERE request.jwt() ->> 'missing'", []],
  ])('%s gives %j', async (parameters, expected) => {
    const names = await bucketNames(planOf(definition(data, parameters)), {});
    expect(names).toEqual(expected.map((value) => `7#d[${value}]`));
  });

  it('read JSON null as NULL with fixed_json_extract', async () => {
    const plan = planOf(definition(data, "SELECT value AS p FROM json_each('[null]')", 2));
    expect(await bucketNames(plan, {})).toEqual(['7#d[null]']);
  });
});

describe('WHERE of parameter queries over a table (8.2)', () => {
  const data = 'SELECT * FROM t WHERE x = bucket.p';
  const rows = {
    m: [
      { p: 'a', u: 'u1', list: '["u1","u2"]', n: 1n },
      { p: 'b', u: 'u2', list: '[]', n: 2n },
      { p: 'c', u: null, list: null, n: null },
    ],
  };
  const claims = { sub: 'u1', list: ['u2', 'u9', 'u2'], text: 'x', one: 1, truth: '0.5' };

  it.each([
    ['1 = 1', ['a', 'b', 'c']],
    ['0', []],
    ['n > 1', ['b']],
    ["n IS NULL OR u = 'u1'", ['a', 'c']],
    ['u = request.user_id()', ['a']],
    ['request.user_id() = u', ['a']],
    ['upper(u) = upper(request.user_id()) AND n < 5', ['a']],
    ['request.user_id() IN list', ['a']],
    ["u IN request.jwt() ->> 'list'", ['b']],
    ["u IN request.jwt() ->> 'missing'", []],
    ['u = token_parameters.missing', []],
    ["request.jwt() ->> 'one'", ['a', 'b', 'c']],
    ["request.jwt() ->> 'truth'", []],
    ["request.jwt() ->> 'missing' AND n", []],
    ["request.jwt() ->> 'one' = 1 AND n = 2", ['b']],
    ["u = request.user_id() AND n = request.jwt() ->> 'one'", ['a']],
    ['u = request.user_id() AND n = 2 OR u = request.user_id() AND n = 1', ['a']],
    ['NOT n AND u = request.user_id()', []],
  ])('%s finds %j', async (where, expected) => {
    const plan = planOf(definition(data, `SELECT p FROM m WHERE ${where}`));
    const names = await bucketNames(plan, { claims, rows });
    expect(names).toEqual(expected.map((value) => `7#d["${value}"]`));
  });

  it.each([
    ['u > request.user_id()', 'MIXED_EXPR'],
    ['u != request.user_id()', 'MIXED_EXPR'],
    ['u || request.user_id()', 'MIXED_EXPR'],
    ['lower(u) = u || request.user_id()', 'MIXED_EXPR'],
    ['NOT (u = request.user_id())', 'NEGATED_MATCH'],
    ['u = request.user_id() OR n', 'OR_PARAM_SETS'],
    ["u = request.user_id() OR request.jwt() ->> 'admin'", 'OR_PARAM_SETS'],
    ['request.user_id() IN list AND request.user_id() || 1 IN list', 'MULTIPLE_EXPANSIONS'],
    ["u IN request.jwt() ->> 'a' AND p IN request.jwt() ->> 'b'", 'MULTIPLE_EXPANSIONS'],
    ['u = bucket.p', 'UNKNOWN_TABLE'],
  ])('%s has %s', (where, code) => {
    const found = problems(definition(data, `SELECT p FROM m WHERE ${where}`));
    expect(found.map((problem) => problem.split(':')[0])).toEqual([code]);
  });

  it('is unrestricted in static queries', async () => {
    const where = "NOT (request.user_id() > request.jwt() ->> 'text') AND (1 OR request.jwt())";
    const plan = planOf(definition(data, `SELECT request.user_id() AS p WHERE ${where}`));
    expect(await bucketNames(plan, { claims })).toEqual(['7#d["u1"]']);
  });

  it('fails the request where the row would need an array and gets none (10.8)', async () => {
    const plan = planOf(definition(data, "SELECT p FROM m WHERE u IN request.jwt() ->> 'text'"));
    await expect(resolve(plan, { claims })).rejects.toMatchObject({ code: 'SYNC_PARAMETER_ERROR' });
  });
});

describe('bucket parameters in data queries (8.3, 8.4)', () => {
  const two = 'SELECT request.user_id() AS p, token_parameters.o AS q';

  it.each([
    ['a = bucket.p AND bucket.q = b', []],
    ['bucket.p IN a AND b = bucket.q', []],
    ['lower(a) = bucket.p AND b = bucket.q AND NOT c', []],
    ['a = bucket.p', ['PARAMS_NOT_COVERED']],
    ['a = bucket.p AND b = bucket.q AND c = bucket.r', ['PARAMS_NOT_COVERED']],
    ['a = bucket.p AND b != bucket.q', ['BUCKET_PARAM_IN_EXPR', 'PARAMS_NOT_COVERED']],
    ['a = bucket.p AND b < bucket.q', ['BUCKET_PARAM_IN_EXPR']],
    ['a = bucket.p AND b = bucket.q || 1', ['BUCKET_PARAM_IN_EXPR']],
    ['a = bucket.p AND upper(bucket.q) = b', ['BUCKET_PARAM_IN_EXPR']],
    ['a = bucket.p AND bucket.q', ['BUCKET_PARAM_IN_EXPR']],
    ['a = bucket.p AND bucket.q IS NULL', ['BUCKET_PARAM_IN_EXPR']],
    ['a = bucket.p AND bucket.p = bucket.q', ['BUCKET_PARAM_IN_EXPR']],
    ['a = bucket.p AND b IN bucket.q', ['BUCKET_PARAM_IN_RHS']],
    ['bucket.p IN a AND bucket.q IN b', ['MULTIPLE_EXPANSIONS']],
    ['a = bucket.p AND b = bucket.q OR c', ['OR_PARAM_SETS']],
    ['a = bucket.p AND (b = bucket.q OR c = bucket.p)', ['OR_PARAM_SETS']],
    ['a = bucket.p AND NOT (b = bucket.q)', ['NEGATED_MATCH']],
    ['(a = bucket.p) = 1 AND b = bucket.q', ['BUCKET_PARAM_IN_EXPR']],
  ])('%s has %j', (where, codes) => {
    const found = problems(definition(`SELECT * FROM t WHERE ${where}`, two));
    expect(codes).toEqual(expect.arrayContaining(found.map((problem) => problem.split(':')[0])));
    expect(found.length > 0).toBe(codes.length > 0);
  });

  it('store a row once that gives the same bucket twice', () => {
    const where = '(a = bucket.p OR b = bucket.p)';
    const plan = planOf(
      definition(`SELECT * FROM t WHERE ${where}`, 'SELECT request.user_id() AS p'),
    );
    expect(bucketsOf(plan, 't', { id: 'x', a: 'v', b: 'v' })).toEqual(['7#d["v"]']);
  });

  it('let only the first of two conditions on one parameter decide', () => {
    const plan = planOf(
      definition(
        'SELECT * FROM t WHERE a = bucket.p AND b = bucket.p',
        'SELECT request.user_id() AS p',
      ),
    );
    expect(bucketsOf(plan, 't', { id: 'x', a: 'v', b: 'w' })).toEqual(['7#d["v"]']);
  });

  it.each([
    ['SELECT id FROM t', 't'],
    ['SELECT id FROM t AS u', 'u'],
    ['SELECT id FROM t AS "U"', 'U'],
    ['SELECT x.id FROM public.t x', 'x'],
  ])('%s syncs the client table %s', (query, objectType) => {
    const [output] = evaluate(planOf(definition(query)), 't', { id: 'x' }).outputs;
    expect(output?.objectType).toBe(objectType);
  });
});

describe('the client-parameter warning (8.5)', () => {
  const data = 'SELECT * FROM t WHERE x = bucket.p';

  it.each([
    ['SELECT user_parameters.x AS p', true],
    ["SELECT request.parameter('x') AS p", true],
    ["SELECT request.parameters() ->> 'x' AS p", true],
    ["SELECT user_parameters.x AS p WHERE request.jwt() ->> 'admin'", true],
    ["SELECT 'all' AS p WHERE user_parameters.x", true],
    ['SELECT request.user_id() AS p WHERE user_parameters.x', false],
    ['SELECT request.user_id() AS p', false],
    ["SELECT 'all' AS p", false],
    ["SELECT value AS p FROM json_each(request.parameters() ->> 'x')", true],
    ["SELECT value AS p FROM json_each(request.jwt() ->> 'x')", false],
    [
      "SELECT value AS p FROM json_each(request.jwt() ->> 'x') WHERE value = user_parameters.x",
      false,
    ],
    ['SELECT p FROM m WHERE u = user_parameters.x', true],
    ['SELECT p FROM m WHERE u = user_parameters.x AND o = request.user_id()', false],
    ["SELECT p FROM m WHERE u = user_parameters.x AND request.jwt() ->> 'admin'", true],
    ['SELECT user_parameters.x AS p FROM m WHERE u = request.user_id()', false],
    ['SELECT p FROM m WHERE u = request.user_id()', false],
    ["SELECT p FROM m WHERE a = 'x'", false],
  ])('%s: %s', (parameters, isFlagged) => {
    const found = problems(definition(data, parameters));
    expect(found).toEqual(isFlagged ? [`DANGEROUS: ${parameters}`] : []);
  });
});
