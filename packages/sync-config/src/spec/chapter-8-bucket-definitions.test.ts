import { describe, expect, it } from 'vitest';
import {
  bucketNames,
  bucketsOf,
  definition,
  evaluate,
  planOf,
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
