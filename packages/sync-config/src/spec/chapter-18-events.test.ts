import type { TableSchema } from '@sluice/model';
import { describe, expect, it } from 'vitest';
import { planOf, problems } from '../testing/check.ts';

// spec/sync-config.md 18.

const events = (body: string, edition = 1) =>
  `config: { edition: ${edition} }\n${edition < 3 ? 'bucket_definitions' : 'streams'}: {}\nevent_definitions:\n  ${body}\n`;

const TABLE: TableSchema = {
  schema: 'public',
  name: 'checkpoints',
  columns: ['id', 'user_id', 'checkpoint', 'client', '_hidden', 'j'].map((name) => ({
    name,
    sqliteType: 'text',
    sourceType: 'text',
  })),
};
const ROW = ['1', 'u1', 7n, 'c1', 'h', '{"k":5}'];

function payloadsOf(yaml: string, row = ROW, table = TABLE) {
  const evaluated = planOf(yaml).eventEvaluator(table)?.evaluate(row);
  return evaluated?.events.map(({ event, payload }) => [event, Object.fromEntries(payload)]);
}

describe('payloads', () => {
  it('name the event and give the columns of a changed row', () => {
    const yaml = events(
      'write_checkpoints: { payloads: ["SELECT user_id, checkpoint, client AS client_id FROM checkpoints"] }',
    );
    expect(planOf(yaml).events).toEqual([
      {
        name: 'write_checkpoints',
        tables: [
          { schema: 'public', schemaIsPrefix: false, name: 'checkpoints', nameIsPrefix: false },
        ],
      },
    ]);
    expect(payloadsOf(yaml)).toEqual([
      ['write_checkpoints', { user_id: 'u1', checkpoint: 7n, client_id: 'c1' }],
    ]);
  });

  it.each([
    ['SELECT checkpoint + 1 AS n FROM checkpoints', { n: 8n }],
    ["SELECT j ->> 'k' AS k FROM checkpoints AS c", { k: 5n }],
    ['SELECT id FROM checkpoints WHERE checkpoint > 5', { id: '1' }],
    ['SELECT id FROM checkpoints WHERE checkpoint > 9', undefined],
    ['SELECT _hidden, id FROM "check%"', { _hidden: 'h', id: '1' }],
  ])('%s', (sql, payload) => {
    const yaml = events(`e: { payloads: [${JSON.stringify(sql)}] }`);
    expect(payloadsOf(yaml)).toEqual(payload === undefined ? [] : [['e', payload]]);
  });

  it('with * follow the edition', () => {
    const yaml = (edition: number) =>
      events('e: { payloads: [SELECT * FROM checkpoints] }', edition);
    const names = (edition: number) =>
      Object.keys((payloadsOf(yaml(edition))?.[0]?.[1] ?? {}) as object);
    expect(names(1)).toEqual(['id', 'user_id', 'checkpoint', 'client', 'j']);
    expect(names(3)).toEqual(['id', 'user_id', 'checkpoint', 'client', '_hidden', 'j']);
  });

  it('need no id, and may be of several events and tables', () => {
    const yaml = events(
      `a: { payloads: [SELECT user_id FROM checkpoints, SELECT x FROM other] }\n  b: { payloads: [SELECT client FROM checkpoints] }`,
    );
    expect(payloadsOf(yaml)).toEqual([
      ['a', { user_id: 'u1' }],
      ['b', { client: 'c1' }],
    ]);
    expect(planOf(yaml).eventEvaluator({ ...TABLE, name: 'elsewhere' })).toBeUndefined();
  });

  it('that fail on a row are reported and do not concern others', () => {
    const yaml = events(
      `bad: { payloads: ["SELECT j ->> 'k' AS k FROM checkpoints"] }\n  good: { payloads: [SELECT id FROM checkpoints] }`,
    );
    const row = [...ROW.slice(0, -1), '{'];
    expect(planOf(yaml).eventEvaluator(TABLE)?.evaluate(row)).toEqual({
      events: [{ event: 'good', payload: new Map([['id', '1']]) }],
      errors: [{ definition: 'bad', message: 'A text that should be JSON is not' }],
    });
  });

  it('sync nothing', () => {
    const plan = planOf(events('e: { payloads: [SELECT * FROM checkpoints] }'));
    expect(plan.tables).toEqual([]);
    expect(plan.definitions).toEqual([]);
    expect(plan.rowEvaluator(TABLE, new Map())).toBeUndefined();
  });
});

describe('what is refused', () => {
  it.each([
    ['e: []', ['YAML_SCHEMA: []']],
    ['e: {}', ['YAML_SCHEMA: e']],
    ['e: { payloads: SELECT a FROM t }', ['YAML_SCHEMA: SELECT a FROM t']],
    ['e: { payloads: [1] }', ['YAML_SCHEMA: 1']],
    ['e: { payloads: [], query: x }', ['YAML_SCHEMA: query']],
    ['e: { payloads: [] }', []],
    ['e: { payloads: [SELECT a FROM t, SELECT a FROM u] }', []],
    ['e: { payloads: [SELECT a FROM t, SELECT b FROM t] }', ['DUPLICATE_NAME: t']],
    ['e: { payloads: [SELECT a FROM t, \'SELECT b FROM "t%"\'] }', ['DUPLICATE_NAME: "t%"']],
    ['e: { payloads: [SELECT a FROM t, SELECT b FROM other.t] }', []],
    ['e: { payloads: ["SELECT t.a FROM t, u"] }', ['UNSUPPORTED_CLAUSE: u']],
    ['e: { payloads: ["SELECT a FROM (SELECT a FROM t) x"] }', ['UNSUPPORTED_CLAUSE: (SELECT a FROM t) x']],
    ['e: { payloads: ["SELECT value FROM json_each(\'[]\')"] }', ["UNSUPPORTED_CLAUSE: json_each('[]')"]],
    ['e: { payloads: [SELECT 1 AS a] }', ['NO_OUTPUT_TABLE: SELECT 1 AS a']],
    ['e: { payloads: [SELECT upper(a) FROM t] }', ['ALIAS_REQUIRED: upper(a)']],
    ['e: { payloads: [SELECT bucket.x FROM t] }', ['BUCKET_PARAM_IN_EXPR: bucket.x']],
    ['e: { payloads: [SELECT a FROM t WHERE b = bucket.x] }', ['BUCKET_PARAM_IN_EXPR: b = bucket.x']],
    ['e: { payloads: [SELECT request.user_id() AS a FROM t] }', ['REQUEST_IN_DATA: request.user_id()']],
    ['e: { payloads: [SELECT auth.user_id() AS a FROM t] }', ['REQUEST_IN_DATA: auth.user_id()']],
    ['e: { payloads: [SELECT a FROM t WHERE b IN (SELECT c FROM u)] }', ['SCALAR_SUBQUERY: b IN (SELECT c FROM u)']],
    ['write_checkpoints: { payloads: ["SELECT user_id, checkpoint FROM t"] }', []],
    ['write_checkpoints: { payloads: [SELECT * FROM t] }', []],
    ['write_checkpoints: { payloads: [SELECT checkpoint FROM t] }', ['EVENT_COLUMNS: SELECT checkpoint FROM t']],
  ])('%s has %j', (body, expected) => {
    expect(problems(events(body))).toEqual(expected);
    expect(problems(events(body, 3))).toEqual(expected);
  }); // prettier-ignore
});
