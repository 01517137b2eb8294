import { describe, expect, it } from 'vitest';
import { compile, planOf, problems } from '../testing/check.ts';

// spec/sync-config.md 1: the YAML document.

const STREAM = 'query: SELECT * FROM t';

describe('the document (1)', () => {
  it.each([
    ['syntax error', 'a: [', ['YAML_SYNTAX']],
    ['duplicate key', 'streams: {}\nstreams: {}', ['YAML_SYNTAX']],
    [
      'duplicate definition',
      'bucket_definitions: { a: { data: [] }, a: { data: [] } }',
      ['YAML_SYNTAX'],
    ],
    ['two documents', 'bucket_definitions: {}\n---\nbucket_definitions: {}', ['YAML_SYNTAX']],
    ['root is a list', '- x', ['YAML_SCHEMA']],
    ['root is a text', 'x', ['YAML_SCHEMA']],
    ['empty file', '', ['YAML_SCHEMA']],
    ['neither map', 'config: {}', ['YAML_SCHEMA']],
    ['an empty map is enough', 'bucket_definitions: {}', []],
    ['unknown key', 'bucket_definitions: {}\nrules: {}', ['YAML_SCHEMA']],
    ['definitions are a list', 'bucket_definitions: []', ['YAML_SCHEMA']],
    ['config is a text', 'config: x\nbucket_definitions: {}', ['YAML_SCHEMA']],
    [
      'an unknown tag',
      'bucket_definitions: { a: { data: [!x SELECT * FROM t] } }',
      ['YAML_SYNTAX'],
    ],
  ])('%s: %j has %j', (_, yaml, codes) => {
    expect(compile(yaml).diagnostics.map(({ code }) => code)).toEqual(codes);
  });

  it.each(['my lists', 'a/b', 'a=b', 'ü "x"', '1'])('takes %j as a name', (name) => {
    const plan = planOf(
      `config: { edition: 3 }\nstreams: { ${JSON.stringify(name)}: { ${STREAM} } }`,
    );
    expect(plan.definitions.map((definition) => definition.name)).toEqual([name]);
  });

  it('refuses a name that is in both maps', () => {
    const yaml = `config: { edition: 2 }\nbucket_definitions: { a: { data: [] } }\nstreams: { a: { ${STREAM} } }`;
    expect(problems(yaml)).toEqual(['EDITION_UPGRADE: streams', 'DUPLICATE_NAME: a']);
  });

  it('reports several problems at once', () => {
    const yaml =
      'bucket_definitions: { a: { priority: 7, data: [SELEC, "SELECT id, f(x) AS y FROM t"] } }';
    expect(problems(yaml)).toEqual(['PRIORITY: 7', 'NOT_A_SELECT: SELEC', 'UNKNOWN_FUNCTION: f']);
  });
});

describe('top-level keys by edition (1.1)', () => {
  const events = 'event_definitions: { e: { payloads: [SELECT a FROM t] } }';
  const definitions = 'bucket_definitions: {}';
  const streams = `streams: { s: { ${STREAM} } }`;
  const ctes = 'with: { c: SELECT id FROM t }';

  it.each([
    [1, definitions, []],
    [2, definitions, []],
    [3, `${definitions}\nstreams: {}`, ['EDITION: bucket_definitions']],
    [1, streams, ['EDITION: streams']],
    [2, streams, ['EDITION_UPGRADE: streams']],
    [3, streams, []],
    [1, `${definitions}\n${ctes}`, ['EDITION: with']],
    [2, `${definitions}\n${ctes}`, ['EDITION: with']],
    [3, `streams: {}\n${ctes}`, ['UNUSED_CTE: c']],
    [1, `${definitions}\n${events}`, []],
    [2, `${definitions}\n${events}`, []],
    [3, `streams: {}\n${events}`, []],
  ])('edition %i with %j has %j', (edition, body, expected) => {
    const found = problems(`config: { edition: ${edition} }\n${body}`);
    expect(found.filter((problem) => !problem.startsWith('UNUSED_CTE') || edition === 3)).toEqual(
      expected,
    );
  });
});

describe('bucket definitions (1.2)', () => {
  it.each([
    ['', ['YAML_SCHEMA: a']],
    ['{}', ['YAML_SCHEMA: a']],
    ['{ data: SELECT }', ['YAML_SCHEMA: SELECT']],
    ['{ data: [1] }', ['YAML_SCHEMA: 1']],
    ['{ data: [] }', []],
    ['{ data: [], parameters: [] }', ['YAML_SCHEMA: parameters']],
    ['{ data: [], parameters: {} }', ['YAML_SCHEMA: {}']],
    ['{ data: [], parameters: SELECT 1 AS a }', []],
    ['{ data: [], parameters: [SELECT 1 AS a, SELECT 2 AS a] }', []],
    ['{ data: [], parameter: SELECT 1 AS a }', ['YAML_SCHEMA: parameter']],
    ['{ data: [], priority: 0 }', []],
    ['{ data: [], priority: 3 }', []],
    ['{ data: [], priority: 4 }', ['PRIORITY: 4']],
    ['{ data: [], priority: -1 }', ['PRIORITY: -1']],
    ['{ data: [], priority: 1.5 }', ['PRIORITY: 1.5']],
    ['{ data: [], priority: "1" }', ['PRIORITY: "1"']],
    ['{ data: [], accept_potentially_dangerous_queries: 1 }', ['YAML_SCHEMA: 1']],
    ['{ data: [], accept_potentially_dangerous_queries: true }', []],
    ['{ data: [!accept_potentially_dangerous_queries SELECT id FROM t] }', []],
  ])('%s has %j', (body, expected) => {
    expect(problems(`bucket_definitions: { a: ${body} }`)).toEqual(expected);
  });

  it('have priority 3 unless they say otherwise', () => {
    const plan = planOf('bucket_definitions: { a: { data: [] }, b: { data: [], priority: 0 } }');
    expect(plan.definitions.map(({ priority }) => priority)).toEqual([3, 0]);
  });

  it.each([
    ['accept_potentially_dangerous_queries: true,', []],
    ['accept_potentially_dangerous_queries: false,', ['DANGEROUS']],
    // The tag is known and has no effect.
    ['', ['DANGEROUS']],
  ])('with %j have %j', (key, expected) => {
    const tag = key === '' ? '!accept_potentially_dangerous_queries ' : '';
    const yaml = `bucket_definitions: { a: { ${key} data: [], parameters: ${tag}SELECT user_parameters.x AS x } }`;
    expect(compile(yaml).diagnostics.map(({ code }) => code)).toEqual(expected);
  });
});

describe('streams (1.3)', () => {
  it.each([
    [3, '', ['YAML_SCHEMA: a']],
    [3, '{}', ['YAML_SCHEMA: a']],
    [3, `{ ${STREAM} }`, []],
    [3, '{ queries: [SELECT * FROM t, SELECT id FROM t] }', []],
    [3, `{ ${STREAM}, queries: [SELECT * FROM t] }`, ['YAML_SCHEMA: a']],
    [3, '{ queries: SELECT * FROM t }', ['YAML_SCHEMA: SELECT * FROM t']],
    [3, '{ query: [SELECT * FROM t] }', ['YAML_SCHEMA: [SELECT * FROM t]']],
    [3, `{ ${STREAM}, auto_subscribe: yes }`, ['YAML_SCHEMA: yes']],
    [3, `{ ${STREAM}, auto_subscribe: true, priority: 0 }`, []],
    [3, `{ ${STREAM}, priority: 9 }`, ['PRIORITY: 9']],
    [3, `{ ${STREAM}, data: [] }`, ['YAML_SCHEMA: data']],
    [3, `{ ${STREAM}, with: { c: SELECT id FROM t } }`, ['UNUSED_CTE: c']],
    [3, `{ ${STREAM}, with: { c: [SELECT id FROM t] } }`, ['YAML_SCHEMA: [SELECT id FROM t]']],
    [2, `{ ${STREAM} }`, []],
    [2, '{ queries: [SELECT * FROM t] }', ['EDITION: queries']],
    [2, `{ ${STREAM}, with: {} }`, ['EDITION: with']],
  ])('edition %i: %s has %j', (edition, body, expected) => {
    const found = problems(`config: { edition: ${edition} }\nstreams: { a: ${body} }`);
    expect(found.filter((problem) => problem !== 'EDITION_UPGRADE: streams')).toEqual(expected);
  });

  it.each([2, 3])(
    'of edition %i are on demand with priority 3 unless they say otherwise',
    (edition) => {
      const plan = planOf(`config: { edition: ${edition} }
streams: { a: { ${STREAM} }, b: { ${STREAM}, auto_subscribe: true, priority: 1 } }`);
      expect(plan.definitions.map(({ isDefault, priority }) => [isDefault, priority])).toEqual([
        [false, 3],
        [true, 1],
      ]);
    },
  );
});
