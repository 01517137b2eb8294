import type { JsonObject } from '@sluice/base';
import { describe, expect, it } from 'vitest';
import { bucketNames, codesIn, definition, planOf, problems, queryIn } from '../testing/check.ts';

// spec/sync-config.md 7.

const CLAIMS: JsonObject = {
  sub: 'u1',
  text: 'T',
  integer: 7,
  real: 7.5,
  yes: true,
  no: false,
  nothing: null,
  object: { a: 1, b: [2] },
  list: ['x', 1],
  'a.b': 'dotted',
  a: { b: 'walked' },
  parameters: { x: 'from parameters', user_id: 'forged', nothing: null },
};
const PARAMETERS: JsonObject = { p: 'P', 'a.b': 'dotted', a: { b: 'walked' }, q: 'c' };

/** The value of a request expression, as it stands in the bucket's name; `none` without a bucket. */
async function inDefinition(expression: string, edition: 1 | 2 = 1): Promise<string> {
  const yaml = definition(
    'SELECT * FROM t WHERE x = bucket.v',
    `SELECT ${expression} AS v`,
    edition,
  );
  const names = await bucketNames(planOf(yaml), { claims: CLAIMS, parameters: PARAMETERS });
  return names[0]?.slice('7#d['.length, -1) ?? 'none';
}

async function inStream(
  language: 'alpha' | 'compiled',
  expression: string,
  parameters: JsonObject | null = { s: 'S' },
): Promise<string> {
  const plan = planOf(queryIn(language, `SELECT * FROM t WHERE x = ${expression}`));
  const names = await bucketNames(plan, {
    claims: CLAIMS,
    parameters: PARAMETERS,
    includeDefaults: false,
    subscriptions: [{ stream: 's', parameters, overridePriority: null }],
  });
  return names[0]?.slice('7#s|0['.length, -1) ?? 'none';
}

describe('bucket definitions', () => {
  it.each([
    ['request.user_id()', '"u1"'],
    ["request.jwt() ->> 'text'", '"T"'],
    ['length(request.jwt()) > 2', '1'],
    ["request.parameters() ->> 'p'", '"P"'],
    ["request.parameter('p')", '"P"'],
    ["request.parameter('a.b')", '"dotted"'],
    ["request.parameter('$.a.b')", '"walked"'],
    ["request.parameter(lower('P'))", '"P"'],
    ["request.parameter('missing')", 'null'],
    ['token_parameters.x', '"from parameters"'],
    ['token_parameters.user_id', '"u1"'],
    ['token_parameters.missing', 'null'],
    ['token_parameters.nothing', 'null'],
    ['user_parameters.p', '"P"'],
    ['user_parameters."a.b"', '"dotted"'],
    ["request.jwt() ->> 'a.b'", '"walked"'],
    ["request.jwt() ->> 'nothing'", '"null"'],
  ])('%s is %s', async (expression, expected) => {
    expect(await inDefinition(expression)).toBe(expected);
  });

  it.each([
    ["request.jwt() ->> 'a.b'", '"dotted"'],
    ["request.parameter('a.b')", '"dotted"'],
    ["request.jwt() ->> 'nothing'", 'null'],
  ])('%s is %s with fixed_json_extract', async (expression, expected) => {
    expect(await inDefinition(expression, 2)).toBe(expected);
  });

  it('take user_id from sub even without the claim parameters', async () => {
    const yaml = definition(
      'SELECT * FROM t WHERE x = bucket.v',
      'SELECT token_parameters.user_id AS v',
    );
    expect(await bucketNames(planOf(yaml), { claims: { sub: 'u' } })).toEqual(['7#d["u"]']);
    expect(await bucketNames(planOf(yaml), { claims: {} })).toEqual(['7#d[null]']);
  });
});

describe.each(['alpha', 'compiled'] as const)('streams (%s)', (language) => {
  it.each([
    ['auth.user_id()', '"u1"'],
    ["auth.parameters() ->> 'text'", '"T"'],
    ["auth.parameter('text')", '"T"'],
    ["auth.parameter('integer')", '7'],
    ["auth.parameter('real')", '7.5'],
    ["auth.parameter('yes')", '1'],
    ["auth.parameter('no')", '0'],
    ["auth.parameter('object')", JSON.stringify('{"a":1.0,"b":[2.0]}')],
    ["auth.parameter('list')", JSON.stringify('["x",1.0]')],
    ["auth.parameter('a.b')", '"dotted"'],
    ["auth.parameter('$.a.b')", '"walked"'],
    ["auth.parameter(lower('TEXT'))", '"T"'],
    ["auth.parameter(connection.parameter('missing'))", language === 'alpha' ? 'null' : 'none'],
    ["connection.parameters() ->> 'p'", '"P"'],
    ["connection.parameter('p')", '"P"'],
    ["subscription.parameters() ->> 's'", '"S"'],
    ["subscription.parameter('s')", '"S"'],
    // 22: a missing request value is an empty bucket in edition 2, and none in edition 3.
    ["auth.parameter('nothing')", language === 'alpha' ? 'null' : 'none'],
    ["auth.parameter('missing')", language === 'alpha' ? 'null' : 'none'],
    ["subscription.parameter('missing')", language === 'alpha' ? 'null' : 'none'],
  ])('%s is %s', async (expression, expected) => {
    expect(await inStream(language, expression)).toBe(expected);
  });

  it('null subscription parameters are {}', async () => {
    const expected = language === 'alpha' ? 'null' : 'none';
    expect(await inStream(language, "subscription.parameter('s')", null)).toBe(expected);
    expect(await inStream(language, 'subscription.parameters()', null)).toBe('"{}"');
  });
});

describe('where request data may stand', () => {
  const inData = (expression: string) =>
    codesIn('definitions', `SELECT * FROM t WHERE a = ${expression}`);
  const inParameters = (expression: string) =>
    problems(definition('SELECT * FROM t WHERE a = bucket.v', `SELECT ${expression} AS v`)).map(
      (problem) => problem.split(':')[0],
    );

  it.each([
    'request.user_id()', 'request.jwt()', 'request.parameters()', "request.parameter('x')",
    'token_parameters.x', 'user_parameters.x',
  ])('%s only in parameter queries', (expression) => {
    expect(inData(expression)).toEqual(['REQUEST_IN_DATA']);
    expect(codesIn('compiled', `SELECT * FROM t WHERE a = ${expression}`)).not.toEqual([]);
    expect(codesIn('alpha', `SELECT * FROM t WHERE a = ${expression}`)).not.toEqual([]);
  }); // prettier-ignore

  it.each([
    'auth.user_id()',
    'auth.parameters()',
    "connection.parameter('x')",
    'subscription.parameters()',
  ])('%s only in streams', (expression) => {
    expect(inData(expression)).toEqual(['UNKNOWN_FUNCTION']);
    expect(inParameters(expression)).toEqual(['UNKNOWN_FUNCTION']);
  });

  it.each(['connection.user_id()', 'subscription.user_id()', 'auth.jwt()', 'request.user_id()'])(
    '%s does not exist in streams',
    (expression) => {
      expect(codesIn('compiled', `SELECT * FROM t WHERE a = ${expression}`)).toEqual([
        'UNKNOWN_FUNCTION',
      ]);
      expect(codesIn('alpha', `SELECT * FROM t WHERE a = ${expression}`)).toEqual([
        'UNKNOWN_FUNCTION',
      ]);
    },
  );

  it.each(['auth.user_id()', "connection.parameter('x')", "upper(subscription.parameter('x'))"])(
    '%s is no output of a stream',
    (expression) => {
      expect(codesIn('compiled', `SELECT id, ${expression} AS v FROM t`)).toContain(
        'REQUEST_IN_OUTPUT',
      );
      expect(codesIn('alpha', `SELECT id, ${expression} AS v FROM t`)).toContain(
        'REQUEST_IN_OUTPUT',
      );
    },
  );

  it.each([
    ['auth.user_id(1)', 'ARG_COUNT'],
    ['auth.parameter()', 'ARG_COUNT'],
    ["auth.parameter('a', 'b')", 'ARG_COUNT'],
    ['auth.parameter(a)', 'MIXED_EXPR'],
  ])('%s has %s', (expression, code) => {
    expect(codesIn('compiled', `SELECT * FROM t WHERE b = ${expression}`)).toEqual([code]);
  });
});
