import { describe, expect, it } from 'vitest';
import {
  bucketNames,
  bucketsOf,
  evaluate,
  planOf,
  prefixesOf,
  resolve,
  stream,
  visibleRows,
} from '../testing/check.ts';

// spec/sync-config.md 10.5 to 10.8: placement of rows, resolution of requests, subscriptions.

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
