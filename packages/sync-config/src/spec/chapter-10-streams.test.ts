import { describe, expect, it } from 'vitest';
import {
  bucketNames,
  bucketsOf,
  evaluate,
  planOf,
  prefixesOf,
  problems,
  resolve,
  stream,
  visibleRows,
} from '../testing/check.ts';

// spec/sync-config.md 10.

describe('bucket names (spec/protocol.md 11.12)', () => {
  it.each([
    ['L1', 3n, '7#todos|0["L1",3]'],
    ['L1', 3, '7#todos|0["L1",3]'],
    ['L1', 3.5, '7#todos|0["L1",3.5]'],
    ['a"b', 1n, '7#todos|0["a\\"b",1]'],
    ['L1', 9007199254740993n, '7#todos|0["L1",9007199254740993]'],
  ])('of %j and %s is %s', (list, level, name) => {
    const plan = planOf(`config: { edition: 3 }
streams:
  todos:
    query: SELECT * FROM t WHERE list = auth.parameter('a_list') AND level = auth.parameter('level')
`);
    expect(bucketsOf(plan, 't', { id: 'x', list, level })).toEqual([name]);
  });

  it('are plain for a stream without parameters', () => {
    expect(bucketsOf(planOf(stream('SELECT * FROM t')), 't', { id: 'x' })).toEqual(['7#s|0[]']);
  });
});

describe('placement', () => {
  it.each([null, new Uint8Array([1])])('leaves out a row whose key is %s', (owner) => {
    const plan = planOf(stream('SELECT * FROM t WHERE owner = auth.user_id()'));
    expect(bucketsOf(plan, 't', { id: 'x', owner })).toEqual([]);
  });

  it('puts a row into the bucket of each distinct element', () => {
    const plan = planOf(stream('SELECT * FROM t WHERE auth.user_id() IN readers'));
    const row = { id: 'x', readers: '["a","b","a"]' };
    expect(bucketsOf(plan, 't', row)).toEqual(['7#s|0["a"]', '7#s|0["b"]']);
    expect(bucketsOf(plan, 't', { ...row, readers: null })).toEqual([]);
  });

  it('skips the query, and only it, for a row that cannot be evaluated', () => {
    const plan = planOf(`config: { edition: 3 }
streams:
  good: { query: SELECT id FROM t }
  bad: { query: "SELECT id FROM t WHERE auth.user_id() IN readers" }
`);
    const { outputs, errors } = evaluate(plan, 't', { id: 'x', readers: 'no json' });
    expect(outputs.map(({ buckets }) => buckets)).toEqual([['7#good|0[]']]);
    expect(errors).toEqual([{ definition: 'bad', message: 'A text that should be JSON is not' }]);
  });

  it('leaves a row out of the whole query when one side of its OR fails', () => {
    const plan = planOf(
      stream("SELECT * FROM t WHERE owner = auth.user_id() OR j ->> 'owner' = auth.user_id()"),
    );
    expect(bucketsOf(plan, 't', { id: 'x', owner: 'u1', j: '{}' })).toEqual(['7#s|0["u1"]']);
    expect(bucketsOf(plan, 't', { id: 'x', owner: 'u1', j: '{' })).toEqual([]);
  });

  it('writes a row once for streams with the same output', () => {
    const plan = planOf(`config: { edition: 3 }
streams:
  a: { query: SELECT * FROM t }
  b: { query: SELECT * FROM t WHERE owner = auth.user_id() }
  c: { query: SELECT id FROM t }
`);
    const { outputs } = evaluate(plan, 't', { id: 'x', owner: 'u1' });
    expect(outputs.map(({ data, buckets }) => [data, buckets])).toEqual([
      ['{"id":"x","owner":"u1"}', ['7#a|0[]', '7#b|0["u1"]']],
      ['{"id":"x"}', ['7#c|0[]']],
    ]);
  });

  it('lets the later query stand where two write the same client row into one bucket', () => {
    const plan = planOf(`config: { edition: 3 }
streams:
  a: { queries: [SELECT * FROM t, SELECT id FROM t] }
`);
    const { outputs } = evaluate(plan, 't', { id: 'x', owner: 'u1' });
    expect(outputs.map(({ data, buckets }) => [data, buckets])).toEqual([
      ['{"id":"x"}', ['7#a|0[]']],
    ]);
  });

  it.each([
    ['*', '{"id":"x","_p":1,"nick":null,"label":"L"}'],
    ['*, nick AS label', '{"id":"x","_p":1,"nick":null,"label":null}'],
    ['nick AS label, *', '{"label":"L","id":"x","_p":1,"nick":null}'],
  ])('SELECT %s gives %s', (columns, data) => {
    const plan = planOf(stream(`SELECT ${columns} FROM t`));
    const row = { id: 'x', _p: 1n, nick: null, label: 'L' };
    expect(evaluate(plan, 't', row).outputs[0]?.data).toBe(data);
  });

  it('reads tables behind a wildcard, with their suffix', () => {
    const plan = planOf(stream('SELECT id, l.table_suffix() AS month FROM "log_%" l'));
    expect(plan.tables).toEqual([
      { schema: 'public', schemaIsPrefix: false, name: 'log_', nameIsPrefix: true },
    ]);
    const [output] = evaluate(plan, 'log_2026', { id: 'x' }).outputs;
    expect(output).toMatchObject({ objectType: 'l', data: '{"id":"x","month":"2026"}' });
    const [unaliased] = evaluate(planOf(stream('SELECT * FROM "log_%"')), 'log_1', {
      id: 'x',
    }).outputs;
    expect(unaliased?.objectType).toBe('log_1');
  });
});

describe('resolving', () => {
  const rows = {
    lists: [
      { id: 'l1', owner: 'u1', org: 'a' },
      { id: 'l2', owner: 'u2', org: 'a' },
      { id: 'l3', owner: 'u1', org: 'b' },
      { id: 'l4', owner: null, org: 'b' },
    ],
    members: [
      { user_id: 'u1', org: 'a', role: 'admin' },
      { user_id: 'u1', org: 'b', role: 'guest' },
      { user_id: 'u2', org: 'a', role: 'guest' },
    ],
    items: ['l1', 'l2', 'l3', 'l4'].map((list_id, i) => ({ id: `i${i + 1}`, list_id, state: i })),
    flags: [{ name: 'on', value: 1n }],
  };

  it.each([
    ['SELECT * FROM lists WHERE owner = auth.user_id()', ['lists/l1', 'lists/l3']],
    ["SELECT * FROM lists WHERE owner = auth.user_id() AND org = 'a'", ['lists/l1']],
    ["SELECT * FROM lists WHERE id IN auth.parameter('ids')", ['lists/l2', 'lists/l4']],
    ["SELECT * FROM lists WHERE id IN auth.parameter('none')", []],
    [
      "SELECT * FROM lists WHERE auth.parameter('role') = 'admin'",
      ['lists/l1', 'lists/l2', 'lists/l3', 'lists/l4'],
    ],
    ["SELECT * FROM lists WHERE auth.parameter('role') = 'guest'", []],
    [
      "SELECT * FROM lists WHERE owner = auth.user_id() OR org = 'a'",
      ['lists/l1', 'lists/l2', 'lists/l3'],
    ],
    [
      'SELECT * FROM items WHERE list_id IN (SELECT id FROM lists WHERE owner = auth.user_id())',
      ['items/i1', 'items/i3'],
    ],
    [
      `SELECT * FROM items WHERE list_id IN (SELECT id FROM lists WHERE org IN
        (SELECT org FROM members WHERE user_id = auth.user_id() AND role = 'admin'))`,
      ['items/i1', 'items/i2'],
    ],
    [
      `SELECT items.* FROM items JOIN lists ON lists.id = items.list_id
        JOIN members m ON m.org = lists.org WHERE m.user_id = auth.user_id() AND m.role = 'guest'`,
      ['items/i3', 'items/i4'],
    ],
    [
      'SELECT i.* FROM items "i", (SELECT id AS x, owner FROM lists) AS l WHERE i.list_id = l.x AND l.owner = auth.user_id()',
      ['i/i1', 'i/i3'],
    ],
    [`SELECT * FROM lists WHERE owner = auth.user_id() AND id IN auth.parameter('ids')`, []],
    [
      `SELECT * FROM lists WHERE id IN (SELECT id FROM lists WHERE owner = auth.user_id())
        AND id IN (SELECT list_id FROM items WHERE state = 0)`,
      ['lists/l1'],
    ],
    [
      "SELECT * FROM flags WHERE 'admin' IN (SELECT role FROM members WHERE user_id = auth.user_id())",
      ['flags/'],
    ],
    [
      "SELECT * FROM flags WHERE auth.user_id() IN (SELECT user_id FROM members WHERE role = 'none')",
      [],
    ],
    [
      "SELECT lists.* FROM lists, flags WHERE flags.name = 'on'",
      ['lists/l1', 'lists/l2', 'lists/l3', 'lists/l4'],
    ],
    ["SELECT lists.* FROM lists, flags WHERE flags.name = 'off'", []],
    ['SELECT lists.* FROM lists, flags', ['lists/l1', 'lists/l2', 'lists/l3', 'lists/l4']],
    ['SELECT * FROM lists WHERE id IN \'["l1","l9"]\'', ['lists/l1']],
    [
      "SELECT * FROM lists WHERE owner = auth.user_id() AND NOT (org = 'a' OR id = 'l9')",
      ['lists/l3'],
    ],
  ])('%s', async (query, expected) => {
    const plan = planOf(stream(query));
    const claims = { sub: 'u1', role: 'admin', ids: ['l2', 'l4'] };
    expect(await visibleRows(plan, { claims, rows })).toEqual(expected);
  });

  it('intersects values that constrain one key into one parameter', async () => {
    const plan = planOf(
      stream("SELECT * FROM t WHERE id IN auth.parameter('a') AND id IN auth.parameter('b')"),
    );
    const claims = { sub: 'u', a: [1, 2, 3], b: [3, 2.0, 5] };
    expect(await bucketNames(plan, { claims })).toEqual(['7#s|0[2]', '7#s|0[3]']);
  });

  it('combines values of unrelated origin as a cross product', async () => {
    const plan = planOf(
      stream("SELECT * FROM t WHERE x IN auth.parameter('a') AND y IN auth.parameter('b')"),
    );
    const claims = { sub: 'u', a: [1, 2], b: ['p', 'q'] };
    expect(await bucketNames(plan, { claims })).toHaveLength(4);
  });

  it('matches elements of two arrays with &&', async () => {
    const plan = planOf(stream("SELECT * FROM t WHERE tags && auth.parameter('tags')"));
    const t = [
      { id: '1', tags: '["a","b"]' },
      { id: '2', tags: '["c"]' },
    ];
    const request = { claims: { sub: 'u', tags: ['b', 'x'] }, rows: { t } };
    expect(await visibleRows(plan, request)).toEqual(['t/1']);
  });

  it('says which streams are static', () => {
    const request = { claims: {}, parameters: {}, includeDefaults: true, subscriptions: [] };
    const isDynamic = (query: string) => {
      const plan = planOf(stream(query));
      return plan.resolver(request, prefixesOf(plan)).isDynamic;
    };
    expect(isDynamic('SELECT * FROM t WHERE a = auth.user_id()')).toBe(false);
    expect(isDynamic('SELECT * FROM t WHERE a IN (SELECT b FROM u)')).toBe(true);
  });

  it('asks for the keys of all streams in one call per stage', async () => {
    const plan = planOf(`config: { edition: 3 }
streams:
  a: { auto_subscribe: true, query: SELECT * FROM t WHERE x IN (SELECT b FROM u WHERE c = auth.user_id()) }
  b: { auto_subscribe: true, query: SELECT * FROM t WHERE y IN (SELECT b FROM v WHERE c = auth.user_id()) }
`);
    const calls: (readonly string[])[] = [];
    const request = {
      claims: { sub: 'u1' },
      parameters: {},
      includeDefaults: true,
      subscriptions: [],
    };
    const { lookupKeys } = await plan.resolver(request, prefixesOf(plan)).resolve((keys) => {
      calls.push(keys);
      return Promise.resolve(new Map());
    }, 10);
    expect(calls).toEqual([['7#a|lookup 0["u1"]', '7#b|lookup 0["u1"]']]);
    expect([...lookupKeys]).toEqual(calls[0]);
  });

  it('confines a failing stream to itself', async () => {
    const plan = planOf(`config: { edition: 3 }
streams:
  bad: { auto_subscribe: true, query: "SELECT * FROM t WHERE x IN auth.parameter('plain')" }
  good: { auto_subscribe: true, query: SELECT * FROM t }
`);
    const resolved = await resolve(plan, { claims: { sub: 'u', plain: 'text' } });
    expect(resolved.buckets.map(({ name }) => name)).toEqual(['7#good|0[]']);
    expect(resolved.streams).toEqual([
      {
        name: 'bad',
        isDefault: true,
        errors: [{ subscription: 'default', message: 'A text that should be JSON is not' }],
      },
      { name: 'good', isDefault: true, errors: [] },
    ]);
  });

  it('refuses more results than allowed and names the definitions', async () => {
    const plan = planOf(stream("SELECT * FROM t WHERE x IN auth.parameter('a')"));
    const claims = { sub: 'u', a: [1, 2, 3, 4] };
    await expect(resolve(plan, { claims, maxResults: 3 })).rejects.toMatchObject({
      code: 'SYNC_TOO_MANY_PARAMETER_RESULTS',
      details: { byDefinition: { s: 4 } },
    });
    expect((await resolve(plan, { claims, maxResults: 4 })).buckets).toHaveLength(4);
  });
});

describe('subscriptions (spec/protocol.md 6.1)', () => {
  const plan = planOf(`config: { edition: 3 }
streams:
  todos:
    auto_subscribe: true
    priority: 2
    accept_potentially_dangerous_queries: true
    query: SELECT * FROM todos WHERE list = subscription.parameter('list')
  all:
    auto_subscribe: true
    query: SELECT * FROM lists
  other:
    query: SELECT * FROM other
`);
  const subscribe = (list: string, overridePriority: number | null = null) => ({
    stream: 'todos',
    parameters: { list },
    overridePriority,
  });

  it('evaluates each subscription apart, and defaults besides', async () => {
    const unknown = { stream: 'nowhere', parameters: null, overridePriority: null };
    const { buckets, streams } = await resolve(plan, {
      subscriptions: [subscribe('a'), unknown, subscribe('b', 0)],
    });
    expect(buckets).toEqual([
      { name: '7#todos|0["a"]', definition: 'todos', priority: 2, subscriptions: [{ sub: 0 }] },
      { name: '7#todos|0["b"]', definition: 'todos', priority: 0, subscriptions: [{ sub: 2 }] },
      { name: '7#all|0[]', definition: 'all', priority: 3, subscriptions: [{ default: 1 }] },
    ]);
    expect(streams.map(({ name }) => name)).toEqual(['todos', 'all']);
  });

  it('leaves defaults out on request, unless subscribed to', async () => {
    const { buckets, streams } = await resolve(plan, {
      includeDefaults: false,
      subscriptions: [subscribe('a')],
    });
    expect(buckets.map(({ name }) => name)).toEqual(['7#todos|0["a"]']);
    expect(streams).toEqual([{ name: 'todos', isDefault: true, errors: [] }]);
  });

  it('merges subscriptions that give the same bucket', async () => {
    const all = { stream: 'all', parameters: null, overridePriority: null };
    const { buckets } = await resolve(plan, {
      subscriptions: [subscribe('a', 3), subscribe('a', 1), all],
    });
    expect(buckets.map(({ priority, subscriptions }) => [priority, subscriptions])).toEqual([
      [1, [{ sub: 0 }, { sub: 1 }]],
      [3, [{ default: 1 }, { sub: 2 }]],
    ]);
  });
});

describe('the hash of a plan', () => {
  const base = 'config: { edition: 3 }\nstreams:\n  s: { query: SELECT * FROM t WHERE a = 1 }\n';

  it('does not see comments, layout and spelling', () => {
    const same = `# comment
config:
  edition: 3
streams:
  s:
    query: |
      select *   -- all
        from "t" where a=1;
`;
    expect(planOf(same).hash).toBe(planOf(base).hash);
  });

  it.each([
    base.replace('a = 1', 'a = 2'),
    base.replace('a = 1', 'a = 1.0'),
    base.replace('FROM t', 'FROM u'),
    base.replace('edition: 3', 'edition: 3, fixed_json_extract: false'),
    base.replace('  s:', '  r:'),
  ])('sees every change of meaning: %j', (changed) => {
    expect(planOf(changed).hash).not.toBe(planOf(base).hash);
  });
});

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
