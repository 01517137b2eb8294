import type { TableSchema } from '@sluice/model';
import { matchesPattern } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import {
  bucketNames,
  bucketsOf,
  definition,
  evaluate,
  planOf,
  prefixesOf,
  problems,
  queryIn,
  resolve,
  stream,
  valueOf,
  type Language,
} from '../testing/check.ts';

// spec/sync-config.md 11 to 14.

describe('parameter normalisation (11.1) and bucket names (11.2)', () => {
  const plan = planOf(stream("SELECT * FROM t WHERE v = auth.parameter('v')"));
  const yaml = definition(
    'SELECT * FROM t WHERE v = bucket.p',
    "SELECT request.jwt() ->> 'v' AS p",
  );

  it.each([
    [7n, 7, '7'],
    [7, 7, '7'],
    [7.5, 7.5, '7.5'],
    ['7', '7', '"7"'],
    ['a"b\\\n', 'a"b\\\n', '"a\\"b\\\\\\n"'],
    ['é[],', 'é[],', '"é[],"'],
    [1n, true, '1'],
    [0n, false, '0'],
    [-0, 0, '0'],
    [1e21, 1e21, '1e+21'],
  ])('the row value %s and the claim %s meet in [%s]', async (row, claim, text) => {
    expect(bucketsOf(plan, 't', { id: 'x', v: row })).toEqual([`7#s|0[${text}]`]);
    expect(await bucketNames(plan, { claims: { sub: 'u', v: claim } })).toEqual([`7#s|0[${text}]`]);
    expect(bucketsOf(planOf(yaml), 't', { id: 'x', v: row })).toEqual([`7#d[${text}]`]);
    expect(await bucketNames(planOf(yaml), { claims: { sub: 'u', v: claim } })).toEqual([
      `7#d[${text}]`,
    ]);
  });

  it('keeps integers exact to 64 bits', () => {
    expect(bucketsOf(plan, 't', { id: 'x', v: 9007199254740993n })).toEqual([
      '7#s|0[9007199254740993]',
    ]);
    expect(bucketsOf(plan, 't', { id: 'x', v: 9223372036854775807n })).toEqual([
      '7#s|0[9223372036854775807]',
    ]);
  });

  it.each([null, new Uint8Array([1]), NaN])('leaves out a row with the key %s', (v) => {
    expect(bucketsOf(plan, 't', { id: 'x', v })).toEqual([]);
    expect(bucketsOf(planOf(yaml), 't', { id: 'x', v })).toEqual([]);
  });

  it('has no values in the bucket of a definition without parameters', () => {
    expect(bucketsOf(planOf(definition('SELECT * FROM t')), 't', { id: 'x' })).toEqual(['7#d[]']);
    expect(bucketsOf(planOf(stream('SELECT * FROM t')), 't', { id: 'x' })).toEqual(['7#s|0[]']);
  });

  it('orders the values of a bucket definition as its first parameter query does', () => {
    const two = definition(
      'SELECT * FROM t WHERE b = bucket.q AND a = bucket.p',
      'SELECT request.user_id() AS p, token_parameters.q AS q',
    );
    expect(bucketsOf(planOf(two), 't', { id: 'x', a: 1n, b: 'B' })).toEqual(['7#d[1,"B"]']);
  });
});

describe('lookups (11.3)', () => {
  const lookupsOf = (yaml: string, row: object) =>
    evaluate(planOf(yaml), 'm', { ...row }).lookups.map(({ key, values }) => `${key} -> ${values}`);
  const byParameter = (sql: string) => definition('SELECT * FROM t WHERE x = bucket.p', sql);

  it.each([
    ['SELECT p FROM m WHERE u = request.user_id()', { p: 1n, u: 'a' }, ['7#d/1["a"] -> [1]']],
    ['SELECT p FROM m WHERE u = request.user_id()', { p: null, u: 'a' }, ['7#d/1["a"] -> [null]']],
    ['SELECT p FROM m WHERE u = request.user_id()', { p: 1n, u: null }, []],
    ['SELECT p FROM m WHERE u = request.user_id() AND p > 1', { p: 1n, u: 'a' }, []],
    ['SELECT p FROM m WHERE request.user_id() IN u', { p: 1n, u: '["a","b","a",null]' }, ['7#d/1["a"] -> [1]', '7#d/1["b"] -> [1]', '7#d/1["null"] -> [1]']],
    ["SELECT p FROM m WHERE u = request.user_id() AND request.jwt() ->> 'admin'", { p: 1n, u: 'a' }, ['7#d/1["a",1] -> [1]']],
    ['SELECT p FROM m', { p: 'x' }, ['7#d/1[] -> ["x"]']],
  ])('%s', (sql, row, expected) => {
    expect(lookupsOf(byParameter(sql), row)).toEqual(expected);
  }); // prettier-ignore

  it('number the parameter queries of a definition from 1', () => {
    const yaml = `bucket_definitions:
  d:
    parameters: [SELECT request.user_id() AS p, SELECT p FROM m WHERE u = request.user_id()]
    data: []
`;
    expect(lookupsOf(yaml, { p: 1n, u: 'a' })).toEqual(['7#d/2["a"] -> [1]']);
  });

  it('of a stream are shared where they are the same, and drop NULL', () => {
    const yaml = `config: { edition: 3 }
with: { mine: SELECT l FROM m WHERE u = auth.user_id() }
streams:
  s: { queries: [SELECT * FROM t WHERE a IN mine, SELECT * FROM v WHERE b IN mine] }
`;
    expect(lookupsOf(yaml, { u: 'a', l: 'x' })).toEqual(['7#s|lookup 0["a"] -> ["x"]']);
    expect(lookupsOf(yaml, { u: 'a', l: null })).toEqual([]);
    expect(lookupsOf(yaml, { u: 'a', l: new Uint8Array([1]) })).toEqual([]);
  });

  it('contribute nothing for a row that cannot be evaluated (10.8)', () => {
    const plan = planOf(
      stream("SELECT * FROM t WHERE a IN (SELECT l FROM m WHERE j ->> 'u' = auth.user_id())"),
    );
    const { lookups, errors } = evaluate(plan, 'm', { l: 'x', j: '{' });
    expect(lookups).toEqual([]);
    expect(errors).toEqual([{ definition: 's', message: 'A text that should be JSON is not' }]);
  });

  it('give nothing, and are not asked, for an empty set of keys', async () => {
    const plan = planOf(
      stream('SELECT * FROM t WHERE a IN (SELECT l FROM m WHERE u = auth.user_id())'),
    );
    const request = { claims: {}, parameters: {}, includeDefaults: true, subscriptions: [] };
    const resolved = await plan.resolver(request, prefixesOf(plan)).resolve(() => {
      throw new Error('no lookup is needed');
    }, 10);
    expect(resolved.buckets).toEqual([]);
  });
});

describe('limits (12)', () => {
  const plan = planOf(
    stream("SELECT * FROM t WHERE a IN auth.parameter('a') AND b IN auth.parameter('b')"),
  );
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

  it('counts results of all parameter queries, and names the definitions', async () => {
    const claims = { sub: 'u', a: numbers(3), b: numbers(2) };
    // 3 and 2 elements, then 6 pairs.
    await expect(resolve(plan, { claims, maxResults: 10 })).rejects.toMatchObject({
      code: 'SYNC_TOO_MANY_PARAMETER_RESULTS',
      message: expect.stringContaining('s: 11') as string,
    });
    expect((await resolve(plan, { claims, maxResults: 11 })).buckets).toHaveLength(6);
  });

  it('bounds the keys of one lookup call', async () => {
    const lookingUp = planOf(
      stream("SELECT * FROM t WHERE a IN (SELECT l FROM m WHERE u IN auth.parameter('a'))"),
    );
    const request = { claims: { sub: 'u', a: numbers(5) }, rows: { m: [] } };
    expect((await resolve(lookingUp, { ...request, maxResults: 5 })).lookupKeys.size).toBe(5);
    await expect(resolve(lookingUp, { ...request, maxResults: 4 })).rejects.toMatchObject({
      code: 'SYNC_TOO_MANY_PARAMETER_RESULTS',
    });
  });
});

describe('identity (13.1)', () => {
  it.each([
    [42n, '42', '42'],
    [42, '42', '42.0'],
    [0.5, '0.5', '0.5'],
    ['a', 'a', '"a"'],
    ['', '', '""'],
    [null, '', 'null'],
  ])('the id %s is %j, and %s in the data', (id, objectId, json) => {
    for (const language of ['definitions', 'alpha', 'compiled'] as Language[]) {
      const [output] = evaluate(planOf(queryIn(language, 'SELECT * FROM t')), 't', { id }).outputs;
      expect(output?.objectId).toBe(objectId);
      expect(output?.data).toBe(`{"id":${json}}`);
    }
  });

  it('is empty for a BLOB, and for a row without id', () => {
    const plan = planOf(stream('SELECT * FROM t'));
    expect(evaluate(plan, 't', { id: new Uint8Array([1]) }).outputs[0]?.objectId).toBe('');
    expect(evaluate(plan, 't', { a: 1n }).outputs[0]?.objectId).toBe('');
  });

  it('may be composed', () => {
    const plan = planOf(stream("SELECT a || '.' || b AS id FROM t"));
    expect(evaluate(plan, 't', { a: 1n, b: 2 }).outputs[0]?.objectId).toBe('1.2');
  });
});

describe('data (13.2)', () => {
  it.each([
    [null, 'null'],
    [5n, '5'],
    [9223372036854775807n, '9223372036854775807'],
    [5, '5.0'],
    [0.1, '0.1'],
    [1e20, '100000000000000000000.0'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
    [Infinity, 'null'],
    [NaN, 'null'],
    ['a"\n\u2028', '"a\\"\\n\u2028"'],
    ['{"a": 1}', '"{\\"a\\": 1}"'],
    [new Uint8Array([1]), 'nothing'],
  ])('%s is %s', (value, expected) => {
    expect(valueOf(stream('SELECT * FROM t'), { id: 'x', r: value })).toBe(expected);
  });
});

describe('source identifiers (14)', () => {
  const matches = (from: string, schema: string, name: string) => {
    const [pattern] = planOf(stream(`SELECT id FROM ${from}`)).tables;
    return pattern !== undefined && matchesPattern(pattern, { schema, name });
  };

  it.each([
    ['Users', 'public', 'users', true],
    ['Users', 'public', 'Users', false],
    ['"Users"', 'public', 'Users', true],
    ['users', 'other', 'users', false],
    ['other.users', 'other', 'users', true],
    ['"Other"."Users"', 'Other', 'Users', true],
    ['"default.other"."users"', 'other', 'users', true],
    ['"log_%"', 'public', 'log_1', true],
    ['"log_%"', 'public', 'log_', true],
    ['"log_%"', 'public', 'logs1', false],
    ['"log_%"', 'other', 'log_1', false],
    ['"%"', 'public', 'anything', true],
    ['"%g"', 'public', 'log', false],
    ['"%g"', 'public', '%g', true],
    ['"app_%"."t"', 'app_1', 't', true],
    ['"app_%"."t"', 'public', 't', false],
    ['"%"."t"', 'pg_catalog', 't', false],
    ['"%"."t"', 'information_schema', 't', false],
    ['"%"."%"', 'app', 'x', true],
    ['pg_catalog.t', 'pg_catalog', 't', true],
  ])('%s and %s.%s: %s', (from, schema, name, expected) => {
    expect(matches(from, schema, name)).toBe(expected);
  });

  it('refuses connections that do not exist', () => {
    expect(problems(stream('SELECT id FROM "main.public"."t"'))).toEqual([
      'UNKNOWN_TABLE: "main.public"',
    ]);
  });

  it.each([
    ['"log_%"', 'log_7'],
    ['"log_%" AS logs', 'logs'],
    ['"log_%" "Logs"', 'Logs'],
  ])('%s becomes the client table %s', (from, objectType) => {
    for (const language of ['definitions', 'alpha', 'compiled'] as Language[]) {
      const plan = planOf(queryIn(language, `SELECT id FROM ${from}`));
      expect(evaluate(plan, 'log_7', { id: 'x' }).outputs[0]?.objectType).toBe(objectType);
    }
  });

  it('names columns as written after folding, and * as the source does', () => {
    const row = { id: 'x', displayname: 1n, displayName: 2n };
    const dataOf = (columns: string) =>
      evaluate(planOf(stream(`SELECT ${columns} FROM t`)), 't', row).outputs[0]?.data;
    expect(dataOf('displayName')).toBe('{"displayname":1}');
    expect(dataOf('"displayName"')).toBe('{"displayName":2}');
    expect(dataOf('displayName AS Name')).toBe('{"name":1}');
    expect(dataOf('displayName AS "Name"')).toBe('{"Name":1}');
    expect(dataOf('*')).toBe('{"id":"x","displayname":1,"displayName":2}');
  });

  it('picks up tables that appear later', () => {
    const plan = planOf(stream('SELECT * FROM "log_%"'));
    const table: TableSchema = { schema: 'public', name: 'log_new', columns: [] };
    expect(plan.rowEvaluator(table, prefixesOf(plan))).toBeDefined();
    expect(plan.rowEvaluator({ ...table, name: 'other' }, prefixesOf(plan))).toBeUndefined();
  });
});
